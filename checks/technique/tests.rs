//! The catalogue loads, and refuses what it should.

use super::*;

const GOOD: &str = "
id: iam.sample
name: a sample
category: new-passrole
status: active
origin: new
requires:
  - lambda:CreateFunction on function:$new
  - iam:PassRole on role:$target with iam:PassedToService=lambda.amazonaws.com
any_of:
  - group: trigger
    options:
      - id: invoke
        requires: ['lambda:InvokeFunction on function:$new']
preconditions: ['trusts(role:$target, service:lambda.amazonaws.com)']
yields: { edge: $self -> role:$target, kind: code-exec, gain: target, reach: the role }
speed: immediate
stealth: medium
mitre: [T1548.005]
collect: ['@iam']
cut-first: iam:PassRole
proof: { fires: [generated], silent: [generated], unknown: [generated] }
";

fn read(text: &str) -> Result<Technique, crate::CatalogueError> {
    let collectors = [("@iam".to_owned(), vec!["iam:ListUsers".to_owned()])].into();
    read::technique("techniques/iam/sample.yaml", text, &collectors, &[])
}

#[test]
fn every_technique_loads() {
    let techniques = load_techniques().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(techniques.len(), 218);
    let unread = techniques.iter().filter(|known| known.unread.is_some());
    assert!(unread.count() <= 20);
    let ids: std::collections::BTreeSet<_> = techniques.iter().map(|known| &known.id).collect();
    assert_eq!(ids.len(), techniques.len());
}

#[test]
fn services_that_are_fully_read_hold_no_unread_technique() {
    const READ: [&str; 19] = [
        "apprunner",
        "bedrock",
        "bedrock-agentcore",
        "cloudformation",
        "codebuild",
        "cognito",
        "ec2",
        "ecs",
        "glue",
        "iam",
        "lambda",
        "org",
        "s3",
        "sagemaker",
        "secretsmanager",
        "ssm",
        "sts",
        "root",
        "autoscaling",
    ];
    for technique in load_techniques().unwrap_or_else(|error| panic!("{error}")) {
        if READ.contains(&technique.service.as_str()) {
            assert_eq!(technique.unread, None, "{}", technique.id);
        }
    }
}

#[test]
fn every_chain_is_made_of_techniques() {
    assert!(chains().unwrap_or_else(|error| panic!("{error}")).len() >= 6);
}

#[test]
fn a_technique_reads_as_it_is_written() {
    let technique = read(GOOD).expect("it says nothing wrong");
    assert_eq!(technique.service, "iam");
    assert_eq!(technique.collect, ["iam:ListUsers"]);
    assert_eq!(
        technique.requires[0].on.selector,
        Selector::New("new".to_owned())
    );
    assert_eq!(technique.requires[1].on.selector, Selector::Target);
    assert_eq!(
        technique.yields.to,
        Goal::Resource(technique.requires[1].on.clone())
    );
}

#[test]
fn every_fault_is_named() {
    for (from, to, fault) in [
        (
            "lambda:CreateFunction",
            "lambda:CreateFunctions",
            "unknown action",
        ),
        (
            "lambda:CreateFunction",
            "lambda:createfunction",
            "must spell",
        ),
        ("function:$new", "functions:$new", "unknown kind"),
        (
            "CreateFunction on function:$new",
            "CreateFunction on role:$new",
            "no resource of it",
        ),
        (
            "iam:PassedToService",
            "iam:PassedToServices",
            "unknown condition key",
        ),
        (
            " with iam:PassedToService=lambda.amazonaws.com",
            "",
            "to which service",
        ),
        ("trusts(role:$target", "trust(role:$target", "no predicate"),
        (
            "trusts(role:$target",
            "trusts(function:$target",
            "`role` can answer",
        ),
        (
            "service:lambda.amazonaws.com)",
            "service:lambda.amazonaws.com",
            "not closed",
        ),
        ("T1548.005", "T1548.5", "MITRE"),
        ("fires: [generated]", "fires: []", "proof.fires"),
        ("unknown: [generated]", "unknown: []", "proof.unknown"),
        ("id: invoke", "id: no", "truth value"),
        ("id: iam.sample", "id: iam.simple", "path asks for"),
        ("'@iam'", "'@aws'", "no collector"),
        (
            "cut-first: iam:PassRole",
            "cut-first: iam:CreateRole",
            "does not require",
        ),
        ("gain: target", "gain: much", "has the gain"),
        ("role:$target, kind", "role:$other, kind", "nothing binds"),
        (
            "mitre: ",
            "refs: { nowhere: ['1'] }\nmitre: ",
            "unknown source",
        ),
        ("reach: the role", "reach: ''", "`reach`"),
    ] {
        let broken = GOOD.replacen(from, to, 1);
        assert_ne!(broken, GOOD, "{from}");
        let error = read(&broken).expect_err(fault).to_string();
        assert!(error.contains(fault), "{fault}: {error}");
    }
}

#[test]
fn an_unread_technique_needs_a_reason_and_one_proof() {
    let unread = GOOD.replace(
        "proof: { fires: [generated], silent: [generated], unknown: [generated] }",
        "unread: nobody lists it\nproof: { fires: [], silent: [], unknown: [generated] }",
    );
    assert!(read(&unread).is_ok());
    assert!(read(&unread.replace("nobody lists it", "''")).is_err());
}

#[test]
fn a_retired_technique_needs_no_proof() {
    let retired = GOOD.replace("active", "retired").replace(
        "proof: { fires: [generated], silent: [generated], unknown: [generated] }",
        "",
    );
    assert!(read(&retired).is_ok());
}

#[test]
fn a_condition_key_and_a_list_survive_commas() {
    let predicate = parse::predicate(
        "trusts(role:$target, account:$ext, lacking [sts:ExternalId, aws:PrincipalOrgID])",
    );
    let Ok(Predicate::Trusts(_, Trusted::Account(_), keys)) = predicate else {
        panic!("{predicate:?}");
    };
    assert_eq!(keys, ["sts:ExternalId", "aws:PrincipalOrgID"]);
}

#[test]
fn what_is_written_reads_back_the_same() {
    for technique in load_techniques().unwrap_or_else(|error| panic!("{error}")) {
        for predicate in technique.all_predicates() {
            let again = parse::predicate(&predicate.to_string());
            assert_eq!(again.as_ref(), Ok(predicate), "{}", technique.id);
        }
        for required in technique.all_requirements() {
            let again = parse::requirement(&required.to_string());
            assert_eq!(again.as_ref(), Ok(required), "{}", technique.id);
        }
    }
}
