//! What stands between the user and a scan: who am I, what is refused, who does not answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use palisade_model::{Arn, Gap, GapKind, Region, RegionState};
use serde_json::{Value, json};

use crate::account::account;
use crate::caller::enter_role;
use crate::collect::callers;
use crate::engine::{Place, Visit};
use crate::regions::{check_regions, regions};
use crate::tasks::each;
use crate::{Cancel, CollectError, Observer, Options, Transport, services};

/// One caller's examination.
#[derive(Clone, Debug)]
pub struct Examination {
    /// The profile, where one was named.
    pub profile: Option<String>,
    /// Who AWS says we are.
    pub caller: Arn,
    /// The account that would be read.
    pub account: String,
    /// Where requests go, if not to AWS.
    pub endpoint: Option<String>,
    /// How far this machine's clock is ahead of AWS's, in seconds; unknown without an answer.
    pub clock_ahead: Option<i64>,
    /// Regions that are on, and whether they answer: the gap when they do not.
    pub regions: Vec<(String, Option<Gap>)>,
    /// Regions that are off or were left out.
    pub left_out: Vec<(String, RegionState)>,
    /// Calls of the scan that were tried, and the gap when they were refused or failed.
    pub calls: Vec<(String, Option<Gap>)>,
}

/// What the doctor found.
#[derive(Clone, Debug)]
pub struct Examined {
    /// Callers that were proven.
    pub callers: Vec<Examination>,
    /// Profiles that lead nowhere, and why.
    pub refused: Vec<(String, CollectError)>,
}

/// Examines every profile. Errs where a scan would not start either.
pub async fn examine(
    options: Options,
    transport: Transport,
    observer: Arc<dyn Observer>,
) -> Result<Examined, CollectError> {
    check_regions(&options.regions)?;
    check_regions(&options.exclude_regions)?;
    let notes = Arc::new(Notes {
        calls: Mutex::default(),
        told: observer,
    });
    let mut sample = options.clone();
    sample.wants_listing = Some(Arc::new(|_, _| false));
    let callers = callers(sample, transport, notes.clone(), Cancel::default()).await?;
    let (mut examinations, mut refused) = (Vec::new(), callers.refused);
    for caller in &callers.proven {
        let engine = &caller.visit.engine;
        let visit = match enter_role(caller, &engine.options).await {
            Ok(visit) => visit,
            Err(error) => {
                refused.push((caller.profile.clone().unwrap_or_default(), error));
                continue;
            }
        };
        let listed = regions(&visit).await;
        let on: Vec<String> = listed
            .states
            .iter()
            .filter(|(_, state)| **state == RegionState::Enabled)
            .map(|(name, _)| name.clone())
            .collect();
        let left_out = listed.states.into_iter();
        let visit = &visit;
        let answers = each(on, |region| async move {
            let place = visit.place(&region);
            let gap = answers(&place).await;
            (region, gap)
        });
        examinations.push(Examination {
            profile: caller.profile.clone(),
            caller: caller.arn.clone(),
            account: visit.account.clone(),
            endpoint: engine.endpoint_url.clone(),
            regions: answers.await,
            left_out: left_out
                .filter(|(_, state)| *state != RegionState::Enabled)
                .collect(),
            calls: calls(visit, &notes).await,
            clock_ahead: engine.clock.ahead(),
        });
    }
    match examinations.is_empty() {
        true => Err(refused.swap_remove(0).1),
        false => Ok(Examined {
            callers: examinations,
            refused,
        }),
    }
}

/// One cheap call that every region offers.
async fn answers(place: &Place) -> Option<Gap> {
    let answer = place.json(&services::CONFIG, "DescribeDeliveryChannels", "", json!({}));
    answer.await.gap().cloned()
}

/// Reads the account's global services and its home region, as a scan would, and tells for each
/// operation whether it failed anywhere.
async fn calls(visit: &Arc<Visit>, notes: &Notes) -> Vec<(String, Option<Gap>)> {
    let elsewhere = regions(visit).await.states.into_keys();
    let home = visit.partition.home_region();
    let left_out = elsewhere
        .filter(|region| region != home)
        .map(|region| (region, Region::left_out(RegionState::NotAsked)));
    let read = account(visit.clone(), left_out.collect()).await;
    let mut gaps = BTreeMap::new();
    if let Ok(value) = serde_json::to_value(&read) {
        find_gaps(&value, &mut gaps);
    }
    let asked = notes.calls.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = asked
        .iter()
        .map(|call| (call.clone(), gaps.get(call).cloned()));
    asked.collect()
}

fn find_gaps(value: &Value, gaps: &mut BTreeMap<String, Gap>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| find_gaps(item, gaps)),
        Value::Object(members) => match members.get("$gap") {
            Some(gap) => {
                let gap = serde_json::from_value::<Gap>(gap.clone()).ok();
                // A region left out, or what no call was meant to tell, is no failure.
                if let Some(gap) = gap.filter(|gap| gap.kind != GapKind::NotCollected) {
                    gaps.entry(gap.operation.clone()).or_insert(gap);
                }
            }
            None => members.values().for_each(|inner| find_gaps(inner, gaps)),
        },
        _ => {}
    }
}

/// Notes which calls were made, and passes on the rest.
struct Notes {
    calls: Mutex<BTreeSet<String>>,
    told: Arc<dyn Observer>,
}

impl Observer for Notes {
    fn planned(&self, calls: u64) {
        self.told.planned(calls);
    }

    fn spared(&self, calls: u64) {
        self.told.spared(calls);
    }

    fn finished(&self, operation: &str) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.insert(operation.to_owned());
        self.told.finished(operation);
    }

    fn warn(&self, text: &str) {
        self.told.warn(text);
    }
}
