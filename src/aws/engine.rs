//! One call at a time, done properly: permitted by the table, paced, in its own retry partition,
//! asked again after a throttle, and settled as a fact or a gap.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use palisade_model::{Call, Gap, GapKind, Observed, Partition, Per, calls, find_call};
use tokio::sync::Semaphore;

use crate::central::{Standing, Told};
use crate::outcome::{Failure, settle};
use crate::pace::{Pace, rate_of};
use crate::purse::Purse;
use crate::transport::{Clock, Meter, Metered};
use crate::{Cancel, Observer, Options};

/// What all accounts share.
pub(crate) struct Engine {
    pub(crate) options: Options,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) cancel: Cancel,
    pub(crate) http: SharedHttpClient,
    /// Whether requests stay in this process: then nothing waits.
    pub(crate) local: bool,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) use_fips: bool,
    pub(crate) flights: Semaphore,
    pub(crate) overall: Option<Arc<Pace>>,
    pub(crate) clock: Arc<Clock>,
    /// What looking into buckets may still cost.
    pub(crate) purse: Purse,
    /// Who administers what, once the organization was read.
    pub(crate) standing: OnceLock<Standing>,
    /// What the administrators were told, once they were read.
    pub(crate) told: OnceLock<Told>,
}

/// One account being visited.
pub(crate) struct Visit {
    pub(crate) engine: Arc<Engine>,
    pub(crate) account: String,
    pub(crate) partition: Partition,
    pub(crate) sessions: Vec<Session>,
    places: Mutex<HashMap<String, Arc<Place>>>,
    /// Calls that were counted before they are made, by region (empty: any) and operation.
    announced: Mutex<HashMap<(String, &'static str), u64>>,
}

/// Credentials, and the services they serve; no services: all.
pub(crate) struct Session {
    pub(crate) services: BTreeSet<&'static str>,
    pub(crate) credentials: SharedCredentialsProvider,
}

/// One region of one account.
pub(crate) struct Place {
    pub(crate) visit: Arc<Visit>,
    pub(crate) region: String,
    permits: Semaphore,
    lanes: Mutex<HashMap<&'static str, Arc<Lane>>>,
    /// Whether anything here ever answered with data.
    answered: AtomicBool,
    /// Calls in a row that got no answer at all.
    silent: AtomicU32,
    denying: Mutex<BTreeSet<&'static str>>,
}

/// The calls to one service in one region of one account.
pub(crate) struct Lane {
    pub(crate) http: Metered,
    pub(crate) retries: RetryPartition,
    permits: Semaphore,
    /// Calls given up for their rate.
    spent: AtomicU32,
}

/// Services that must deny before a region counts as closed.
const CLOSED_AFTER: usize = 5;
/// Calls without an answer before a region counts as dead.
const DEAD_AFTER: u32 = 3;
/// Calls throttled out before a lane is left alone.
const SPENT_AFTER: u32 = 3;
/// Times a call is asked again after the SDK's own retries were throttled out.
const ROUNDS: u32 = 2;
/// How long a call in flight may still take after an interrupt.
const GRACE: Duration = Duration::from_secs(10);

/// Marks gaps that an interrupted scan left and a resumed one fills.
pub(crate) const INTERRUPTED: &str = "Interrupted";

impl Visit {
    pub(crate) fn new(
        engine: Arc<Engine>,
        account: String,
        partition: Partition,
        sessions: Vec<Session>,
    ) -> Arc<Visit> {
        Arc::new(Visit {
            engine,
            account,
            partition,
            sessions,
            places: Mutex::default(),
            announced: Mutex::default(),
        })
    }

    /// Counts the calls of that kind in the table, before they are made. `region` is empty for
    /// calls that belong to none.
    pub(crate) fn announce(&self, per: Per, region: &str) {
        let mut announced = self.announced();
        let mut planned = 0;
        for call in calls().filter(|call| call.per == per) {
            *announced
                .entry((region.to_owned(), call.operation))
                .or_default() += 1;
            planned += 1;
        }
        self.engine.observer.planned(planned);
    }

    /// Whether the call was counted before; it is now taken off the list.
    fn was_announced(&self, region: &str, operation: &'static str) -> bool {
        let mut announced = self.announced();
        for region in [region, ""] {
            let key = (region.to_owned(), operation);
            if let Some(count) = announced.get_mut(&key).filter(|count| **count > 0) {
                *count -= 1;
                return true;
            }
        }
        false
    }

    /// Takes back what was counted and turned out not to be needed.
    pub(crate) fn spare(&self) {
        let spared = self.announced().drain().map(|(_, count)| count).sum();
        self.engine.observer.spared(spared);
    }

    fn announced(&self) -> MutexGuard<'_, HashMap<(String, &'static str), u64>> {
        self.announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The account in that region.
    pub(crate) fn place(self: &Arc<Self>, region: &str) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(region.to_owned()).or_insert_with(|| {
            Arc::new(Place {
                visit: self.clone(),
                region: region.to_owned(),
                permits: Semaphore::new(16),
                lanes: Mutex::default(),
                answered: AtomicBool::new(false),
                silent: AtomicU32::new(0),
                denying: Mutex::default(),
            })
        });
        place.clone()
    }

    /// The account in its partition's home region, where global services are asked.
    pub(crate) fn home(self: &Arc<Self>) -> Arc<Place> {
        self.place(self.partition.home_region())
    }

    /// The credentials for that service.
    pub(crate) fn credentials(&self, service: &str) -> SharedCredentialsProvider {
        let serving = self
            .sessions
            .iter()
            .find(|session| session.services.contains(service));
        let session = serving.or(self.sessions.first());
        session
            .expect("a visit is made with at least one session")
            .credentials
            .clone()
    }

    /// Lets go of the regions, which point back at the visit.
    pub(crate) fn leave(&self) {
        self.places
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Place {
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.visit.engine
    }

    /// The lane of that service: its pace, its retries, its connections.
    pub(crate) fn lane(&self, service: &'static str) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(service).or_insert_with(|| {
            let engine = self.engine();
            let rate = rate_of(service);
            let pace = (!engine.local).then(|| Pace::new(rate, (rate / 2.0).max(2.0)));
            let name = format!("{}/{service}/{}", self.visit.account, self.region);
            Arc::new(Lane {
                http: Metered {
                    inner: engine.http.clone(),
                    meter: Arc::new(Meter {
                        service,
                        pace,
                        overall: engine.overall.clone(),
                        observer: engine.observer.clone(),
                        clock: engine.clock.clone(),
                    }),
                },
                retries: RetryPartition::custom(name)
                    .token_bucket(TokenBucket::unlimited())
                    .build(),
                permits: Semaphore::new(if service == "s3" { 16 } else { 4 }),
                spent: AtomicU32::new(0),
            })
        });
        lane.clone()
    }

    /// Makes the call of that name in the table, and settles its answer.
    pub(crate) async fn ask<T, E, F>(&self, operation: &str, send: impl Fn() -> F) -> Observed<T>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let call = find_call(operation).expect("collectors only make calls of the table");
        self.make(call, send).await
    }

    /// Makes that call and settles its answer.
    pub(crate) async fn make<T, E, F>(&self, call: &Call, send: impl Fn() -> F) -> Observed<T>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let observer = &self.engine().observer;
        // Another page, or one more of what was found.
        if !self.visit.was_announced(&self.region, call.operation) {
            observer.planned(1);
        }
        // Boxed: what the SDK builds for one call is large, and collectors nest.
        let outcome = Box::pin(self.attempt(call, send)).await;
        self.learn(call, &outcome);
        observer.finished(call.operation);
        outcome
    }

    async fn attempt<T, E, F>(&self, call: &Call, send: impl Fn() -> F) -> Observed<T>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let lane = self.lane(call.service());
        let mut round = 0;
        loop {
            let _lane = lane.permits.acquire().await;
            if let Some(gap) = self.pointless(call, &lane) {
                return gap.into();
            }
            match self.flight(&lane, &send).await {
                None => return interrupted(call.operation).into(),
                Some(Ok(answer)) => return Observed::Value(answer),
                Some(Err(error)) => {
                    let outcome = settle(call, Failure::of(error));
                    let throttled = outcome
                        .gap()
                        .is_some_and(|gap| gap.kind == GapKind::Throttled);
                    if !throttled || round == ROUNDS {
                        if throttled {
                            lane.spent.fetch_add(1, Ordering::Relaxed);
                        }
                        return outcome;
                    }
                    round += 1;
                }
            }
        }
    }

    /// One request with the SDK's own retries; `None` when the scan was stopped first.
    async fn flight<T, E, F>(
        &self,
        lane: &Lane,
        send: &impl Fn() -> F,
    ) -> Option<Result<T, SdkError<E, HttpResponse>>>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let engine = self.engine();
        let stopped = async {
            engine.cancel.cancelled().await;
        };
        let turn = async {
            for pace in lane.http.meter.pace.iter() {
                pace.turn().await;
            }
            for pace in engine.overall.iter() {
                pace.turn().await;
            }
            (self.permits.acquire().await, engine.flights.acquire().await)
        };
        let _permits = tokio::select! {
            biased;
            () = stopped => return None,
            permits = turn => permits,
        };
        let late = async {
            engine.cancel.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            answer = Box::pin(send()) => Some(answer),
            () = late => None,
        }
    }

    /// Why the call need not be made: the region refuses or does not answer anything.
    fn pointless(&self, call: &Call, lane: &Lane) -> Option<Gap> {
        let gap = |kind, message: String| {
            Some(Gap {
                message,
                ..Gap::new(call.operation, kind)
            })
        };
        if self.engine().cancel.is_cancelled() {
            return Some(interrupted(call.operation));
        }
        if lane.spent.load(Ordering::Relaxed) >= SPENT_AFTER {
            return gap(
                GapKind::Throttled,
                "not asked: the service throttled every call before".to_owned(),
            );
        }
        if self.answered.load(Ordering::Relaxed) {
            return None;
        }
        if self.silent.load(Ordering::Relaxed) >= DEAD_AFTER {
            return gap(
                GapKind::Unreachable,
                format!("not asked: nothing in {} answers", self.region),
            );
        }
        let denying = self.denying.lock().unwrap_or_else(PoisonError::into_inner);
        if denying.len() >= CLOSED_AFTER && !self.is_home() {
            let services: Vec<&str> = denying.iter().copied().collect();
            return gap(
                GapKind::Denied,
                format!(
                    "not asked: {} refuse in {}",
                    services.join(", "),
                    self.region
                ),
            );
        }
        None
    }

    fn is_home(&self) -> bool {
        self.region == self.visit.partition.home_region()
    }

    fn learn<T>(&self, call: &Call, outcome: &Observed<T>) {
        match outcome.gap().map(|gap| gap.kind) {
            None => {
                self.answered.store(true, Ordering::Relaxed);
                self.silent.store(0, Ordering::Relaxed);
            }
            Some(GapKind::Unreachable) => {
                self.silent.fetch_add(1, Ordering::Relaxed);
            }
            Some(GapKind::Denied | GapKind::Region) => {
                self.silent.store(0, Ordering::Relaxed);
                self.denying
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(call.service());
            }
            Some(_) => {}
        }
    }
}

pub(crate) fn interrupted(operation: &str) -> Gap {
    Gap {
        code: INTERRUPTED.to_owned(),
        message: "the scan was stopped before this call".to_owned(),
        ..Gap::not_collected(operation)
    }
}
