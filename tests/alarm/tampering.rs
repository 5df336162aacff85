//! Every tamper action of every account is answered, and the answers stay readable however many
//! accounts there are.

use std::collections::BTreeSet;

use palisade::alarm::state::Service;
use palisade::check::Outcome;
use palisade::report::{Report, table};
use palisade::{Selection, analyse};
use palisade_checks::tamper;
use palisade_mocks::World;
use palisade_model::{Account, Snapshot};

const MEMBER: &str = "533333333303";

fn world(name: &str) -> Snapshot {
    World::load(name)
        .expect("the world loads")
        .snapshot()
        .clone()
}

#[test]
fn every_action_of_every_account_has_state_guardrail_holders_and_alarm() {
    for name in [
        "security-dark",
        "security-lit",
        "security-half",
        "security-unread",
        "scp-bypass",
    ] {
        let snapshot = world(name);
        let analysis = analyse(&snapshot, &Selection::default());
        let rows = &analysis.tampering.rows;
        let actions: usize = tamper().iter().map(|group| group.actions.len()).sum();
        let events: usize = tamper().iter().map(|group| group.events.len()).sum();
        assert_eq!(rows.len(), actions + events, "{name}");
        let all: BTreeSet<&String> = snapshot.accounts.keys().collect();
        for row in rows {
            let answered: Vec<&String> = row.answers.iter().flat_map(|a| &a.accounts).collect();
            assert_eq!(answered.len(), all.len(), "{name} {}", row.action);
            assert_eq!(
                answered.into_iter().collect::<BTreeSet<_>>(),
                all,
                "{name} {}",
                row.action
            );
            for answer in &row.answers {
                assert!(
                    !answer.scp.is_empty() && !answer.alarm.is_empty(),
                    "{name} {row:?}"
                );
                let service = Service::parse(row.group).is_some() && !row.action.is_empty();
                assert_eq!(service, !answer.state.is_empty(), "{name} {row:?}");
                for place in [answer.could, answer.perhaps].into_iter().flatten() {
                    assert!(analysis.tampering.holders.get(place).is_some());
                }
            }
        }
    }
}

#[test]
fn the_answers_are_those_of_the_world() {
    let answer = |name: &str, action: &str| {
        let analysis = analyse(&world(name), &Selection::default());
        let rows = analysis.tampering.rows;
        let row = rows
            .into_iter()
            .find(|row| row.action == action)
            .expect("the row");
        let own = |answer: &palisade::check::security::tampering::TamperAnswer| {
            answer.accounts.iter().any(|id| id == MEMBER)
        };
        let answer = row.answers.into_iter().find(own).expect("the account");
        let holders = answer
            .could
            .map(|place| analysis.tampering.holders[place].clone());
        (
            answer.state,
            answer.scp,
            holders.map_or(0, |list| list.len()),
            answer.alarm,
        )
    };
    assert_eq!(
        answer("security-dark", "guardduty:DeleteDetector"),
        ("off", "open", 1, "not alarmed")
    );
    assert_eq!(
        answer("security-lit", "guardduty:DeleteDetector"),
        ("on", "denied", 0, "alarmed")
    );
    assert_eq!(
        answer("security-lit", "guardduty:UpdateDetector"),
        ("on", "denied", 0, "not alarmed")
    );
    assert_eq!(
        answer("security-unread", "cloudtrail:StopLogging").3,
        "unknown"
    );
    assert_eq!(
        answer("security-lit", "organizations:DetachPolicy").1,
        "n/a"
    );
}

#[test]
fn what_only_an_administrator_can_call_is_asked_of_its_account_alone() {
    let analysis = analyse(&world("security-delegated"), &Selection::default());
    let rows = analysis.tampering.rows.iter();
    let mut rows = rows.filter(|row| row.action == "guardduty:StopMonitoringMembers");
    let row = rows.next().expect("the row");
    for answer in &row.answers {
        let administrator = answer.accounts == ["522222222202"];
        let found = (answer.counts, answer.scp, answer.alarm);
        let expected = match administrator {
            true => (true, "denied", "alarmed"),
            false => (false, "n/a", "n/a"),
        };
        // The management account may call for the organization, and is heard.
        if answer.accounts != ["511111111101"] {
            assert_eq!(found, expected, "{:?}", answer.accounts);
        }
    }
    assert!(
        row.answers
            .iter()
            .any(|answer| answer.accounts == ["522222222202"])
    );
}

/// The organization with everything on and so many members more, each in so many regions.
fn many(accounts: usize, regions: &[&str]) -> Snapshot {
    let mut snapshot = world("security-half");
    let member = snapshot.accounts[MEMBER].clone();
    let organization = snapshot.organization.value_mut().expect("an organization");
    let listed = organization.accounts.value_mut().expect("accounts");
    for number in 0..accounts {
        let id = format!("{:012}", 600_000_000_000 + number);
        listed.insert(id.clone(), listed[MEMBER].clone());
        let text = serde_json::to_string(&member).expect("it serialises");
        let mut copy: Account =
            serde_json::from_str(&text.replace(MEMBER, &id)).expect("it reads back");
        let known = copy.regions.value_mut().expect("regions");
        let first = known.values().next().expect("a region").clone();
        for region in regions {
            known.insert((*region).to_owned(), first.clone());
        }
        snapshot.accounts.insert(id, copy);
    }
    snapshot
}

#[test]
fn five_hundred_accounts_fit_a_screen_of_eighty_columns() {
    for accounts in [2, 500] {
        let snapshot = many(accounts, &["eu-west-1", "sa-east-1"]);
        let analysis = analyse(&snapshot, &Selection::default());
        let most = analysis
            .tampering
            .rows
            .iter()
            .map(|row| row.answers.len())
            .max();
        assert!(most <= Some(4), "like accounts share an answer: {most:?}");
        let report = Report::new("test", &snapshot, analysis);
        let style = table::Style {
            width: 80,
            color: false,
            least: None,
        };
        let text = table::render(&report, style);
        let from = text.find("Security services").expect("the matrix");
        let to = text.find("Unknown (").or_else(|| text.find(" findings ("));
        let part = &text[from..to.expect("the end")];
        let part = &part[..part.rfind('\n').expect("whole lines")];
        assert!(part.lines().count() < 70, "{part}");
        for line in part.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn paid_services_fail_where_the_configuration_expects_them() {
    let snapshot = world("security-lit");
    let failing = |selection: &Selection| {
        let answers = analyse(&snapshot, selection).answers;
        let fails = answers
            .into_iter()
            .filter(|a| matches!(a.outcome, Outcome::Fail { .. }));
        fails
            .map(|answer| answer.check)
            .collect::<BTreeSet<String>>()
    };
    let by_itself = failing(&Selection::default());
    let paid = [
        (Service::Macie, "macie-off"),
        (Service::Waf, "waf-off"),
        (Service::Shield, "shield-off"),
        (Service::Fms, "fms-off"),
    ];
    for (service, check) in paid {
        assert!(!by_itself.contains(check), "{by_itself:?}");
        let expecting = Selection::default().expecting([service]);
        let found = failing(&expecting);
        assert!(found.contains(check), "{service}: {found:?}");
        for (_, other) in paid.iter().filter(|(_, other)| *other != check) {
            assert!(!found.contains(*other), "{service}: {found:?}");
        }
    }
}
