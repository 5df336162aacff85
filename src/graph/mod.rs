//! Who can become whom.
//!
//! Techniques are data: this room reads their keys and knows none of them by name. It turns a
//! snapshot into nodes and edges, finds the best way from every entry to every target, and says
//! of each step which statements allow it.

mod abroad;
mod actor;
mod admin;
mod ask;
mod atom;
mod becomes;
mod before;
mod bind;
mod blocks;
mod called;
mod cause;
mod choke;
mod choose;
mod cite;
mod class;
mod course;
mod crowd;
mod edge;
mod entry;
mod envoy;
mod every;
mod facts;
mod find;
mod fresh;
mod gain;
mod ground;
mod grow;
mod heard;
mod hold;
mod interest;
mod join;
mod judge;
mod meet;
mod name;
mod narrow;
mod net;
mod node;
mod offers;
mod other;
mod outside;
mod path;
mod plan;
mod predicate;
mod region;
mod route;
mod scene;
mod search;
mod session;
mod shape;
mod show;
mod sift;
mod solve;
mod source;
mod spell;
mod tagging;
mod way;
pub mod weigh;
mod wording;

pub use cause::{Cause, Way};
pub(crate) use course::{Ask, Ends, Grant, Hop};
pub use edge::{Condition, Edge, Fact, Request, Statement, Status};
pub use find::{Graph, Size};
pub use interest::{Guarded, Interests};
pub use node::{Fellow, Node, Stop};
pub use path::{BlastRadius, ChokePoint, Factor, Limits, Pair, Path, PathSet, Query, Total};
pub use weigh::{Band, Detection, Interval, Level, Score, Span};

/// Who notices calls. A graph without one counts every call as unheard.
pub trait Detects {
    /// Who notices this action in this account, in the region where the fewest would; `region`
    /// is empty where the attacker may choose.
    fn detection(&self, action: &str, account: &str, region: &str) -> Detection;
}

/// Nobody notices anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unheard;

impl Detects for Unheard {
    fn detection(&self, _action: &str, _account: &str, _region: &str) -> Detection {
        Detection::default()
    }
}
