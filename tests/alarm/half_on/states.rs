//! Every half-on state with the change that makes it, and every fact that can stay unread.

use palisade::alarm::state::Service;
use palisade_model::{FirewallManager, Macie, Observed, Snapshot};
use serde_json::json;

use super::flips::{
    archive, beside, data, delegate, detector, hub, listed, macie, management, mending, recorder,
    root, scan, shield, trail, web_acl,
};
use crate::alarm::estate::{MEMBER, SECURITY, account, region};

pub(super) type Flip = fn(&mut Snapshot);

/// A service, the kind of weakness, and the one change that makes it.
pub(super) const HALVES: &[(Service, &str, Flip)] = &[
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
    (Service::Waf, "unguarded", |s| {
        web_acl(s, json!(true));
        beside(s, "internet-facing");
    }),
    (Service::Cloudtrail, "copy", |s| {
        trail(s).bucket = "elsewhere".to_owned();
    }),
    (Service::SecurityHub, "auto-enable", |s| {
        hub(s).auto_enable = Observed::Value(false);
    }),
    (Service::Root, "access-keys", |s| root(s).access_keys = true),
    (Service::Root, "mfa", |s| root(s).mfa = false),
    (Service::Root, "central", |s| {
        let organization = s.organization.value_mut().expect("an organization");
        organization.root_access_features = Observed::Value(vec!["RootSessions".to_owned()]);
    }),
];

/// A service and a fact without which nobody can say whether it is on.
pub(super) const UNREAD: &[(Service, Flip)] = &[
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
