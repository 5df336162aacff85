//! Many things at once, within bounds, and none taking the others down.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

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
    // Boxed: the SDK's futures are large, and nest.
    let futures: Vec<Pin<Box<F>>> = items.into_iter().map(|item| Box::pin(work(item))).collect();
    stream::iter(futures).buffered(WIDTH).collect().await
}

/// Contains a fault of the collector itself: the fact becomes a gap, and the rest goes on.
pub(crate) async fn guarded<T>(
    operation: &str,
    work: impl Future<Output = Observed<T>>,
) -> Observed<T> {
    match AssertUnwindSafe(Box::pin(work)).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(_) => collector_failed(operation).into(),
    }
}

/// The gap that a fault of the collector itself leaves.
pub(crate) fn collector_failed(operation: &str) -> Gap {
    Gap::new(operation, GapKind::Internal)
}

/// The same for work that fills in more than one fact: `None` when it failed.
pub(crate) async fn contained<T>(work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(Box::pin(work)).catch_unwind().await.ok()
}
