//! The states of all services in all places, as one value for reports.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::{Observed, Snapshot};
use serde::Serialize;

use super::hearsay::hearsay;
use super::{Service, State, delegated_to, delegates_unread, firewall, global, state};

/// The state of every service, account by account and region by region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// The cells, by account, region and service.
    pub cells: Vec<Cell>,
    /// Paid services that nobody expects and nobody uses.
    pub not_in_use: BTreeSet<Service>,
    /// Paid services of which nobody can say whether they are used, each with what was not read.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub use_unknown: BTreeMap<Service, Vec<String>>,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The account's id.
    pub account: String,
    /// The region; empty for services with one state per account.
    pub region: String,
    /// The service.
    pub service: Service,
    /// Its state.
    pub state: State,
    /// Whether off counts against the account.
    pub expected: bool,
}

/// Looks at every service everywhere. `expects` names optional services that should be on
/// although nobody uses them yet.
pub fn matrix(snapshot: &Snapshot, expects: &BTreeSet<Service>) -> Matrix {
    let mut matrix = Matrix::default();
    for (id, account) in &snapshot.accounts {
        let mut push = |region: &str, service, state| {
            matrix.cells.push(Cell {
                account: id.clone(),
                region: region.to_owned(),
                service,
                state,
                expected: true,
            });
        };
        for service in Service::ALL
            .into_iter()
            .filter(|service| service.is_global())
        {
            push("", service, global::state(snapshot, id, account, service));
        }
        match &account.regions {
            Observed::Value(regions) => {
                for name in regions.keys() {
                    for service in Service::ALL.into_iter().filter(|s| !s.is_global()) {
                        push(name, service, state(snapshot, id, name, service));
                    }
                }
            }
            Observed::Gap(gap) => {
                for service in Service::ALL.into_iter().filter(|s| !s.is_global()) {
                    push("", service, State::unknown(gap));
                }
                for (name, service, state) in hearsay(snapshot, id, account, gap) {
                    push(&name, service, state);
                }
            }
            _ => {}
        }
        // Where the list of regions stands in for one that was not read, others may be on.
        if let Some(gap) = &account.regions_gap {
            for service in Service::ALL.into_iter().filter(|s| !s.is_global()) {
                push(OTHERS, service, State::unknown(gap));
            }
        }
    }
    let used = in_use(snapshot, &matrix.cells);
    for cell in &mut matrix.cells {
        let used = used.contains(&cell.service);
        cell.expected = !cell.service.is_optional()
            || expects.contains(&cell.service)
            || matches!(cell.state, State::Unknown { .. }) && cell.region != OTHERS
            || match cell.service {
                // A web ACL belongs to what it protects: having none is no fault by itself.
                Service::Waf => {
                    let idle = || firewall::has_web_acls(snapshot, &cell.account, &cell.region);
                    used && (!matches!(cell.state, State::Off { .. }) || idle())
                }
                _ => used,
            };
    }
    let idle = Service::ALL
        .into_iter()
        .filter(|s| s.is_optional() && !used.contains(s) && !expects.contains(s));
    for service in idle {
        match use_unread(snapshot, &matrix.cells, service) {
            unread if unread.is_empty() => drop(matrix.not_in_use.insert(service)),
            unread => drop(matrix.use_unknown.insert(service, unread)),
        }
    }
    matrix.cells.sort_by(|a, b| {
        (&a.account, &a.region, a.service).cmp(&(&b.account, &b.region, b.service))
    });
    matrix
}

/// Stands for regions that nobody could list.
const OTHERS: &str = "other regions";

/// What was not read and could show that a service is used after all. The regions that could not
/// be listed count for every service alike and are told apart.
fn use_unread(snapshot: &Snapshot, cells: &[Cell], service: Service) -> Vec<String> {
    let own = cells
        .iter()
        .filter(|cell| cell.service == service && cell.region != OTHERS);
    let mut unread: BTreeSet<String> = own
        .filter_map(|cell| match &cell.state {
            State::Unknown { missing } => Some(missing.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    if service.principal().is_some() {
        unread.extend(delegates_unread(snapshot).map(ToString::to_string));
    }
    unread.into_iter().collect()
}

/// Optional services that some account has, or that the organization has handed to an
/// administrator.
fn in_use(snapshot: &Snapshot, cells: &[Cell]) -> BTreeSet<Service> {
    let running = cells.iter().filter(|cell| {
        matches!(
            cell.state,
            State::On | State::HalfOn { .. } | State::OnUnread { .. } | State::Suspended { .. }
        )
    });
    let mut used: BTreeSet<Service> = running.map(|cell| cell.service).collect();
    used.extend(
        Service::ALL
            .into_iter()
            .filter(|s| delegated_to(snapshot, *s).is_some()),
    );
    used
}

/// Accounts and regions in which every service is in the same state, for the same reasons: one
/// row of a table that stays readable for hundreds of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The states, by service, as words.
    pub states: BTreeMap<Service, &'static str>,
    /// What is missing, what was seen, or what was not read, by service.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub says: BTreeMap<Service, Vec<String>>,
    /// The regions by account; an empty region stands for services with one state per account.
    pub places: BTreeMap<String, Vec<String>>,
}

impl Matrix {
    /// The matrix with like places in one row: those with the worst states first, then the
    /// larger rows. Regions and whole accounts stand in rows of their own.
    pub fn rows(&self) -> Vec<Row> {
        let mut places: BTreeMap<(&str, &str), Row> = BTreeMap::new();
        for cell in &self.cells {
            let row = places.entry((&cell.account, &cell.region)).or_default();
            let word = match cell.expected {
                true => cell.state.word(),
                false => "not used",
            };
            row.states.insert(cell.service, word);
            let says = cell.state.says();
            if cell.expected && !says.is_empty() {
                row.says.insert(cell.service, says);
            }
        }
        let each = places.into_iter().map(|((account, region), mut row)| {
            row.places
                .insert(account.to_owned(), vec![region.to_owned()]);
            row
        });
        Row::joined(each, |row| (row.states.clone(), row.says.clone()))
    }
}

impl Row {
    /// Rows with the same states in one, whatever the reasons are.
    pub fn by_states(rows: &[Row]) -> Vec<Row> {
        let bare = rows.iter().cloned().map(|row| Row {
            says: BTreeMap::new(),
            ..row
        });
        Row::joined(bare, |row| row.states.clone())
    }

    fn joined<K: Ord>(rows: impl Iterator<Item = Row>, like: impl Fn(&Row) -> K) -> Vec<Row> {
        let mut joined: BTreeMap<K, Row> = BTreeMap::new();
        for row in rows {
            let key = like(&row);
            match joined.get_mut(&key) {
                Some(same) => {
                    for (account, regions) in row.places {
                        same.places.entry(account).or_default().extend(regions);
                    }
                }
                None => drop(joined.insert(key, row)),
            }
        }
        let mut rows = Vec::from_iter(joined.into_values());
        for regions in rows.iter_mut().flat_map(|row| row.places.values_mut()) {
            regions.sort();
        }
        rows.sort_by_key(|row| std::cmp::Reverse((row.badness(), row.places.len())));
        rows
    }

    fn badness(&self) -> usize {
        self.states.values().map(|word| State::badness(word)).sum()
    }
}
