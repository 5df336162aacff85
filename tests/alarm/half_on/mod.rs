//! Every half-on state by itself: one flip of a whole organization shows it, the organization
//! without the flip does not, and the same fact unread is unknown.

mod central;
mod flips;
mod states;

use palisade::alarm::state::{Service, State, state};
use palisade_model::{FirewallManager, Observed, Resource, Snapshot};
use serde_json::json;

use super::estate::{HOME, MEMBER, SECURITY, account};
use flips::{archive, beside, lit, macie, shield, web_acl};
use states::{HALVES, UNREAD};

#[test]
fn each_half_on_state_shows_by_itself() {
    for (service, kind, flip) in HALVES {
        let mut snapshot = lit();
        flip(&mut snapshot);
        match state(&snapshot, MEMBER, HOME, *service) {
            State::HalfOn { what, .. } => {
                let kinds: Vec<&str> = what.iter().map(|w| w.kind).collect();
                assert!(kinds.contains(kind), "{service} {kind}: {kinds:?}");
            }
            other => panic!("{service} {kind}: {other:?}"),
        }
    }
}

#[test]
fn without_the_flip_nothing_is_missing() {
    for (service, kind, _) in HALVES {
        let found = state(&lit(), MEMBER, HOME, *service);
        let unused = service.is_optional() && matches!(found, State::Off { .. });
        assert!(found == State::On || unused, "{service} {kind}: {found:?}");
    }
}

#[test]
fn whole_paid_services_are_on() {
    let mut snapshot = lit();
    macie(&mut snapshot, "ENABLED");
    shield(&mut snapshot, true, 3);
    web_acl(&mut snapshot, json!(true));
    account(&mut snapshot, MEMBER).firewall_manager = Observed::Value(FirewallManager {
        administrator: SECURITY.to_owned(),
        status: "READY".to_owned(),
        policies: Observed::Absent,
    });
    for service in [Service::Macie, Service::Shield, Service::Waf, Service::Fms] {
        assert_eq!(
            state(&snapshot, MEMBER, HOME, service),
            State::On,
            "{service}"
        );
    }
}

#[test]
fn an_unread_fact_is_unknown_for_its_service_and_no_other() {
    for (service, flip) in UNREAD {
        let mut snapshot = lit();
        flip(&mut snapshot);
        let found = state(&snapshot, MEMBER, HOME, *service);
        assert!(
            matches!(found, State::Unknown { .. } | State::OnUnread { .. }),
            "{service}: {found:?}"
        );
        for other in Service::ALL.into_iter().filter(|other| other != service) {
            let found = state(&snapshot, MEMBER, HOME, other);
            let fine = found == State::On || other.is_optional();
            assert!(fine, "{service} unread, {other}: {found:?}");
        }
        let elsewhere = state(&snapshot, SECURITY, HOME, *service);
        assert!(
            !matches!(elsewhere, State::Unknown { .. } | State::OnUnread { .. }),
            "{service}: {elsewhere:?}"
        );
    }
}

#[test]
fn an_archive_rule_for_one_thing_is_somebodys_decision() {
    for filter in [
        json!({"resource": {"eq": ["arn:aws:s3:::public-site"]}}),
        json!({"principal.AWS": {"eq": ["111122223333"]}, "resourceType": {"eq": ["AWS::S3::Bucket"]}}),
        json!({"condition.aws:PrincipalOrgID": {"eq": ["o-partner"]}}),
    ] {
        let mut snapshot = lit();
        archive(&mut snapshot, filter);
        let found = state(&snapshot, MEMBER, HOME, Service::AccessAnalyzer);
        assert_eq!(found, State::On);
    }
    for filter in [
        json!({"resourceType": {"eq": ["AWS::S3::Bucket"]}}),
        json!({"resource": {"neq": ["arn:aws:s3:::x"]}}),
        json!({"principal.AWS": {"exists": true}}),
        json!({}),
    ] {
        let mut snapshot = lit();
        archive(&mut snapshot, filter.clone());
        match state(&snapshot, MEMBER, HOME, Service::AccessAnalyzer) {
            State::HalfOn { what, .. } => assert_eq!(what[0].kind, "archived"),
            other => panic!("{filter}: {other:?}"),
        }
    }
}

#[test]
fn a_web_acl_in_front_of_a_distribution_counts_where_the_home_region_is() {
    let arn = format!("arn:aws:wafv2:us-east-1:{MEMBER}:global/webacl/edge/1");
    let thing = |arn: &str, key: &str, value: serde_json::Value| Resource {
        arn: arn.into(),
        attributes: [(key.to_owned(), Observed::Value(value))].into(),
        ..Resource::default()
    };
    let mut snapshot = lit();
    let acl = thing(&arn, "logging", json!(true));
    let list = Observed::Value([("edge".to_owned(), acl)].into());
    let resources = &mut account(&mut snapshot, MEMBER).resources;
    resources.insert("wafv2.edge-web-acl".to_owned(), list);
    let site = format!("arn:aws:cloudfront::{MEMBER}:distribution/E1");
    let idle = Observed::Value([("E1".to_owned(), thing(&site, "web_acl", json!("")))].into());
    resources.insert("cloudfront.distribution".to_owned(), idle);
    let asked = |snapshot: &Snapshot, region: &str| state(snapshot, MEMBER, region, Service::Waf);
    assert!(matches!(asked(&snapshot, HOME), State::Off { .. }));
    let used = Observed::Value([("E1".to_owned(), thing(&site, "web_acl", json!(arn)))].into());
    let resources = &mut account(&mut snapshot, MEMBER).resources;
    resources.insert("cloudfront.distribution".to_owned(), used);
    assert_eq!(asked(&snapshot, HOME), State::On);
    assert!(matches!(
        asked(&snapshot, "eu-central-1"),
        State::Off { .. }
    ));
    let resources = &mut account(&mut snapshot, MEMBER).resources;
    let unread = Observed::denied("cloudfront:ListDistributions");
    resources.insert("cloudfront.distribution".to_owned(), unread);
    assert!(matches!(asked(&snapshot, HOME), State::Unknown { .. }));
}

#[test]
fn what_faces_nobody_needs_no_web_acl() {
    let mut snapshot = lit();
    web_acl(&mut snapshot, json!(true));
    beside(&mut snapshot, "internal");
    assert_eq!(state(&snapshot, MEMBER, HOME, Service::Waf), State::On);
    // A place without WAF in use is not asked.
    let mut snapshot = lit();
    beside(&mut snapshot, "internet-facing");
    let found = state(&snapshot, MEMBER, HOME, Service::Waf);
    assert!(matches!(found, State::Off { .. }), "{found:?}");
    // The list was not read: WAF is on, and that is open.
    let mut snapshot = lit();
    web_acl(&mut snapshot, json!(true));
    let unread = Observed::denied("elasticloadbalancing:DescribeLoadBalancers");
    super::estate::region(&mut snapshot, MEMBER)
        .resources
        .insert("elasticloadbalancing.load-balancer".to_owned(), unread);
    let found = state(&snapshot, MEMBER, HOME, Service::Waf);
    assert!(matches!(found, State::OnUnread { .. }), "{found:?}");
}

#[test]
fn a_recorder_that_leaves_types_out_by_name_records_iam_unless_it_is_among_them() {
    let with = |left_out: &str| {
        let mut snapshot = lit();
        let member = account(&mut snapshot, MEMBER);
        for region in member.regions.value_mut().expect("regions").values_mut() {
            let recorders = &mut region.config.value_mut().expect("config").recorders;
            for recorder in recorders.values_mut() {
                recorder.all_supported = false;
                recorder.include_global = false;
                recorder.excluded_types = vec![left_out.to_owned()];
            }
        }
        match state(&snapshot, MEMBER, HOME, Service::Config) {
            State::HalfOn { what, .. } => what.into_iter().map(|one| one.kind).collect(),
            other => panic!("{other:?}"),
        }
    };
    let kinds: Vec<&str> = with("AWS::EC2::NetworkInterface");
    assert_eq!(kinds, ["types"]);
    assert_eq!(with("AWS::IAM::Role"), ["global", "types"]);
}
