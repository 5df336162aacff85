//! Where a trail's record lies: can outsiders read, change or destroy the bucket and the key.
//!
//! The exposure room judges bucket and key; this file only finds the ones that belong to a trail.

use palisade_model::{Arn, Gap, Observed, Resource, Snapshot, Trail};

use crate::exposure::{Audience, Capability, Exposure, Verdict};

/// What outsiders can do with a part of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::check) struct Bared {
    /// What they can do, each with the statement or setting that lets them.
    pub(in crate::check) says: Vec<(String, String)>,
    /// What was not read and could let them.
    pub(in crate::check) missing: Vec<String>,
    /// It is not among what the scan covers, and why.
    pub(in crate::check) beyond: Option<&'static str>,
}

/// What outsiders can do with the bucket of a trail.
pub(in crate::check) fn bucket(snapshot: &Snapshot, exposure: &Exposure, trail: &Trail) -> Bared {
    let mut bared = Bared::default();
    let judged = exposure
        .buckets
        .iter()
        .find(|((_, name), _)| *name == trail.bucket);
    let Some((_, judged)) = judged else {
        let gaps = snapshot
            .accounts
            .values()
            .filter_map(|data| data.s3.buckets.gap());
        bared.missing = gaps.map(ToString::to_string).collect();
        if bared.missing.is_empty() {
            bared.beyond = Some("it belongs to an account that the scan does not cover");
        }
        return bared;
    };
    for capability in Capability::ALL {
        let verdict = judged.verdict(capability);
        // That a named partner reads the record is common; that one writes it is not.
        let harms = |audience: &Audience| match capability {
            Capability::Write | Capability::ChangeAcl => {
                audience.is_everybody() || audience.strangers().is_some()
            }
            _ => audience.is_everybody(),
        };
        bared.take(verdict, harms, &format!("{capability}, the trail's bucket"));
    }
    bared
}

/// What outsiders can do with the key of a trail, and whether it works at all.
pub(in crate::check) fn key(snapshot: &Snapshot, exposure: &Exposure, key: &Arn) -> Bared {
    let mut bared = Bared::default();
    let region = snapshot
        .accounts
        .get(key.account())
        .and_then(|data| data.regions.value()?.get(key.region()));
    let Some(region) = region else {
        bared.beyond = Some("it belongs to an account or region that the scan does not cover");
        return bared;
    };
    let keys = match region.resources.get("kms.key") {
        Some(Observed::Value(keys)) => keys,
        Some(Observed::Gap(gap)) => {
            bared.missing.push(gap.to_string());
            return bared;
        }
        Some(_) => {
            bared.beyond = Some("it is not among the keys that were listed");
            return bared;
        }
        None => {
            bared
                .missing
                .push("kms:ListKeys was not collected".to_owned());
            return bared;
        }
    };
    let Some(found) = keys.values().find(|found| found.arn == *key) else {
        bared.beyond = Some("it is not among the keys that were listed");
        return bared;
    };
    bared.state(found);
    if let Some(judged) = exposure.resources.get(key) {
        let harms = |audience: &Audience| audience.is_everybody() || audience.strangers().is_some();
        bared.take(&judged.verdict, harms, "use or change the trail's key");
    } else {
        bared
            .missing
            .push(format!("the policy of `{}` was not judged", key.name()));
    }
    bared
}

impl Bared {
    fn take(&mut self, verdict: &Verdict, harms: impl Fn(&Audience) -> bool + Copy, what: &str) {
        match verdict.is(harms) {
            Some(true) => {
                let openings = verdict.proven().iter();
                self.says
                    .extend(
                        openings
                            .filter(|opening| harms(&opening.audience))
                            .map(|opening| {
                                let who = who(&opening.audience);
                                (format!("{who} can {what}"), opening.path.source())
                            }),
                    );
                if self.says.is_empty() {
                    let who = who(&verdict.at_least);
                    self.says.push((format!("{who} can {what}"), String::new()));
                }
            }
            None => self.missing.extend(verdict.gaps.iter().map(Gap::to_string)),
            Some(false) => {}
        }
    }

    /// Source: "Key states of AWS KMS keys", KMS Developer Guide.
    fn state(&mut self, key: &Resource) {
        match key.attributes.get("key_state") {
            Some(Observed::Value(state)) => {
                let Some(state) = state.as_str() else {
                    self.missing
                        .push("the state of the key is no text".to_owned());
                    return;
                };
                if matches!(
                    state,
                    "Disabled" | "PendingDeletion" | "PendingReplicaDeletion"
                ) {
                    let name = key.arn.name();
                    let says = format!("the key `{name}` is `{state}`: CloudTrail cannot write");
                    self.says.push((says, "key_state".to_owned()));
                }
            }
            Some(Observed::Gap(gap)) => self.missing.push(gap.to_string()),
            _ => {}
        }
    }
}

fn who(audience: &Audience) -> String {
    match audience {
        Audience::Public => "anybody".to_owned(),
        Audience::CdnPublic => "anybody, through a distribution,".to_owned(),
        Audience::AuthenticatedAws => "any AWS account".to_owned(),
        other => match other.strangers() {
            Some(accounts) => {
                let names: Vec<&str> = accounts.iter().map(String::as_str).collect();
                format!("the foreign account {}", names.join(", "))
            }
            None => "outsiders".to_owned(),
        },
    }
}
