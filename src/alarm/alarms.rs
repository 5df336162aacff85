//! Would anybody hear it: for single calls, and as a weight on the steps of a path.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use palisade_model::{Arn, Observed, RegionState, Snapshot};

use super::chain::{Answer, Recorded, Way, listen, recorded};
use super::event::{Call, Category, Identity};
use super::powers::{Ceiling, Powers};
use super::protection::{Ask, Becomes, protection};
use crate::policy::Engine;

/// Answers whether anybody hears a call, each question once.
pub struct Alarms<'a> {
    /// The snapshot and its policies.
    pub powers: Powers<'a>,
    answers: Mutex<BTreeMap<Question, Answer>>,
    guarded: Mutex<BTreeMap<(String, Arn), bool>>,
}

/// A call, the account and region it is made in, and who makes it.
type Question = (Call, String, String, Vec<Identity>);

/// How well a call is noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not at all.
    #[default]
    None,
    /// It is written down.
    Logged,
    /// Somebody is told.
    Alarmed,
}

/// What becomes of a call, in the region where it is noticed least.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detection {
    /// How well it is noticed.
    pub level: Level,
    /// Whether what notices it is kept from tampering: by SCPs, or by standing in another
    /// account.
    pub protected: bool,
    /// Why, and in which region.
    pub explanation: String,
}

impl Detection {
    /// The weight in thousandths: alarmed 400, written down 50, half of that unless protected.
    /// Palisade never assumes that something reacts by itself: no fact in a snapshot proves it.
    pub fn milli(&self) -> u32 {
        let whole = match self.level {
            Level::None => 0,
            Level::Logged => 50,
            Level::Alarmed => 400,
        };
        if self.protected { whole } else { whole / 2 }
    }
}

impl<'a> Alarms<'a> {
    /// Over one snapshot and its engine.
    pub fn new(snapshot: &'a Snapshot, engine: &'a Engine) -> Self {
        Alarms {
            powers: Powers::new(snapshot, engine),
            answers: Mutex::default(),
            guarded: Mutex::default(),
        }
    }

    /// Whether anybody is told when `call` is made in an account and region.
    pub fn answer(&self, call: &Call, account: &str, region: &str) -> Answer {
        let identities: &[Identity] = match call.category {
            Category::SignIn => &[Identity::Root],
            _ => &[Identity::AssumedRole, Identity::IamUser],
        };
        self.answer_for(call, account, region, identities)
    }

    /// Likewise, for these kinds of identity only.
    pub fn answer_for(
        &self,
        call: &Call,
        account: &str,
        region: &str,
        identities: &[Identity],
    ) -> Answer {
        let region = call.delivered_in(self.powers.snapshot.partition, region);
        let key = (
            call.clone(),
            account.to_owned(),
            region.to_owned(),
            identities.to_vec(),
        );
        let known = |answers: &Mutex<BTreeMap<_, _>>| {
            let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.get(&key).cloned()
        };
        if let Some(answer) = known(&self.answers) {
            return answer;
        }
        let answer = listen(&self.powers, call, account, region, identities);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(key, answer.clone());
        answer
    }

    /// The regions in which somebody in an account can make this call.
    pub fn regions(&self, call: &Call, account: &str) -> Vec<&'a str> {
        let snapshot = self.powers.snapshot;
        if call.global {
            return vec![snapshot.partition.home_region()];
        }
        let regions = snapshot.accounts.get(account).map(|data| &data.regions);
        match regions.and_then(Observed::value) {
            Some(regions) => regions
                .iter()
                .filter(|(_, region)| region.state != RegionState::Off)
                .map(|(name, _)| name.as_str())
                .collect(),
            None => Vec::new(),
        }
    }

    /// How well a call that needs `action` is noticed. With an empty `region` whoever acts picks
    /// it, and picks the one that notices least. What was not read counts as not noticed.
    pub fn detection(&self, action: &str, account: &str, region: &str) -> Detection {
        let call = Call::of_action(action);
        if call.category == Category::Never {
            return Detection {
                explanation: format!("`{action}` is never recorded by itself"),
                ..Detection::default()
            };
        }
        let regions = match region {
            "" => self.regions(&call, account),
            one => vec![one],
        };
        let data = self.powers.snapshot.accounts.get(account);
        if let Some(gap) = data.and_then(|data| data.regions_gap.as_ref())
            && region.is_empty()
            && !call.global
        {
            return Detection {
                explanation: format!("other regions: not known, counted as unseen: {gap}"),
                ..Detection::default()
            };
        }
        let each = regions
            .into_iter()
            .map(|region| self.noticed(&call, account, region));
        each.min_by_key(Detection::milli)
            .unwrap_or_else(|| Detection {
                explanation: format!("the regions of account {account} were not read"),
                ..Detection::default()
            })
    }

    fn noticed(&self, call: &Call, account: &str, region: &str) -> Detection {
        let at = call.delivered_in(self.powers.snapshot.partition, region);
        let name = &call.name;
        if let Answer::Alarmed { ways } = self.answer(call, account, region) {
            let safe = ways.iter().find(|way| self.is_kept(way, account));
            let way = safe.or(ways.first());
            let links = way.map_or_else(String::new, |way| way.links.join(" → "));
            return Detection {
                level: Level::Alarmed,
                protected: safe.is_some(),
                explanation: format!("`{name}` in {at}: {links}"),
            };
        }
        match recorded(&self.powers, call, account, at) {
            Recorded::Yes => Detection {
                level: Level::Logged,
                protected: self.trail_is_kept(account),
                explanation: format!("`{name}` in {at} is written down and nobody is told"),
            },
            Recorded::No(why) => Detection {
                explanation: format!("`{name}` in {at} leaves no trace: {why}"),
                ..Detection::default()
            },
            Recorded::Unknown(missing) => Detection {
                explanation: format!("`{name}` in {at}: not known, counted as unseen: {missing}"),
                ..Detection::default()
            },
        }
    }

    /// Whether the attacked account cannot cut the way: each part stands elsewhere, or SCPs
    /// deny what would break it.
    fn is_kept(&self, way: &Way, account: &str) -> bool {
        way.leaves_account || way.parts.iter().all(|part| self.is_guarded(part, account))
    }

    fn is_guarded(&self, part: &Arn, account: &str) -> bool {
        if part.account() != account {
            return true;
        }
        let key = (account.to_owned(), part.clone());
        let known = {
            let guarded = self.guarded.lock().unwrap_or_else(PoisonError::into_inner);
            guarded.get(&key).copied()
        };
        known.unwrap_or_else(|| {
            // The graph is grown with these weights, so it cannot be asked yet.
            let kept = self.denies_cutting(part, account, None);
            let mut guarded = self.guarded.lock().unwrap_or_else(PoisonError::into_inner);
            guarded.insert(key, kept);
            kept
        })
    }

    /// Whether SCPs deny whatever would cut a way at this part.
    fn denies_cutting(&self, part: &Arn, account: &str, becomes: Option<&dyn Becomes>) -> bool {
        let actions = would_cut(part);
        !actions.is_empty()
            && actions.iter().all(|action| {
                let ask = Ask::on(action, part.as_str());
                protection(&self.powers, becomes, account, &ask).holds()
            })
    }

    /// Looks again at every part that counted as guarded, with the graph's word on who becomes
    /// one of the exempted; says whether any is not guarded after all.
    pub fn undo_guards(&self, becomes: &dyn Becomes) -> bool {
        let kept: Vec<(String, Arn)> = {
            let guarded = self.guarded.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = guarded.iter().filter(|(_, kept)| **kept);
            kept.map(|(key, _)| key.clone()).collect()
        };
        let undone: Vec<(String, Arn)> = kept
            .into_iter()
            .filter(|(account, part)| !self.denies_cutting(part, account, Some(becomes)))
            .collect();
        let changed = !undone.is_empty();
        let mut guarded = self.guarded.lock().unwrap_or_else(PoisonError::into_inner);
        for key in undone {
            guarded.insert(key, false);
        }
        changed
    }

    fn trail_is_kept(&self, account: &str) -> bool {
        let Some(data) = self.powers.snapshot.accounts.get(account) else {
            return false;
        };
        let management = matches!(self.powers.ceiling(account), Ceiling::Management);
        let trails = data.trails.value().into_iter().flatten();
        // Members cannot change the organization's trail.
        // Source: "Creating a trail for an organization", CloudTrail User Guide.
        trails
            .filter(|(_, trail)| trail.logging.value() == Some(&true))
            .any(|(arn, trail)| {
                (trail.organization && !management) || self.is_guarded(arn, account)
            })
    }
}

/// The actions that would cut a way at this part.
fn would_cut(part: &Arn) -> &'static [&'static str] {
    match part.service() {
        "events" if part.resource().starts_with("event-bus/") => {
            &["events:DeleteEventBus", "events:RemovePermission"]
        }
        "events" => &[
            "events:DisableRule",
            "events:DeleteRule",
            "events:PutRule",
            "events:RemoveTargets",
            "events:PutTargets",
        ],
        "lambda" => &[
            "lambda:DeleteFunction",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:PutFunctionConcurrency",
            "lambda:RemovePermission",
        ],
        "sns" => &[
            "sns:DeleteTopic",
            "sns:SetTopicAttributes",
            "sns:RemovePermission",
        ],
        "cloudwatch" => &[
            "cloudwatch:DeleteAlarms",
            "cloudwatch:DisableAlarmActions",
            "cloudwatch:PutMetricAlarm",
        ],
        "logs" => &[
            "logs:DeleteMetricFilter",
            "logs:DeleteLogGroup",
            "logs:PutMetricFilter",
        ],
        "cloudtrail" => &[
            "cloudtrail:StopLogging",
            "cloudtrail:DeleteTrail",
            "cloudtrail:UpdateTrail",
            "cloudtrail:PutEventSelectors",
        ],
        _ => &[],
    }
}
