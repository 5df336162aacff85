//! Many things at once, within bounds, and none taking the others down.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, StreamExt, stream};
use palisade_model::{Gap, GapKind, Observed};

/// How many items of one list are asked about at once; lanes bound what is in flight.
const WIDTH: usize = 16;

/// Runs `work` for each item, some at once, and keeps the order.
pub(crate) async fn each<I, T, F>(items: Vec<I>, work: impl Fn(I) -> F) -> Vec<T>
where
    F: Future<Output = T>,
{
    // Futures first: a stream that held the closure could not be proven `Send`.
    let futures: Vec<F> = items.into_iter().map(work).collect();
    stream::iter(futures).buffered(WIDTH).collect().await
}

/// Contains a fault of the collector itself: the fact becomes a gap, and the rest goes on.
pub(crate) async fn guarded<T>(
    operation: &str,
    work: impl Future<Output = Observed<T>>,
) -> Observed<T> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(_) => Gap::new(operation, GapKind::Internal).into(),
    }
}

/// The same for work that fills in more than one fact: `None` when it failed.
pub(crate) async fn contained<T>(work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}
