//! Functions, instances, buckets and what runs where.

use palisade_checks::technique::{Kind, Predicate, Qualifier, ResourceRef, TemplateVersion};
use palisade_model::{
    Arn, Bus, EventSource, EventTarget, FunctionUrl, KeyStatus, ObjectMatch, Observed, PolicyText,
    Resource, Rule,
};
use serde_json::{Value, json};

use super::identity::keys;
use super::{name_of, organization};
use crate::techniques::stage::{HOME, STRANGER, Stage, allow};

pub(super) fn workload(stage: &mut Stage<'_>, predicate: &Predicate, wanted: bool) -> bool {
    use Predicate as P;
    let function = |stage: &mut Stage<'_>,
                    of: &ResourceRef,
                    change: &dyn Fn(&mut palisade_model::Function)| {
        let functions = stage.region().functions.value_mut().expect("read");
        change(functions.get_mut(&name_of(of)).expect("on stage"));
        true
    };
    match predicate {
        P::Triggered(of, on) => {
            let arn = stage.arns[&name_of(of)].clone();
            let called = match on {
                Qualifier::Latest => arn,
                Qualifier::Alias => Arn::new(format!("{arn}:live")),
            };
            function(stage, of, &|found| {
                let source = EventSource {
                    state: "Enabled".to_owned(),
                    function: called.clone(),
                    ..EventSource::default()
                };
                found.event_sources = Observed::Value(if wanted { vec![source] } else { vec![] });
            })
        }
        P::OpenUrl(of) => function(stage, of, &|found| {
            let auth = if wanted { "NONE" } else { "AWS_IAM" }.to_owned();
            found.urls = Observed::Value(vec![FunctionUrl {
                auth,
                ..FunctionUrl::default()
            }]);
        }),
        P::SignedCodeOnly(of) => {
            if !wanted {
                return function(stage, of, &|found| found.code_signing = Observed::Absent);
            }
            let arn = stage.arns.get("csc").cloned();
            let arn = arn.unwrap_or_else(|| {
                Arn::from("arn:aws:lambda:us-east-1:111122223333:code-signing-config:c")
            });
            let mut config = Resource {
                arn: arn.clone(),
                ..Resource::default()
            };
            let key = "untrusted_artifact_on_deployment".to_owned();
            config
                .attributes
                .insert(key, Observed::Value("Enforce".into()));
            let listing = Observed::Value([(arn.name().to_owned(), config)].into());
            stage
                .region()
                .resources
                .insert("lambda.code-signing-config".to_owned(), listing);
            function(stage, of, &|found| {
                found.code_signing = Observed::Value(arn.clone())
            })
        }
        P::RunByRule(of) => {
            let target = EventTarget {
                arn: stage.arns[&name_of(of)].clone(),
                ..EventTarget::default()
            };
            let rule = Rule {
                state: "ENABLED".to_owned(),
                targets: Observed::Value(if wanted { vec![target] } else { vec![] }),
                ..Rule::default()
            };
            let bus = Bus {
                rules: Observed::Value([("tick".to_owned(), rule)].into()),
                ..Bus::default()
            };
            stage.region().buses = Observed::Value([("default".to_owned(), bus)].into());
            true
        }
        P::CredentialIn(place, whose) => credential(stage, place, whose, wanted),
        P::SsmManaged(of) => {
            let name = stage.arns[&name_of(of)].name().to_owned();
            let mut node = Resource::default();
            node.attributes
                .insert("ping_status".to_owned(), Observed::Value("Online".into()));
            let nodes = stage.listing("ssm.managed-instance");
            nodes.remove(&name);
            nodes.extend(wanted.then_some((name, node)));
            true
        }
        P::InternetFacing(of, port) => internet(stage, of, *port, wanted),
        P::CodeOn(of) => {
            let own = stage.arns["self"].clone();
            let kind = of.kind.name();
            let found = stage.listing(kind).get_mut(&name_of(of)).expect("on stage");
            found.role = if wanted {
                Observed::Value(own)
            } else {
                Observed::Absent
            };
            true
        }
        P::LaunchedFrom(of, version) => {
            let id = stage.arns[&name_of(of)].name().to_owned();
            let runs = match version {
                TemplateVersion::Default => "$Default",
                TemplateVersion::Latest => "$Latest",
            };
            let mut group = Resource::default();
            let set = |group: &mut Resource, key: &str, value: Value| {
                group
                    .attributes
                    .insert(key.to_owned(), Observed::Value(value));
            };
            set(&mut group, "launch_template", id.into());
            set(
                &mut group,
                "launch_template_version",
                json!([if wanted { runs } else { "3" }]),
            );
            stage
                .listing("autoscaling.group")
                .insert("asg".to_owned(), group);
            true
        }
        P::RunsWith(on, role) => runs_with(stage, on, role, wanted),
        P::SameVpc(a, b) => {
            for (reference, vpc) in [(a, "vpc-1"), (b, if wanted { "vpc-1" } else { "vpc-2" })] {
                let found = stage.listing(reference.kind.name());
                let found = found.get_mut(&name_of(reference)).expect("on stage");
                found
                    .attributes
                    .insert("vpc_id".to_owned(), Observed::Value(vpc.into()));
            }
            true
        }
        P::Public(of, action) => public(stage, of, action, "*", wanted),
        P::OpenTo(of, _, action) => public(stage, of, action, STRANGER, wanted),
        P::Vendor(_) | P::OwnAccount(_) => wanted,
        P::SharingBlocked(_) => {
            let state = if wanted {
                "block-all-sharing"
            } else {
                "block-new-sharing"
            };
            let mut block = Resource::default();
            block
                .attributes
                .insert("state".to_owned(), Observed::Value(state.into()));
            stage
                .listing("ec2.snapshot-block-public-access")
                .insert("account".to_owned(), block);
            true
        }
        P::PublicPolicyBlocked(_) => {
            let block = palisade_model::PublicAccessBlock {
                block_public_policy: wanted,
                ..Default::default()
            };
            stage.account().s3.public_access_block = Observed::Value(block);
            true
        }
        P::ProvisionedFrom(_, set) => {
            let found = stage
                .listing("sso.permission-set")
                .get_mut(&name_of(set))
                .expect("staged");
            found.attributes.insert(
                "permission_set_name".to_owned(),
                Observed::Value("other".into()),
            );
            !wanted
        }
        P::RootWeak(weakness, _) => {
            let keys = matches!(
                weakness,
                palisade_checks::technique::RootWeakness::AccessKeys
            );
            stage.account().iam.root = Observed::Value(palisade_model::RootUser {
                mfa: !wanted || keys,
                access_keys: wanted && keys,
                password: Some(true),
            });
            true
        }
        P::May(who, what) => {
            let Some(name) = who.variable() else {
                return false;
            };
            let arn = stage.arns[name].clone();
            let action = if wanted {
                what.action.as_str()
            } else {
                "none:None"
            };
            let policy = [(format!("may {}", what.action), allow(action))];
            if arn.resource().starts_with("user/") {
                stage.user(name).inline.extend(policy);
            } else {
                stage.role(name).inline.extend(policy);
            }
            if !wanted && what.action == "sts:AssumeRole" {
                stage.role(&name_of(&what.on)).trust = PolicyText::default();
            }
            if wanted && what.action == "sts:AssumeRole" {
                let statement = json!({"Effect": "Allow", "Principal": {"AWS": arn.as_str()},
                    "Action": "sts:AssumeRole"});
                stage.trust(&name_of(&what.on), statement);
            }
            true
        }
        P::Different(..) | P::IsUser(_) | P::IsRole(_) | P::CustomerManaged(_) => wanted,
        P::ServiceLinked(_) | P::SsoReserved(_) | P::KnownAccount(_) => !wanted,
        P::AssumableIfTrusted(_) | P::Enterable(..) | P::Held(_) | P::LaunchableWith(_) => wanted,
        P::InOrganization(of) => organization(stage, of, wanted),
        _ => false,
    }
}

pub(super) fn leaked(stage: &mut Stage<'_>, of: &ResourceRef, wanted: bool) -> bool {
    let name = name_of(of);
    if stage
        .user(&name)
        .access_keys
        .value()
        .is_none_or(Vec::is_empty)
    {
        keys(stage, &name, 1, KeyStatus::Active);
    }
    let id = stage.user(&name).access_keys.value().expect("just set")[0]
        .id
        .clone();
    let found = ObjectMatch {
        key_id: wanted.then_some(id),
        ..ObjectMatch::default()
    };
    let object = palisade_model::ObjectEntry {
        key: "notes".to_owned(),
        matches: Observed::Value(vec![found]),
        ..Default::default()
    };
    let listing = palisade_model::ObjectListing {
        objects: vec![object],
        seen: 1,
        complete: true,
        ..Default::default()
    };
    let bucket = palisade_model::Bucket {
        objects: Observed::Value(listing),
        ..Default::default()
    };
    stage.account().s3.buckets = Observed::Value([("leaks".to_owned(), bucket)].into());
    true
}

fn credential(
    stage: &mut Stage<'_>,
    place: &ResourceRef,
    whose: &ResourceRef,
    wanted: bool,
) -> bool {
    let user = name_of(whose);
    if stage
        .user(&user)
        .access_keys
        .value()
        .is_none_or(Vec::is_empty)
    {
        keys(stage, &user, 1, KeyStatus::Active);
    }
    let own = stage.user(&user).access_keys.value().expect("just set")[0]
        .id
        .clone();
    let id = if wanted { own } else { "another".to_owned() };
    match place.kind {
        Kind::OBJECT => {
            let buckets = stage.account().s3.buckets.value_mut().expect("read");
            let bucket = buckets.get_mut("store").expect("on stage");
            let listing = bucket.objects.value_mut().expect("listed");
            for object in &mut listing.objects {
                let found = ObjectMatch {
                    key_id: Some(id.clone()),
                    paired: true,
                    ..ObjectMatch::default()
                };
                object.matches = Observed::Value(vec![found]);
            }
        }
        Kind::FUNCTION => {
            let functions = stage.region().functions.value_mut().expect("read");
            functions
                .get_mut(&name_of(place))
                .expect("on stage")
                .key_ids = vec![id];
        }
        _ => {
            let found = stage.listing(place.kind.name());
            let found = found.get_mut(&name_of(place)).expect("on stage");
            found
                .attributes
                .insert("key_ids".to_owned(), Observed::Value(json!([id])));
        }
    }
    true
}

fn internet(stage: &mut Stage<'_>, of: &ResourceRef, port: Option<u16>, wanted: bool) -> bool {
    let found = stage
        .listing("ec2.instance")
        .get_mut(&name_of(of))
        .expect("on stage");
    let set = |found: &mut Resource, key: &str, value: Value| {
        found
            .attributes
            .insert(key.to_owned(), Observed::Value(value));
    };
    set(found, "public_ip_address", "203.0.113.7".into());
    set(found, "security_groups", json!(["sg-1"]));
    let mut rule = Resource::default();
    set(&mut rule, "group_id", "sg-1".into());
    set(&mut rule, "ip_protocol", "tcp".into());
    set(&mut rule, "is_egress", false.into());
    let cidr = if wanted { "0.0.0.0/0" } else { "10.0.0.0/8" };
    set(&mut rule, "cidr_ipv4", cidr.into());
    set(&mut rule, "from_port", port.unwrap_or(443).into());
    set(&mut rule, "to_port", port.unwrap_or(443).into());
    stage
        .listing("ec2.security-group-rule")
        .insert("sgr-1".to_owned(), rule);
    true
}

fn runs_with(stage: &mut Stage<'_>, on: &ResourceRef, role: &ResourceRef, wanted: bool) -> bool {
    let host = stage.arns[&name_of(on)].clone();
    let role = stage.arns[&name_of(role)].clone();
    let mut workload = Resource {
        role: Observed::Value(role),
        ..Resource::default()
    };
    let (kind, field, rest) = match host.service() {
        "ecs" => ("ecs.task", "container_instance", "task/x/staged"),
        _ => ("eks.nodegroup", "cluster", "nodegroup/x/staged/1"),
    };
    workload.arn = Arn::new(format!(
        "arn:aws:{}:us-east-1:{HOME}:{rest}",
        host.service()
    ));
    workload
        .attributes
        .insert(field.to_owned(), Observed::Value(host.as_str().into()));
    let definition = workload.arn.clone();
    if host.service() == "ecs" {
        let own = Observed::Value(definition.as_str().into());
        workload
            .attributes
            .insert("task_definition".to_owned(), own);
    }
    let listing = stage.listing(kind);
    listing.remove("staged");
    listing.extend(wanted.then_some(("staged".to_owned(), workload)));
    true
}

fn public(stage: &mut Stage<'_>, of: &ResourceRef, action: &str, whom: &str, wanted: bool) -> bool {
    let resource = stage.arns[&name_of(of)].to_string();
    let statement = json!({"Effect": if wanted { "Allow" } else { "Deny" }, "Principal": {"AWS": whom},
        "Action": action, "Resource": resource});
    let policy: PolicyText = json!({"Version": "2012-10-17", "Statement": [statement]}).into();
    match of.kind {
        Kind::BUCKET | Kind::OBJECT => {
            let buckets = stage.account().s3.buckets.value_mut().expect("read");
            let bucket = buckets.get_mut("store").expect("on stage");
            let mut document: Value = bucket.policy.value().map_or_else(
                || json!({"Version": "2012-10-17", "Statement": []}),
                |text| serde_json::from_str(text.as_str()).expect("JSON"),
            );
            document["Statement"]
                .as_array_mut()
                .expect("a list")
                .push(statement);
            bucket.policy = Observed::Value(document.into());
        }
        Kind::FUNCTION => {
            let functions = stage.region().functions.value_mut().expect("read");
            functions.get_mut(&name_of(of)).expect("on stage").policy = Observed::Value(policy);
        }
        _ => {
            let found = stage
                .listing(of.kind.name())
                .get_mut(&name_of(of))
                .expect("on stage");
            found.policy = Observed::Value(policy);
        }
    }
    true
}
