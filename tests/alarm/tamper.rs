//! The tamper actions: whole, known to AWS, and agreeing with what events the alarm room expects.

use palisade_checks::{Caller, tamper};

#[test]
fn every_group_is_whole() {
    let groups = tamper();
    assert_eq!(groups.len(), 14);
    let actions: usize = groups.iter().map(|group| group.actions.len()).sum();
    assert_eq!(
        actions, 257,
        "fifteen actions of the minimum and 242 that do the same"
    );
    for group in groups {
        let minimum = group.actions.iter().take_while(|row| row.minimum).count();
        let all = group.actions.iter().filter(|row| row.minimum).count();
        assert!(
            minimum == all || group.group == "organizations",
            "{}",
            group.group
        );
    }
}

#[test]
fn misprints_point_at_real_events() {
    let groups = tamper();
    let events: Vec<(String, &str)> = groups
        .iter()
        .flat_map(|group| &group.actions)
        .map(|row| (row.event_source(), row.event_name()))
        .chain(
            groups
                .iter()
                .flat_map(|group| &group.events)
                .map(|row| (row.source.clone(), row.event.as_str())),
        )
        .collect();
    for printed in groups.iter().flat_map(|group| &group.printed) {
        let real = (printed.is_source.clone(), printed.is_event.as_str());
        assert!(
            events.contains(&real),
            "{real:?} is no event of a tamper action"
        );
    }
    assert_eq!(groups.iter().flat_map(|group| &group.printed).count(), 12);
}

#[test]
fn calls_of_the_management_account_are_marked() {
    let marked = tamper()
        .iter()
        .flat_map(|group| &group.actions)
        .filter(|row| row.caller == Caller::Management)
        .count();
    assert!(marked >= 20, "{marked}");
}

#[test]
fn the_page_on_security_services_names_what_is_there() {
    let page = include_str!("../../docs/security-services.md");
    let rows = tamper()
        .iter()
        .filter(|group| group.group != "root")
        .flat_map(|g| &g.printed);
    for row in rows {
        let printed = format!("`{}` `{}`", row.source, row.event);
        assert!(page.contains(&printed), "{printed}");
        assert!(
            page.contains(&format!("`{}`", row.is_event)),
            "{}",
            row.is_event
        );
    }
    for check in palisade_checks::checks() {
        let folders = [
            "cloudtrail",
            "guardduty",
            "config",
            "shield",
            "macie",
            "fms",
            "inspector",
        ];
        if folders
            .iter()
            .any(|folder| check.id == format!("{folder}-off"))
        {
            assert!(page.contains(&format!("`{}`", check.id)), "{}", check.id);
        }
    }
    for name in page
        .split('`')
        .filter(|word| word.starts_with("security-") || word.starts_with("scp-"))
    {
        if palisade_checks::check(name).is_none() && !name.contains(".md") {
            assert!(
                palisade_mocks::World::load(name).is_ok(),
                "`{name}` is no world"
            );
        }
    }
}

#[test]
fn the_page_of_statements_names_what_is_there() {
    let page = include_str!("../../docs/statements.md");
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| what is said"));
    assert_eq!(rows.clone().count(), 103, "a statement is missing");
    let techniques = palisade_checks::techniques().expect("the techniques load");
    for row in rows {
        for name in row.split('`').skip(1).step_by(2) {
            let known = palisade_checks::check(name).is_some()
                || techniques.iter().any(|technique| technique.id == name)
                || palisade_mocks::World::load(name).is_ok()
                || palisade_model::actions().find(name).is_some()
                || name.starts_with("palisade ")
                || [
                    "tampering",
                    "subscription",
                    "service-problem",
                    "service.way",
                ]
                .contains(&name);
            assert!(known, "`{name}` is nothing: {row}");
        }
    }
}
