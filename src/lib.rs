//! Palisade finds the chains by which somebody becomes administrator of an AWS account before
//! anybody walks them, and says which few changes cut them.
//!
//! The house has one corridor, and data walks through it once:
//!
//! | room | takes | gives |
//! |---|---|---|
//! | [`policy`] | policies as written | who may do what |
//! | [`graph`] | decisions, exposure, techniques | who can become whom, best way first |
//! | [`alarm`] | calls, rules, targets | whether anybody would hear it |
//! | [`check`] | the catalogue and everything concluded | answers, resource by resource |

pub mod alarm;
pub mod check;
pub mod graph;
pub mod policy;
