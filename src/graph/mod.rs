//! Who can become whom.
//!
//! Techniques are data: this room reads their keys and knows none of them by name. It turns a
//! snapshot into nodes and edges, finds the best way from every entry to every target, and says
//! of each step which statements allow it.

mod edge;
mod node;
mod path;
pub mod weigh;

pub use edge::{Condition, Edge, Fact, Request, Statement, Status};
pub use node::{Node, Stop};
pub use path::{BlastRadius, ChokePoint, Factor, Limits, Pair, Path, PathSet, Query};
pub use weigh::{Band, Detection, Interval, Level, Score, Span};
