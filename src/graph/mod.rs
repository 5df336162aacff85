//! Who can become whom.
//!
//! Techniques are data: this room reads their keys and knows none of them by name. It turns a
//! snapshot into nodes and edges, finds the best way from every entry to every target, and says
//! of each step which statements allow it.

#[allow(dead_code)]
mod bind;
mod edge;
#[allow(dead_code)]
mod name;
#[allow(dead_code)]
mod net;
mod node;
mod path;
#[allow(dead_code)]
mod search;
#[allow(dead_code)]
mod shape;
pub mod weigh;

pub use edge::{Condition, Edge, Fact, Request, Statement, Status};
pub use node::{Node, Stop};
pub use path::{BlastRadius, ChokePoint, Factor, Limits, Pair, Path, PathSet, Query};
pub use weigh::{Band, Detection, Interval, Level, Score, Span};
