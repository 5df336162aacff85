//! The one change that makes a service half on.

use palisade_model::{
    FirewallPolicy, Macie, Observed, Resource, ShieldState, Snapshot, Trail, TrailSelectors,
};
use serde_json::json;

use crate::alarm::estate::{HOME, MEMBER, SECURITY, account, region, world};

pub(super) fn lit() -> Snapshot {
    world("security-lit")
}

pub(super) fn trail(snapshot: &mut Snapshot) -> &mut Trail {
    let trails = account(snapshot, MEMBER)
        .trails
        .value_mut()
        .expect("trails");
    trails.values_mut().next().expect("a trail")
}

pub(super) fn management(snapshot: &mut Snapshot, basic: serde_json::Value) {
    trail(snapshot).selectors = Observed::Value(TrailSelectors {
        basic: vec![basic],
        advanced: Vec::new(),
    });
}

/// Data events of one type only.
pub(super) fn data(snapshot: &mut Snapshot, kind: &str) {
    let one = |field: &str, value: &str| json!({"Field": field, "Equals": [value]});
    trail(snapshot).selectors = Observed::Value(TrailSelectors {
        basic: Vec::new(),
        advanced: vec![
            json!({"FieldSelectors": [one("eventCategory", "Management")]}),
            json!({"FieldSelectors": [one("eventCategory", "Data"), one("resources.type", kind)]}),
        ],
    });
}

pub(super) fn detector<'s>(
    snapshot: &'s mut Snapshot,
    id: &str,
) -> &'s mut palisade_model::Detector {
    let detectors = region(snapshot, id)
        .guardduty
        .value_mut()
        .expect("detectors");
    detectors.values_mut().next().expect("one")
}

pub(super) fn delegate(snapshot: &mut Snapshot, id: &str, service: &str) {
    let organization = snapshot.organization.value_mut().expect("an organization");
    let services = vec![service.to_owned()];
    organization.delegated_administrators = Observed::Value([(id.to_owned(), services)].into());
    if id == MEMBER {
        detector(snapshot, MEMBER).auto_enable = Observed::Value("ALL".to_owned());
    }
}

pub(super) fn listed(snapshot: &mut Snapshot, status: &str) {
    let members = [(MEMBER.to_owned(), status.to_owned())].into();
    detector(snapshot, SECURITY).members = Observed::Value(members);
}

pub(super) fn scan(snapshot: &mut Snapshot, kind: &str) {
    let inspector = region(snapshot, MEMBER)
        .inspector
        .value_mut()
        .expect("inspector");
    inspector
        .resources
        .insert(kind.to_owned(), "DISABLED".to_owned());
}

pub(super) fn recorder(snapshot: &mut Snapshot) -> &mut palisade_model::ConfigRecorder {
    let config = region(snapshot, MEMBER).config.value_mut().expect("config");
    config.recorders.values_mut().next().expect("a recorder")
}

pub(super) fn hub(snapshot: &mut Snapshot) -> &mut palisade_model::SecurityHub {
    region(snapshot, MEMBER)
        .security_hub
        .value_mut()
        .expect("a hub")
}

pub(super) fn macie(snapshot: &mut Snapshot, discovery: &str) {
    region(snapshot, MEMBER).macie = Observed::Value(Macie {
        status: "ENABLED".to_owned(),
        automated_discovery: Observed::Value(discovery.to_owned()),
        ..Macie::default()
    });
}

pub(super) fn shield(snapshot: &mut Snapshot, renews: bool, protections: u64) {
    account(snapshot, MEMBER).shield = Observed::Value(ShieldState {
        auto_renew: Some(renews),
        protections: Observed::Value(protections),
        ..ShieldState::default()
    });
}

pub(super) fn web_acl(snapshot: &mut Snapshot, logging: serde_json::Value) {
    let arn = format!("arn:aws:wafv2:{HOME}:{MEMBER}:regional/webacl/edge/1");
    let acl = Resource {
        arn: arn.as_str().into(),
        attributes: [
            (
                "resources".to_owned(),
                Observed::Value(json!([
                    "arn:aws:elasticloadbalancing:us-east-1:533333333303:loadbalancer/app/edge/1"
                ])),
            ),
            ("logging".to_owned(), Observed::Value(logging)),
            ("api_stages".to_owned(), Observed::Absent),
            ("graphql_apis".to_owned(), Observed::Absent),
            ("user_pools".to_owned(), Observed::Absent),
            ("app_runner_services".to_owned(), Observed::Absent),
        ]
        .into(),
        ..Resource::default()
    };
    let acls = Observed::Value([("edge".to_owned(), acl)].into());
    region(snapshot, MEMBER)
        .resources
        .insert("wafv2.web-acl".to_owned(), acls);
}

/// A load balancer that no web ACL names.
pub(super) fn beside(snapshot: &mut Snapshot, scheme: &str) {
    let arn = format!("arn:aws:elasticloadbalancing:{HOME}:{MEMBER}:loadbalancer/app/beside/2");
    let says = |text: &str| Observed::Value(json!(text));
    let balancer = Resource {
        arn: arn.as_str().into(),
        attributes: [
            ("type".to_owned(), says("application")),
            ("scheme".to_owned(), says(scheme)),
        ]
        .into(),
        ..Resource::default()
    };
    let list = Observed::Value([("beside".to_owned(), balancer)].into());
    region(snapshot, MEMBER)
        .resources
        .insert("elasticloadbalancing.load-balancer".to_owned(), list);
}

pub(super) fn archive(snapshot: &mut Snapshot, filter: serde_json::Value) {
    let analyzers = region(snapshot, MEMBER)
        .analyzers
        .value_mut()
        .expect("analyzers");
    for analyzer in analyzers.values_mut() {
        analyzer.archive_rules = Observed::Value([("quiet".to_owned(), filter.clone())].into());
    }
}

pub(super) fn mending(
    remediates: bool,
) -> Observed<std::collections::BTreeMap<String, FirewallPolicy>> {
    let policy = FirewallPolicy {
        remediates,
        status: "ACTIVE".to_owned(),
    };
    Observed::Value([("edge".to_owned(), policy)].into())
}

pub(super) fn root(snapshot: &mut Snapshot) -> &mut palisade_model::RootUser {
    account(snapshot, MEMBER)
        .iam
        .root
        .value_mut()
        .expect("root")
}
