//! Every half-on state by itself: one flip of a whole organization shows it, the organization
//! without the flip does not, and the same fact unread is unknown.

use palisade::alarm::state::{Service, State, state};
use palisade_mocks::World;
use palisade_model::{
    Account, FirewallManager, FirewallPolicy, Macie, Observed, OrgAccount, Region, Resource,
    ShieldState, Snapshot, Trail, TrailSelectors,
};
use serde_json::json;

const SECURITY: &str = "522222222202";
const MEMBER: &str = "533333333303";
const HOME: &str = "us-east-1";

type Flip = fn(&mut Snapshot);

/// A service, the kind of weakness, and the one change that makes it.
const HALVES: &[(Service, &str, Flip)] = &[
    (Service::Cloudtrail, "write-events", |s| {
        management(
            s,
            json!({"ReadWriteType": "ReadOnly", "IncludeManagementEvents": true}),
        );
    }),
    (Service::Cloudtrail, "read-events", |s| {
        management(
            s,
            json!({"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true}),
        );
    }),
    (Service::Cloudtrail, "key-events", |s| {
        management(
            s,
            json!({"ReadWriteType": "All", "IncludeManagementEvents": true, "ExcludeManagementEventSources": ["kms.amazonaws.com"]}),
        );
    }),
    (Service::Cloudtrail, "s3-data", |s| {
        data(s, "AWS::Lambda::Function")
    }),
    (Service::Cloudtrail, "lambda-data", |s| {
        data(s, "AWS::S3::Object")
    }),
    (Service::Cloudtrail, "multi-region", |s| {
        trail(s).multi_region = false
    }),
    (Service::Cloudtrail, "log-validation", |s| {
        trail(s).log_validation = false
    }),
    (Service::Cloudtrail, "kms", |s| trail(s).kms_key = None),
    (Service::Cloudtrail, "organization", |s| {
        trail(s).organization = false
    }),
    (Service::Cloudtrail, "delivery", |s| {
        trail(s).delivery_error = Observed::Value("NoSuchBucket".to_owned());
    }),
    (Service::Guardduty, "feature", |s| {
        let features = &mut detector(s, MEMBER).features;
        features.insert("S3_DATA_EVENTS".to_owned(), "DISABLED".to_owned());
    }),
    (Service::Guardduty, "frequency", |s| {
        detector(s, MEMBER).publishing_frequency = "SIX_HOURS".to_owned();
    }),
    (Service::Guardduty, "auto-enable", |s| {
        delegate(s, MEMBER, "guardduty.amazonaws.com");
        detector(s, MEMBER).auto_enable = Observed::Value("NONE".to_owned());
    }),
    (Service::Guardduty, "member", |s| {
        delegate(s, SECURITY, "guardduty.amazonaws.com");
        listed(s, "Resigned");
    }),
    (Service::Guardduty, "administrator", |s| {
        delegate(s, SECURITY, "guardduty.amazonaws.com");
        detector(s, MEMBER).administrator = Observed::Value("999999999909".to_owned());
    }),
    (Service::Inspector, "ec2", |s| scan(s, "ec2")),
    (Service::Inspector, "ecr", |s| scan(s, "ecr")),
    (Service::Inspector, "lambda", |s| scan(s, "lambda")),
    (Service::Inspector, "lambda_code", |s| {
        scan(s, "lambda_code")
    }),
    (Service::Inspector, "code_repository", |s| {
        scan(s, "code_repository")
    }),
    (Service::Config, "types", |s| {
        let recorder = recorder(s);
        recorder.all_supported = false;
        recorder.resource_types = vec!["AWS::EC2::Instance".to_owned()];
    }),
    (Service::Config, "types", |s| {
        recorder(s).excluded_types = vec!["AWS::IAM::Role".to_owned()];
    }),
    (Service::Config, "global", |s| {
        let member = account(s, MEMBER);
        for region in member.regions.value_mut().expect("regions").values_mut() {
            let recorders = &mut region.config.value_mut().expect("config").recorders;
            recorders
                .values_mut()
                .for_each(|r| r.include_global = false);
        }
    }),
    (Service::Config, "delivery", |s| {
        recorder(s).last_status = Observed::Value("Failure".to_owned());
    }),
    (Service::Config, "channel", |s| {
        region(s, MEMBER)
            .config
            .value_mut()
            .expect("config")
            .delivery_channels = Observed::Absent;
    }),
    (Service::SecurityHub, "standards", |s| {
        hub(s).standards = Observed::Value(Vec::new());
    }),
    (Service::SecurityHub, "standard", |s| {
        hub(s).standards.value_mut().expect("standards")[0].status = "INCOMPLETE".to_owned();
    }),
    (Service::AccessAnalyzer, "unused-access", |s| {
        let analyzers = region(s, MEMBER).analyzers.value_mut().expect("analyzers");
        analyzers.retain(|_, analyzer| analyzer.kind == "ACCOUNT");
    }),
    (Service::AccessAnalyzer, "archived", |s| {
        archive(s, json!({"isPublic": {"eq": ["false"]}}));
    }),
    (Service::SecurityHub, "member", |s| {
        delegate(s, SECURITY, "securityhub.amazonaws.com");
        let hub = region(s, SECURITY).security_hub.value_mut().expect("a hub");
        hub.members = Observed::Value([(MEMBER.to_owned(), "REMOVED".to_owned())].into());
    }),
    (Service::Macie, "member", |s| {
        macie(s, "ENABLED");
        delegate(s, SECURITY, "macie.amazonaws.com");
        region(s, SECURITY).macie = Observed::Value(Macie {
            members: Observed::Value([(MEMBER.to_owned(), "Removed".to_owned())].into()),
            ..Macie::default()
        });
    }),
    (Service::Macie, "discovery", |s| macie(s, "DISABLED")),
    (Service::Shield, "renewal", |s| shield(s, false, 3)),
    (Service::Shield, "protections", |s| shield(s, true, 0)),
    (Service::Fms, "status", |s| {
        account(s, MEMBER).firewall_manager = Observed::Value(FirewallManager {
            administrator: MEMBER.to_owned(),
            status: "CREATING".to_owned(),
            policies: mending(true),
        });
    }),
    (Service::Fms, "remediation", |s| {
        account(s, MEMBER).firewall_manager = Observed::Value(FirewallManager {
            administrator: MEMBER.to_owned(),
            status: "READY".to_owned(),
            policies: mending(false),
        });
    }),
    (Service::Fms, "policies", |s| {
        account(s, MEMBER).firewall_manager = Observed::Value(FirewallManager {
            administrator: MEMBER.to_owned(),
            status: "READY".to_owned(),
            policies: Observed::Value([].into()),
        });
    }),
    (Service::Waf, "logging", |s| web_acl(s, json!(false))),
    (Service::Root, "access-keys", |s| root(s).access_keys = true),
    (Service::Root, "mfa", |s| root(s).mfa = false),
    (Service::Root, "central", |s| {
        let organization = s.organization.value_mut().expect("an organization");
        organization.root_access_features = Observed::Value(vec!["RootSessions".to_owned()]);
    }),
];

/// A service and a fact without which nobody can say whether it is on.
const UNREAD: &[(Service, Flip)] = &[
    (Service::Cloudtrail, |s| {
        account(s, MEMBER).trails = Observed::denied("cloudtrail:DescribeTrails")
    }),
    (Service::Cloudtrail, |s| {
        trail(s).logging = Observed::denied("cloudtrail:GetTrailStatus")
    }),
    (Service::Cloudtrail, |s| {
        trail(s).selectors = Observed::denied("cloudtrail:GetEventSelectors")
    }),
    (Service::Guardduty, |s| {
        region(s, MEMBER).guardduty = Observed::denied("guardduty:GetDetector")
    }),
    (Service::Guardduty, |s| {
        delegate(s, MEMBER, "guardduty.amazonaws.com");
        detector(s, MEMBER).auto_enable =
            Observed::denied("guardduty:DescribeOrganizationConfiguration");
    }),
    (Service::Inspector, |s| {
        region(s, MEMBER).inspector = Observed::denied("inspector2:BatchGetAccountStatus")
    }),
    (Service::Config, |s| {
        region(s, MEMBER).config = Observed::denied("config:DescribeConfigurationRecorders")
    }),
    (Service::Config, |s| {
        recorder(s).recording = Observed::denied("config:DescribeConfigurationRecorderStatus")
    }),
    (Service::Config, |s| {
        region(s, MEMBER)
            .config
            .value_mut()
            .expect("config")
            .delivery_channels = Observed::denied("config:DescribeDeliveryChannels");
    }),
    (Service::SecurityHub, |s| {
        region(s, MEMBER).security_hub = Observed::denied("securityhub:DescribeHub")
    }),
    (Service::SecurityHub, |s| {
        hub(s).standards = Observed::denied("securityhub:GetEnabledStandards")
    }),
    (Service::SecurityHub, |s| {
        region(s, MEMBER).security_hub = Observed::Absent;
        region(s, MEMBER).security_hub_v2 = Observed::denied("securityhub:DescribeSecurityHubV2");
    }),
    (Service::AccessAnalyzer, |s| {
        region(s, MEMBER).analyzers = Observed::denied("access-analyzer:ListAnalyzers")
    }),
    (Service::Macie, |s| {
        region(s, MEMBER).macie = Observed::denied("macie2:GetMacieSession")
    }),
    (Service::Macie, |s| {
        macie(s, "ENABLED");
        let macie = region(s, MEMBER).macie.value_mut().expect("macie");
        macie.automated_discovery = Observed::denied("macie2:GetAutomatedDiscoveryConfiguration");
    }),
    (Service::Shield, |s| {
        account(s, MEMBER).shield = Observed::denied("shield:GetSubscriptionState")
    }),
    (Service::Shield, |s| {
        shield(s, true, 1);
        let shield = account(s, MEMBER).shield.value_mut().expect("shield");
        shield.protections = Observed::denied("shield:ListProtections");
    }),
    (Service::Fms, |s| {
        account(s, MEMBER).firewall_manager = Observed::denied("fms:GetAdminAccount")
    }),
    (Service::Fms, |s| {
        account(s, MEMBER).firewall_manager = Observed::Value(FirewallManager {
            administrator: MEMBER.to_owned(),
            status: "READY".to_owned(),
            policies: Observed::denied("fms:ListPolicies"),
        });
    }),
    (Service::Waf, |s| {
        let list = Observed::denied("wafv2:ListWebACLs");
        region(s, MEMBER)
            .resources
            .insert("wafv2.web-acl".to_owned(), list);
    }),
    (Service::Waf, |s| {
        web_acl(s, json!(true));
        let acls = region(s, MEMBER)
            .resources
            .get_mut("wafv2.web-acl")
            .expect("the list");
        let acl = acls
            .value_mut()
            .expect("it")
            .get_mut("edge")
            .expect("the web ACL");
        let gap = Observed::denied("wafv2:ListResourcesForWebACL");
        acl.attributes.insert("resources".to_owned(), gap);
    }),
    (Service::Root, |s| {
        account(s, MEMBER).iam.root = Observed::denied("iam:GetAccountSummary")
    }),
];

fn lit() -> Snapshot {
    World::load("security-lit")
        .expect("the world loads")
        .snapshot()
        .clone()
}

fn account<'s>(snapshot: &'s mut Snapshot, id: &str) -> &'s mut Account {
    snapshot.accounts.get_mut(id).expect("the account")
}

fn region<'s>(snapshot: &'s mut Snapshot, id: &str) -> &'s mut Region {
    let regions = account(snapshot, id).regions.value_mut().expect("regions");
    regions.get_mut(HOME).expect("the region")
}

fn trail(snapshot: &mut Snapshot) -> &mut Trail {
    let trails = account(snapshot, MEMBER)
        .trails
        .value_mut()
        .expect("trails");
    trails.values_mut().next().expect("a trail")
}

fn management(snapshot: &mut Snapshot, basic: serde_json::Value) {
    trail(snapshot).selectors = Observed::Value(TrailSelectors {
        basic: vec![basic],
        advanced: Vec::new(),
    });
}

/// Data events of one type only.
fn data(snapshot: &mut Snapshot, kind: &str) {
    let one = |field: &str, value: &str| json!({"Field": field, "Equals": [value]});
    trail(snapshot).selectors = Observed::Value(TrailSelectors {
        basic: Vec::new(),
        advanced: vec![
            json!({"FieldSelectors": [one("eventCategory", "Management")]}),
            json!({"FieldSelectors": [one("eventCategory", "Data"), one("resources.type", kind)]}),
        ],
    });
}

fn detector<'s>(snapshot: &'s mut Snapshot, id: &str) -> &'s mut palisade_model::Detector {
    let detectors = region(snapshot, id)
        .guardduty
        .value_mut()
        .expect("detectors");
    detectors.values_mut().next().expect("one")
}

fn delegate(snapshot: &mut Snapshot, id: &str, service: &str) {
    let organization = snapshot.organization.value_mut().expect("an organization");
    let services = vec![service.to_owned()];
    organization.delegated_administrators = Observed::Value([(id.to_owned(), services)].into());
    if id == MEMBER {
        detector(snapshot, MEMBER).auto_enable = Observed::Value("ALL".to_owned());
    }
}

fn listed(snapshot: &mut Snapshot, status: &str) {
    let members = [(MEMBER.to_owned(), status.to_owned())].into();
    detector(snapshot, SECURITY).members = Observed::Value(members);
}

fn scan(snapshot: &mut Snapshot, kind: &str) {
    let inspector = region(snapshot, MEMBER)
        .inspector
        .value_mut()
        .expect("inspector");
    inspector
        .resources
        .insert(kind.to_owned(), "DISABLED".to_owned());
}

fn recorder(snapshot: &mut Snapshot) -> &mut palisade_model::ConfigRecorder {
    let config = region(snapshot, MEMBER).config.value_mut().expect("config");
    config.recorders.values_mut().next().expect("a recorder")
}

fn hub(snapshot: &mut Snapshot) -> &mut palisade_model::SecurityHub {
    region(snapshot, MEMBER)
        .security_hub
        .value_mut()
        .expect("a hub")
}

fn macie(snapshot: &mut Snapshot, discovery: &str) {
    region(snapshot, MEMBER).macie = Observed::Value(Macie {
        status: "ENABLED".to_owned(),
        automated_discovery: Observed::Value(discovery.to_owned()),
        ..Macie::default()
    });
}

fn shield(snapshot: &mut Snapshot, renews: bool, protections: u64) {
    account(snapshot, MEMBER).shield = Observed::Value(ShieldState {
        auto_renew: Some(renews),
        protections: Observed::Value(protections),
        ..ShieldState::default()
    });
}

fn web_acl(snapshot: &mut Snapshot, logging: serde_json::Value) {
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

fn archive(snapshot: &mut Snapshot, filter: serde_json::Value) {
    let analyzers = region(snapshot, MEMBER)
        .analyzers
        .value_mut()
        .expect("analyzers");
    for analyzer in analyzers.values_mut() {
        analyzer.archive_rules = Observed::Value([("quiet".to_owned(), filter.clone())].into());
    }
}

fn mending(remediates: bool) -> Observed<std::collections::BTreeMap<String, FirewallPolicy>> {
    let policy = FirewallPolicy {
        remediates,
        status: "ACTIVE".to_owned(),
    };
    Observed::Value([("edge".to_owned(), policy)].into())
}

fn root(snapshot: &mut Snapshot) -> &mut palisade_model::RootUser {
    account(snapshot, MEMBER)
        .iam
        .root
        .value_mut()
        .expect("root")
}

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
fn a_member_that_left_the_organization_is_told_by_its_former_administrator() {
    for status in ["Removed", "Resigned", "Disabled", "Created"] {
        let mut snapshot = lit();
        delegate(&mut snapshot, SECURITY, "guardduty.amazonaws.com");
        listed(&mut snapshot, status);
        match state(&snapshot, MEMBER, HOME, Service::Guardduty) {
            State::HalfOn { what, .. } => assert!(what[0].says.contains(status), "{what:?}"),
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn inspectors_administrator_and_its_member_may_disagree() {
    let mut snapshot = lit();
    delegate(&mut snapshot, SECURITY, "inspector2.amazonaws.com");
    let inspector = region(&mut snapshot, SECURITY)
        .inspector
        .value_mut()
        .expect("it");
    inspector.members = Observed::Value([(MEMBER.to_owned(), "DISABLED".to_owned())].into());
    match state(&snapshot, MEMBER, HOME, Service::Inspector) {
        State::HalfOn { what, .. } => assert_eq!(what[0].kind, "member"),
        other => panic!("{other:?}"),
    }
    let inspector = region(&mut snapshot, SECURITY)
        .inspector
        .value_mut()
        .expect("it");
    inspector.members = Observed::Value([(MEMBER.to_owned(), "ENABLED".to_owned())].into());
    region(&mut snapshot, MEMBER).inspector = Observed::Absent;
    match state(&snapshot, MEMBER, HOME, Service::Inspector) {
        State::Off { what } => assert!(what.contains("although"), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_account_that_no_organization_lists_is_judged_by_itself() {
    let mut snapshot = lit();
    let organization = snapshot.organization.value_mut().expect("an organization");
    let accounts = organization.accounts.value_mut().expect("accounts");
    let left: Option<OrgAccount> = accounts.remove(MEMBER);
    assert!(left.is_some());
    assert_eq!(
        state(&snapshot, MEMBER, HOME, Service::Guardduty),
        State::On
    );
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
