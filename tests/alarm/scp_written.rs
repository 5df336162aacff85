//! The SCPs that Palisade writes for a world: they fit, and close what was open.

use std::collections::BTreeSet;

use palisade::fix::scp;
use palisade::policy::Document;
use palisade_model::{Observed, PolicyText};

use super::estate::{MEMBER, world};

#[test]
fn the_scps_it_writes_fit_and_close_everything() {
    let snapshot = world("security-dark");
    let written = scp::write(&snapshot, &[], &BTreeSet::new()).expect("there is an organization");
    assert!(!written.documents.is_empty());
    for document in &written.documents {
        assert!(
            document.json.len() <= scp::limits().document_characters,
            "{}",
            document.json.len()
        );
        let parsed = Document::parse(&document.json).expect("it is a policy");
        for statement in &parsed.statements {
            for action in statement.actions.iter().flatten() {
                let covered = palisade_model::actions().matching(action);
                assert!(!covered.is_empty(), "`{action}` is nothing");
                for one in covered {
                    let name = one.full_name();
                    let tamper = palisade_checks::tamper().iter().flat_map(|g| &g.actions);
                    assert!(
                        tamper.clone().any(|row| row.action == name),
                        "`{action}` overreaches to `{name}`"
                    );
                }
            }
        }
    }
    assert_eq!(written.still_open, Vec::<String>::new());
    assert!(written.closed > 100, "{}", written.closed);
    assert_eq!(written.problems, Vec::<String>::new());
    assert_eq!(written.attach_to.len(), 1);
    assert!(
        written
            .blocked
            .iter()
            .any(|b| b.principal.name() == "someone"),
        "{written:?}"
    );
    assert!(
        written.left_out.contains_key("organizations:DetachPolicy") || written.left_out.len() > 20
    );
}

#[test]
fn the_exempted_are_let_through_and_nobody_else_can_become_them() {
    let mut snapshot = world("security-dark");
    let role = format!("arn:aws:iam::{MEMBER}:role/security/keeper");
    let account = snapshot.accounts.get_mut(MEMBER).expect("the member");
    let keeper = palisade_model::Role {
        arn: role.as_str().into(),
        trust: PolicyText::new(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::511111111101:role/pipeline"},"Action":"sts:AssumeRole"}]}"#,
        ),
        ..palisade_model::Role::default()
    };
    account.iam.roles = Observed::Value([("keeper".to_owned(), keeper)].into());
    let written = scp::write(&snapshot, std::slice::from_ref(&role), &BTreeSet::new())
        .expect("there is an organization");
    assert_eq!(written.still_open, Vec::<String>::new());
    assert!(written.documents.iter().all(|d| d.json.contains(&role)));
    assert!(written.cli().contains("attach-policy"));
    assert!(
        written
            .terraform()
            .contains("aws_organizations_policy_attachment")
    );
    assert!(
        scp::write(
            &snapshot,
            &["arn:aws:iam::*:role/x*".to_owned()],
            &BTreeSet::new()
        )
        .is_err()
    );
}

#[test]
fn nothing_is_written_where_nothing_is_open() {
    let written = scp::write(&world("security-lit"), &[], &BTreeSet::new())
        .expect("there is an organization");
    assert_eq!(written.documents, Vec::new(), "{:?}", written.still_open);
    assert!(scp::write(&world("borrowed-pipeline"), &[], &BTreeSet::new()).is_err());
}

#[test]
fn what_could_not_be_judged_is_in_the_way() {
    let none = BTreeSet::new();
    let whole = world("security-lit");
    let written = scp::write(&whole, &[], &none).expect("there is an organization");
    assert_eq!(written.problems, Vec::<String>::new());
    let mut unread = whole;
    super::estate::organization(&mut unread).attachments =
        Observed::denied("organizations:ListPoliciesForTarget");
    let written = scp::write(&unread, &[], &none).expect("there is an organization");
    assert!(written.documents.is_empty());
    let problems = written.problems.join("\n");
    assert!(problems.contains("ListPoliciesForTarget"), "{problems}");
    assert!(problems.contains("could not be judged"), "{problems}");
}
