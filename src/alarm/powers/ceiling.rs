//! What the organization above an account makes of it: whether SCPs bind it, and what they and
//! RCPs say to somebody whom everything else allows.

use std::sync::Arc as Shared;

use palisade_model::{Arn, Observed, RegionState};

use super::{Powers, lock};
use crate::policy::{Attached, Context, Decision, Layers, decide};

/// Whether SCPs bind an account. Whether they were read is for the engine's decisions to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// They bind it, or may.
    Bound,
    /// There is no organization above it, and why not.
    Outside(&'static str),
    /// The organization uses no SCPs.
    Off(&'static str),
    /// The organization's management account: no SCP binds it.
    Management,
}

/// Where to ask whether an account may do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The regions; none where they were not read.
    pub known: Option<Vec<String>>,
    /// Why there may be more.
    pub unread: Option<String>,
}

/// What the SCPs and RCPs above an account look at.
#[derive(Clone, Debug, Default)]
pub(in crate::alarm) struct Mentions {
    /// Whether they ask for the region of a call, or name things of one region.
    pub(in crate::alarm) regions: bool,
}

impl Powers<'_> {
    /// Whether SCPs bind an account.
    ///
    /// Source: "Service control policies (SCPs)", AWS Organizations User Guide: they need all
    /// features, and never bind the management account.
    pub fn ceiling(&self, account: &str) -> Ceiling {
        let organization = match &self.snapshot.organization {
            Observed::Value(organization) => organization,
            Observed::Gap(_) => return Ceiling::Bound,
            _ => return Ceiling::Outside("the account is in no organization"),
        };
        if organization.management_account == account {
            return Ceiling::Management;
        }
        if let Observed::Value(accounts) = &organization.accounts
            && !accounts.contains_key(account)
        {
            return Ceiling::Outside("the account is not in the organization that was read");
        }
        if organization.feature_set == "CONSOLIDATED_BILLING" {
            return Ceiling::Off("the organization has consolidated billing only");
        }
        let root = Arn::root(self.snapshot.partition, account);
        match self.engine.standing(root.as_str()).scps {
            Some(_) => Ceiling::Bound,
            None => Ceiling::Off("SCPs are switched off for the organization"),
        }
    }

    /// What the SCPs above an account and the RCPs above its own resources look at.
    pub(in crate::alarm) fn mentions(&self, account: &str) -> Shared<Mentions> {
        if let Some(known) = lock(&self.mentions).get(account) {
            return Shared::clone(known);
        }
        let root = Arn::root(self.snapshot.partition, account);
        // Any resource of the account leads to its RCPs.
        let resource = (
            root.as_str(),
            (&[][..], None),
            ("sts:AssumeRole", root.as_str()),
        );
        let context = Context::open();
        let found =
            self.engine
                .suppose(resource.0, resource.1, resource.2, &context, |_, layers| {
                    let mut found = Mentions::default();
                    let levels = layers.scps.into_iter().flatten().chain(layers.rcps);
                    levels.flatten().for_each(|attached| found.read(attached));
                    found
                });
        let found = Shared::new(found);
        lock(&self.mentions).insert(account.to_owned(), Shared::clone(&found));
        found
    }

    /// The regions in which to ask whether an account may do something: one stands for all where
    /// no SCP asks for the region. Regions that the scan left out count: an attacker may pick
    /// them.
    pub fn regions(&self, account: &str, global: bool) -> Asked {
        let home = self.snapshot.partition.home_region().to_owned();
        let at_home = Asked {
            known: Some(vec![home]),
            unread: None,
        };
        if global || !self.mentions(account).regions {
            return at_home;
        }
        let Some(data) = self.snapshot.accounts.get(account) else {
            return at_home;
        };
        match &data.regions {
            Observed::Value(regions) => {
                let on = regions
                    .iter()
                    .filter(|(_, region)| region.state != RegionState::Off);
                Asked {
                    known: Some(on.map(|(name, _)| name.clone()).collect()),
                    unread: data.regions_gap.as_ref().map(ToString::to_string),
                }
            }
            Observed::Gap(gap) => Asked {
                known: None,
                unread: Some(gap.to_string()),
            },
            _ => at_home,
        }
    }

    /// What the ceilings alone say to `who`, whom every other policy allows everything, and the
    /// statement that settles it.
    pub(in crate::alarm) fn ceiling_decides(
        &self,
        who: &Arn,
        action: &str,
        resource: &str,
        context: &Context,
    ) -> (Decision, Option<String>) {
        let [holder, open] = &self.everything;
        let identity = std::slice::from_ref(holder);
        self.engine.suppose(
            who.as_str(),
            (identity, None),
            (action, resource),
            context,
            |request, layers| {
                let layers = Layers {
                    resource: Some(std::slice::from_ref(open)),
                    restrict_public_buckets: false.into(),
                    ..*layers
                };
                let decision = decide(request, &layers);
                let cited = cited(&decision, &layers);
                (decision, cited)
            },
        )
    }
}

/// The statement that refuses, or the layer that does not allow.
fn cited(decision: &Decision, layers: &Layers<'_>) -> Option<String> {
    let refusal = match decision {
        Decision::Denied(refusal) => refusal,
        Decision::Conditional(conditional) => &conditional.refusal,
        _ => return None,
    };
    let Some(cite) = refusal.statement else {
        return Some(format!("nothing in the {} allows it", refusal.layer));
    };
    let attached = layers.cited(cite)?;
    let statement = attached.policy.statement(cite.statement);
    let label = statement
        .map(|statement| statement.label())
        .unwrap_or_default();
    Some(format!("{label} of {}", attached.name))
}

impl Mentions {
    fn read(&mut self, attached: &Attached) {
        let Some(document) = attached.policy.document() else {
            return;
        };
        let text = document.text.to_ascii_lowercase();
        let in_a_region = |arn: &String| {
            let region = arn.split(':').nth(3).unwrap_or_default();
            !region.is_empty() && region != "*"
        };
        let named = document.statements.iter().any(|statement| {
            let lists = [&statement.resources, &statement.not_resources];
            lists.into_iter().flatten().flatten().any(in_a_region)
        });
        self.regions |= named || text.contains("aws:requestedregion");
    }
}
