//! Every tamper action in every account: is the service on, what do SCPs do about it, who could
//! do it today, and would anybody hear it.
//!
//! Accounts with equal answers share one, and equal lists of principals are written once, so that
//! the whole stays readable for hundreds of accounts.

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::{TamperAction, TamperGroup, tamper};
use palisade_model::Arn;
use serde::Serialize;

use super::Security;
use super::coverage::Covered;
use super::hearing::{self, Hearing};
use crate::alarm::protection::Protection;
use crate::alarm::state::{Service, State};

/// All answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tampering {
    /// Lists of principals, to which the answers point.
    pub holders: Vec<Vec<Arn>>,
    /// One row for each action, and for each event without one.
    pub rows: Vec<TamperRow>,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TamperRow {
    /// The tamper group.
    pub group: &'static str,
    /// `service:Name`; empty for events without an action of IAM.
    pub action: &'static str,
    /// The event source.
    pub source: String,
    /// The event name.
    pub event: String,
    /// Whether it belongs to the smallest set worth denying and hearing.
    pub minimum: bool,
    /// The answers, each with the accounts it holds for.
    pub answers: Vec<TamperAnswer>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TamperAnswer {
    /// The accounts.
    pub accounts: Vec<String>,
    /// Whether it counts: the service is in use, the API exists, the account may call it.
    pub counts: bool,
    /// The service's state, where it is worst; empty for groups that are no service.
    pub state: &'static str,
    /// What SCPs do about it, in a word.
    pub scp: &'static str,
    /// Likewise, in a sentence; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scp_says: String,
    /// The statements that deny.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scp_by: Vec<String>,
    /// Principals that the denies let through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exempt: Vec<Arn>,
    /// Who could do it today: a place in the lists; none where nobody could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub could: Option<usize>,
    /// Who could under conditions, or if a gap resolves badly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perhaps: Option<usize>,
    /// What was not read of the principals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// Whether anybody would hear it, in the region that hears least.
    pub alarm: &'static str,
    /// Likewise, in a sentence; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alarm_says: String,
}

/// What accounts must have in common to share an answer.
type Likeness = (
    bool,
    &'static str,
    (&'static str, String, Vec<String>),
    Vec<String>,
    Hearing,
);

/// Who gets the same answer.
#[derive(Default)]
struct Alike {
    accounts: Vec<String>,
    exempt: BTreeSet<Arn>,
    could: BTreeSet<Arn>,
    perhaps: BTreeSet<Arn>,
}

pub(super) fn of(security: &Security<'_>) -> Tampering {
    let known = Known::of(security);
    let mut holders = Holders::default();
    let mut rows = Vec::new();
    let mut place = 0;
    for group in tamper() {
        for row in &group.actions {
            let mut alike: BTreeMap<Likeness, Alike> = BTreeMap::new();
            for (at, account) in security.snapshot().accounts.keys().enumerate() {
                let covered = &security.coverage()[at * known.actions + place];
                known.take(security, (account, group, row), covered, &mut alike);
            }
            place += 1;
            rows.push(TamperRow {
                group: &group.group,
                action: &row.action,
                source: row.event_source(),
                event: row.event_name().to_owned(),
                minimum: row.minimum,
                answers: answers(alike, &mut holders),
            });
        }
        rows.extend(group.events.iter().map(|event| {
            let mut alike: BTreeMap<Likeness, Alike> = BTreeMap::new();
            for account in security.snapshot().accounts.keys() {
                let heard = hearing::worst_sign_in(security, account, event);
                let why = "it is a record, not an action".to_owned();
                let key = (true, "", ("n/a", why, Vec::new()), Vec::new(), heard);
                alike.entry(key).or_default().accounts.push(account.clone());
            }
            TamperRow {
                group: &group.group,
                action: "",
                source: event.source.clone(),
                event: event.event.clone(),
                minimum: event.event == "ConsoleLogin",
                answers: answers(alike, &mut holders),
            }
        }));
    }
    Tampering {
        holders: holders.lists,
        rows,
    }
}

/// What the rows share.
struct Known<'s> {
    actions: usize,
    states: BTreeMap<(&'s str, &'static str), &'static str>,
    could: BTreeMap<(&'s str, &'static str, &'static str), [Vec<&'s Arn>; 2]>,
    unread: BTreeMap<&'s str, Vec<String>>,
}

impl<'s> Known<'s> {
    fn of(security: &'s Security<'_>) -> Self {
        let mut known = Known {
            actions: tamper().iter().map(|group| group.actions.len()).sum(),
            states: BTreeMap::new(),
            could: BTreeMap::new(),
            unread: BTreeMap::new(),
        };
        for cell in &security.matrix().cells {
            let word = if cell.expected {
                cell.state.word()
            } else {
                "not used"
            };
            let key = (cell.account.as_str(), cell.service.as_str());
            let worst = known.states.entry(key).or_insert(word);
            // A place where it is not used says nothing of one where it is.
            let first = *worst == "not used" && word != "not used";
            if first || State::badness(word) > State::badness(worst) {
                *worst = word;
            }
        }
        for could in security.could() {
            for (place, actions) in [&could.may, &could.perhaps].into_iter().enumerate() {
                for action in actions {
                    let key = (could.account.as_str(), could.group, *action);
                    known.could.entry(key).or_default()[place].push(&could.principal);
                }
            }
        }
        for account in security.snapshot().accounts.keys() {
            let (_, missing) = security.alarms.powers.principals(account);
            known.unread.insert(account, missing);
        }
        known
    }

    fn take(
        &self,
        security: &Security<'_>,
        (account, group, row): (&str, &'static TamperGroup, &'static TamperAction),
        covered: &Covered,
        alike: &mut BTreeMap<Likeness, Alike>,
    ) {
        let state = Service::parse(&group.group)
            .and_then(|service| self.states.get(&(account, service.as_str())))
            .copied()
            .unwrap_or_default();
        let (says, by, exempt) = told(&covered.protection);
        let heard = hearing::worst(security, account, group, row);
        let unread = self.unread.get(account).cloned().unwrap_or_default();
        let scp = (covered.protection.word(), says, by);
        let one = alike
            .entry((covered.counts, state, scp, unread, heard))
            .or_default();
        one.accounts.push(account.to_owned());
        one.exempt.extend(exempt.iter().cloned());
        // What only the root user is kept from, only the root user could do.
        if !row.when.is_empty() && covered.counts && !covered.protection.holds() {
            one.could
                .insert(Arn::root(security.snapshot().partition, account));
        }
        let key = (account, group.group.as_str(), row.action.as_str());
        if let Some([may, perhaps]) = self.could.get(&key) {
            one.could.extend(may.iter().copied().cloned());
            one.perhaps.extend(perhaps.iter().copied().cloned());
        }
    }
}

/// A sentence, the statements, and whom they let through.
fn told(protection: &Protection) -> (String, Vec<String>, &[Arn]) {
    match protection {
        Protection::Everybody { by } => (String::new(), by.clone(), &[]),
        Protection::Except {
            by,
            exempt,
            vacant,
            above,
        } => {
            let mut says = Vec::new();
            if !vacant.is_empty() {
                says.push(format!("nobody is called {}", vacant.join(", ")));
            }
            says.extend(above.iter().cloned());
            (says.join("; "), by.clone(), exempt)
        }
        Protection::Bypassable { by, exempt, how } => (how.join("; "), by.clone(), exempt),
        Protection::Conditional { by, unless, .. } => {
            (format!("unless {}", unless.join(" or ")), by.clone(), &[])
        }
        Protection::Partial { by, open } => {
            (format!("open for {}", open.join(", ")), by.clone(), &[])
        }
        Protection::Open { why } | Protection::NotApplicable { why } => {
            (why.clone(), Vec::new(), &[])
        }
        Protection::Unknown { missing } => (missing.join("; "), Vec::new(), &[]),
    }
}

#[derive(Default)]
struct Holders {
    lists: Vec<Vec<Arn>>,
    known: BTreeMap<Vec<Arn>, usize>,
}

impl Holders {
    fn place(&mut self, list: BTreeSet<Arn>) -> Option<usize> {
        if list.is_empty() {
            return None;
        }
        let list = Vec::from_iter(list);
        if let Some(known) = self.known.get(&list) {
            return Some(*known);
        }
        let place = self.lists.len();
        self.lists.push(list.clone());
        self.known.insert(list, place);
        Some(place)
    }
}

fn answers(alike: BTreeMap<Likeness, Alike>, holders: &mut Holders) -> Vec<TamperAnswer> {
    let each = alike.into_iter().map(
        |((counts, state, (scp, scp_says, scp_by), unread, heard), one)| TamperAnswer {
            accounts: one.accounts,
            counts,
            state,
            scp,
            scp_says,
            scp_by,
            exempt: one.exempt.into_iter().collect(),
            could: holders.place(one.could),
            perhaps: holders.place(one.perhaps),
            unread,
            alarm: heard.word,
            alarm_says: heard.says,
        },
    );
    each.collect()
}
