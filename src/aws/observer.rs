//! What a scan tells while it runs. Drawing it is for others.

use palisade_model::AccountId;

/// Hears how a scan goes. Methods are called from many tasks at once and must return at once.
pub trait Observer: Send + Sync {
    /// So many more calls are known to be needed.
    fn planned(&self, _calls: u64) {}
    /// So many planned calls turned out not to be needed.
    fn spared(&self, _calls: u64) {}
    /// A call ended, well or badly; `operation` as in gaps.
    fn finished(&self, _operation: &str) {}
    /// An HTTP request went out; `attempt` counts from one.
    fn sent(&self, _service: &str, _attempt: u32) {}
    /// A request was refused for its rate.
    fn throttled(&self, _service: &str) {}
    /// An account was entered.
    fn account_started(&self, _account: &AccountId) {}
    /// An account is done; `gaps` facts could not be read.
    fn account_finished(&self, _account: &AccountId, _gaps: usize) {}
    /// Something the user asked to be told, such as what reading costs.
    fn note(&self, _text: &str) {}
    /// Something the user should know that is no gap.
    fn warn(&self, _text: &str) {}
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
