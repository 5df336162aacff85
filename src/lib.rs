//! Palisade finds the chains by which somebody becomes administrator of an AWS account before
//! anybody walks them, and says which few changes cut them.
//!
//! The house has one corridor, and data walks through it once:
//!
//! | room | takes | gives |
//! |---|---|---|
//! | [`policy`] | policies as written | who may do what |
//! | [`exposure`] | configuration | who can reach what from outside |
//! | [`graph`] | decisions, exposure, techniques | who can become whom, best way first |
//! | [`alarm`] | calls, rules, targets | whether anybody would hear it |
//! | [`check`] | the catalogue and everything concluded | answers, resource by resource |
//! | [`change`] | a snapshot and changes | the changed snapshot |
//! | [`fix`] | answers and paths | the fewest changes that close them |
//! | [`score`] | paths | one posture score, explained |
//! | [`report`] | answers and paths | findings, and their bytes |
//! | [`gate`] | a report and limits | pass or fail, with reasons |

pub mod alarm;
pub mod change;
pub mod check;
pub mod exposure;
pub mod fix;
pub mod gate;
pub mod graph;
pub mod policy;
pub mod report;
pub mod score;

mod analyse;

pub use analyse::{Analysis, Selection, analyse, paths};
