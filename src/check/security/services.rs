//! Checks that ask whether a service is on, cell by cell of the matrix.

use crate::alarm::state::{Cell, Service, State, Weakness};
use crate::check::{Estate, Evidence, Findings, Outcome};

/// Fails where the service is off or paused.
pub(in crate::check) fn off(estate: &Estate<'_>, found: &mut Findings<'_>, service: Service) {
    for cell in cells(estate, service) {
        let outcome = match &cell.state {
            _ if !cell.expected => unused(),
            State::Off { what } => fail([format!("{service} is off: {what}")]),
            State::Suspended { what } => fail([format!("{service} is paused: {what}")]),
            State::On | State::HalfOn { .. } | State::OnUnread { .. } => Outcome::Pass,
            other => undecided(other),
        };
        found.at(&cell.account, &cell.region, &cell.account, outcome);
    }
}

/// Fails where the service is on and one of these is missing; with no kinds, where anything is.
pub(in crate::check) fn half_on(
    estate: &Estate<'_>,
    found: &mut Findings<'_>,
    service: Service,
    kinds: &[&str],
) {
    let asked = |weakness: &&Weakness| kinds.is_empty() || kinds.contains(&weakness.kind);
    for cell in cells(estate, service) {
        let outcome = match &cell.state {
            _ if !cell.expected => unused(),
            State::HalfOn { what, .. } if what.iter().any(|one| asked(&one)) => {
                let asked = what.iter().filter(asked);
                fail(asked.map(|weakness| weakness.says.clone()))
            }
            State::On | State::HalfOn { .. } | State::OnUnread { .. } => {
                match cell.state.unread_of(kinds) {
                    missing if missing.is_empty() => Outcome::Pass,
                    missing => Outcome::Unknown { missing },
                }
            }
            State::Off { .. } | State::Suspended { .. } => Outcome::NotApplicable {
                why: format!("{service} is off"),
            },
            other => undecided(other),
        };
        found.at(&cell.account, &cell.region, &cell.account, outcome);
    }
}

fn cells<'e>(estate: &'e Estate<'_>, service: Service) -> impl Iterator<Item = &'e Cell> {
    let cells = &estate.security.matrix().cells;
    cells.iter().filter(move |cell| cell.service == service)
}

fn fail(says: impl IntoIterator<Item = String>) -> Outcome {
    Outcome::Fail {
        evidence: says.into_iter().map(Evidence::from).collect(),
    }
}

fn unused() -> Outcome {
    Outcome::NotApplicable {
        why: "not in use, and nobody expects it".to_owned(),
    }
}

fn undecided(state: &State) -> Outcome {
    match state {
        State::NotApplicable { why } => Outcome::NotApplicable { why: why.clone() },
        State::Unknown { missing } => Outcome::Unknown {
            missing: missing.clone(),
        },
        _ => Outcome::Pass,
    }
}
