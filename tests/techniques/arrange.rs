//! Makes one predicate true or false on stage.

use palisade_checks::technique::{
    Comparison, Counted, DenySource, Federated, Kind, Predicate, Qualifier, ResourceRef, Selector,
    Subject, TemplateVersion, Test, Trusted,
};
use palisade_model::{
    AccessKey, Arn, EventSource, FunctionUrl, KeyStatus, LoginProfile, ObjectMatch, Observed,
    Organization, PolicyText, Resource, Time,
};
use serde_json::{Value, json};

use super::stage::{HOME, STRANGER, Stage, allow};

/// Arranges it; `false` where the stage has no way to.
pub(super) fn arrange(stage: &mut Stage<'_>, predicate: &Predicate, wanted: bool) -> bool {
    use Predicate as P;
    match predicate {
        // Whoever is in the group already has what it gives.
        P::Not(inner) if matches!(**inner, P::Member(..)) => wanted,
        P::Not(inner) => arrange(stage, inner, !wanted),
        P::GatedBy(key, of) => gated(stage, key, of, wanted),
        P::LeakedKey(of) => leaked(stage, of, wanted),
        P::Any(parts) if wanted => arrange(stage, &parts[0], true),
        P::All(parts) if !wanted => arrange(stage, &parts[0], false),
        P::Any(parts) | P::All(parts) => parts
            .iter()
            .fold(true, |all, part| arrange(stage, part, wanted) && all),
        P::Attribute(of, path, test) => attribute(stage, of, path, test, wanted),
        P::Exists(what, filter) => exists(stage, what, filter, wanted),
        P::Trusts(role, who, _) => trusts(stage, role, who, wanted),
        P::TrustsAnyone(role, _) => trust_of(stage, role, json!("*"), "sts:AssumeRole", wanted),
        P::TrustsOwnAccount(role) => {
            trust_of(stage, role, json!({"AWS": HOME}), "sts:AssumeRole", wanted)
        }
        P::LooseSubject(role, cases) => loose(stage, role, cases, wanted),
        P::HasInstanceProfile(role) => {
            let name = name_of(role);
            let profile = palisade_model::InstanceProfile {
                name: name.clone(),
                arn: Arn::new(format!("arn:aws:iam::{HOME}:instance-profile/{name}")),
            };
            stage.role(&name).instance_profiles = if wanted { vec![profile] } else { vec![] };
            true
        }
        P::Member(user, group) => {
            let group = name_of(group);
            let groups = &mut stage.user(&name_of(user)).groups;
            groups.retain(|own| *own != group);
            groups.extend(wanted.then_some(group));
            true
        }
        P::Attached(policy, to) => attached(stage, policy, to, wanted),
        P::BoundaryOf(policy, of) => {
            let arn = stage.arns[&name_of(policy)].clone();
            boundary(stage, of, wanted.then_some(arn))
        }
        P::HasBoundary(of) => {
            let arn = Arn::new(format!("arn:aws:iam::{HOME}:policy/limit"));
            let limit = palisade_model::ManagedPolicy {
                name: "limit".to_owned(),
                default_version: "v1".to_owned(),
                versions: [("v1".to_owned(), allow("*"))].into(),
            };
            let policies = stage.account().iam.policies.value_mut().expect("read");
            policies.insert(arn.clone(), limit);
            boundary(stage, of, wanted.then_some(arn))
        }
        P::BoundaryLimits(of) => boundary_limits(stage, of, wanted),
        P::Count(what, of, test) => count(stage, *what, of, *test, wanted),
        P::LoginProfile(user) => {
            let profile = Observed::Value(LoginProfile::default());
            let slot = &mut stage.user(&name_of(user)).login_profile;
            *slot = if wanted { profile } else { Observed::Absent };
            true
        }
        P::StaleKey(user) => {
            let made = if wanted { 1_700_000_000 } else { 1_793_400_000 };
            keys(stage, &name_of(user), 1, KeyStatus::Active);
            let keys = stage
                .user(&name_of(user))
                .access_keys
                .value_mut()
                .expect("just set");
            keys[0].created = Some(Time(made));
            true
        }
        P::BroaderVersion(policy) => {
            let arn = stage.arns[&name_of(policy)].clone();
            let policies = stage.account().iam.policies.value_mut().expect("read");
            let versions = &mut policies.get_mut(&arn).expect("on stage").versions;
            versions.insert(
                "v2".to_owned(),
                if wanted {
                    allow("*")
                } else {
                    allow("dynamodb:Get*")
                },
            );
            true
        }
        P::Broader(what, _) | P::Administers(what) => broader(stage, what, wanted),
        P::BroaderBoundary(policy, _) => broader(stage, policy, wanted),
        P::DenyHeldBy(source, of) => deny(stage, source, of, wanted),
        _ => workload(stage, predicate, wanted),
    }
}

fn workload(stage: &mut Stage<'_>, predicate: &Predicate, wanted: bool) -> bool {
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
            let arn = "arn:aws:lambda:us-east-1:111122223333:code-signing-config:c";
            let mut config = Resource {
                arn: Arn::from(arn),
                ..Resource::default()
            };
            let key = "untrusted_artifact_on_deployment".to_owned();
            config
                .attributes
                .insert(key, Observed::Value("Enforce".into()));
            let listing = Observed::Value([("c".to_owned(), config)].into());
            stage
                .region()
                .resources
                .insert("lambda.code-signing-config".to_owned(), listing);
            function(stage, of, &|found| {
                found.code_signing = Observed::Value(Arn::from(arn))
            })
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
        P::Public(of, action) | P::OpenToForeign(of, action) => public(stage, of, action, wanted),
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
                mfa: !(wanted && !keys),
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
        P::AssumableIfTrusted(_) | P::Held(_) => wanted,
        P::InOrganization(of) => organization(stage, of, wanted),
        _ => false,
    }
}

fn gated(stage: &mut Stage<'_>, key: &str, of: &ResourceRef, wanted: bool) -> bool {
    let (key, value) = match key.strip_suffix('*') {
        Some(family) => (format!("{family}team"), "blue"),
        None => (key.to_owned(), "true"),
    };
    let mut statement = json!({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"});
    if wanted {
        statement["Condition"] = json!({"StringEquals": {key: value}});
    }
    let policy: PolicyText = json!({"Version": "2012-10-17", "Statement": [statement]}).into();
    let name = name_of(of);
    let inline = match stage.arns[&name].resource().starts_with("role/") {
        true => &mut stage.role(&name).inline,
        false => &mut stage.user(&name).inline,
    };
    inline.insert("gated".to_owned(), policy);
    true
}

fn leaked(stage: &mut Stage<'_>, of: &ResourceRef, wanted: bool) -> bool {
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
    };
    let bucket = palisade_model::Bucket {
        objects: Observed::Value(listing),
        ..Default::default()
    };
    stage.account().s3.buckets = Observed::Value([("leaks".to_owned(), bucket)].into());
    true
}

fn name_of(reference: &ResourceRef) -> String {
    reference.variable().unwrap_or_default().to_owned()
}

fn attribute(
    stage: &mut Stage<'_>,
    of: &ResourceRef,
    path: &str,
    test: &Test,
    wanted: bool,
) -> bool {
    let named = |stage: &Stage<'_>, to: &ResourceRef| -> Value {
        let Some(arn) = to.variable().and_then(|name| stage.arns.get(name)) else {
            return Value::Null;
        };
        match to.kind {
            Kind::ACCOUNT => STRANGER.into(),
            Kind::OBJECT => format!("s3://{}", arn.resource()).into(),
            Kind::BUCKET => arn.name().into(),
            _ => arn.as_str().into(),
        }
    };
    let value = match test {
        Test::Names(to) if wanted => named(stage, to),
        Test::Includes(to) if wanted => json!([named(stage, to)]),
        Test::Names(_) | Test::Includes(_) => Value::Null,
        Test::Is(text) if wanted => match text.as_str() {
            "true" => true.into(),
            "false" => false.into(),
            text => text.into(),
        },
        Test::Is(text) => match text.as_str() {
            "true" => false.into(),
            "false" => true.into(),
            _ => "something-else".into(),
        },
        Test::In(texts) => if wanted {
            texts[0].as_str()
        } else {
            "something-else"
        }
        .into(),
        Test::Number(Comparison::More(n)) => (if wanted { n + 1 } else { *n }).into(),
        Test::Number(Comparison::Equal(n)) => (if wanted { *n } else { n + 1 }).into(),
        Test::Number(_) => return false,
        Test::Missing => {
            if wanted {
                Value::Null
            } else {
                "something".into()
            }
        }
    };
    let seen = match &value {
        Value::Null => Observed::Absent,
        value => Observed::Value(value.clone()),
    };
    place(stage, of, path, &value, seen)
}

fn place(
    stage: &mut Stage<'_>,
    of: &ResourceRef,
    path: &str,
    value: &Value,
    seen: Observed<Value>,
) -> bool {
    let text = || value.as_str().unwrap_or_default().to_owned();
    let name = name_of(of);
    match of.kind {
        Kind::FUNCTION => {
            let functions = stage.region().functions.value_mut().expect("read");
            let function = functions.get_mut(&name).expect("on stage");
            match path {
                // Every function has a role.
                "role" if text().is_empty() => return false,
                "role" => function.role = Arn::from(text()),
                "runtime" => function.runtime = text(),
                "package_type" => function.package_type = text(),
                "reserved_concurrency" => {
                    function.reserved_concurrency = value
                        .as_u64()
                        .map_or(Observed::Absent, |n| Observed::Value(n as u32));
                }
                _ => return false,
            }
        }
        Kind::BUCKET | Kind::OBJECT => {
            let buckets = stage.account().s3.buckets.value_mut().expect("read");
            let bucket = buckets.get_mut("store").expect("on stage");
            let text = match &seen {
                Observed::Value(_) => Observed::Value(text()),
                _ => Observed::Absent,
            };
            match path {
                "bucket" => return !matches!(seen, Observed::Absent),
                "ownership" => bucket.ownership = text,
                "versioning" => bucket.versioning = text,
                "encryption" => bucket.encryption = text,
                "kms_key" => bucket.kms_key = text.map(Arn::from),
                _ => return false,
            }
        }
        _ => {
            let Some(found) = stage.listing(of.kind.name()).get_mut(&name) else {
                return false;
            };
            if path == "role" {
                found.role = seen.map(|value| Arn::from(value.as_str().unwrap_or_default()));
            } else {
                found.attributes.insert(path.to_owned(), seen);
            }
        }
    }
    true
}

fn exists(stage: &mut Stage<'_>, what: &ResourceRef, filter: &[Predicate], wanted: bool) -> bool {
    let kind = what.kind.name();
    if !what.kind.is_listed() {
        // A role of that name.
        let Some(Predicate::Named(_, names)) = filter.first() else {
            return false;
        };
        let roles = stage.account().iam.roles.value_mut().expect("read");
        roles.retain(|name, _| name != "aux");
        let name = names[0].trim_end_matches('*').to_owned();
        roles.remove(&name);
        if wanted {
            let arn = Arn::new(format!("arn:aws:iam::{HOME}:role/{name}"));
            roles.insert(
                name,
                palisade_model::Role {
                    arn,
                    ..Default::default()
                },
            );
        }
        return true;
    }
    if let Selector::Var(_) = what.selector {
        return filter
            .iter()
            .fold(true, |all, part| arrange(stage, part, wanted) && all);
    }
    let listing = stage.listing(kind);
    if !wanted {
        listing.clear();
    }
    let arn = super::stage::arn_of(what.kind, "some");
    listing.extend(wanted.then(|| {
        (
            "some".to_owned(),
            Resource {
                arn,
                ..Resource::default()
            },
        )
    }));
    true
}

fn trusts(stage: &mut Stage<'_>, role: &ResourceRef, who: &Trusted, wanted: bool) -> bool {
    if let Trusted::Federated(Federated::Host(host)) = who
        && !wanted
        && !stage
            .role(&name_of(role))
            .trust
            .as_str()
            .contains(host.trim_matches('*'))
    {
        return true;
    }
    let (principal, action) = match who {
        Trusted::Service(name) if name == "*" => (
            json!({"Service": "cloudtrail.amazonaws.com"}),
            "sts:AssumeRole",
        ),
        Trusted::Service(name) => (json!({"Service": name}), "sts:AssumeRole"),
        Trusted::Account(_) => (json!({"AWS": STRANGER}), "sts:AssumeRole"),
        Trusted::Federated(Federated::Host(host)) => {
            let host = host.replace('*', "x");
            (json!({"Federated": host}), "sts:AssumeRoleWithWebIdentity")
        }
        Trusted::Federated(Federated::Provider(provider)) => {
            let arn = stage.arns[&name_of(provider)].to_string();
            let saml = provider.kind.name() == "saml-provider";
            let action = if saml {
                "sts:AssumeRoleWithSAML"
            } else {
                "sts:AssumeRoleWithWebIdentity"
            };
            (json!({"Federated": arn}), action)
        }
        Trusted::Principal(_) => return false,
    };
    trust_of(stage, role, principal, action, wanted)
}

fn trust_of(
    stage: &mut Stage<'_>,
    role: &ResourceRef,
    principal: Value,
    action: &str,
    wanted: bool,
) -> bool {
    let name = name_of(role);
    if wanted {
        stage.trust(
            &name,
            json!({"Effect": "Allow", "Principal": principal, "Action": action}),
        );
    } else {
        stage.role(&name).trust = PolicyText::default();
    }
    true
}

fn loose(stage: &mut Stage<'_>, role: &ResourceRef, cases: &[Subject], wanted: bool) -> bool {
    let name = name_of(role);
    let subject = match (wanted, cases.contains(&Subject::Missing)) {
        (true, true) => return true,
        (true, false) => "repo:octo/*",
        (false, _) => "repo:octo/app:ref:refs/heads/main",
    };
    let role = stage.role(&name);
    let mut document: Value = serde_json::from_str(role.trust.as_str()).expect("JSON");
    for statement in document["Statement"].as_array_mut().expect("a list") {
        statement["Condition"] = json!({"StringLike": {"issuer:sub": subject}});
    }
    role.trust = document.into();
    true
}

fn attached(stage: &mut Stage<'_>, policy: &ResourceRef, to: &ResourceRef, wanted: bool) -> bool {
    let arn = match &policy.selector {
        Selector::Named(arn) => Arn::from(arn.as_str()),
        _ => stage.arns[&name_of(policy)].clone(),
    };
    let name = name_of(to);
    let role = stage.arns[&name].resource().starts_with("role/");
    let list = if role {
        &mut stage.role(&name).attached
    } else {
        &mut stage.user(&name).attached
    };
    list.retain(|own| *own != arn);
    list.extend(wanted.then_some(arn));
    true
}

fn boundary(stage: &mut Stage<'_>, of: &ResourceRef, arn: Option<Arn>) -> bool {
    let name = name_of(of);
    let seen = arn.map_or(Observed::Absent, Observed::Value);
    if stage.arns[&name].resource().starts_with("role/") {
        stage.role(&name).boundary = seen;
    } else {
        stage.user(&name).boundary = seen;
    }
    true
}

/// The boundary allows what the technique needs, and the identity policies allow more.
fn boundary_limits(stage: &mut Stage<'_>, of: &ResourceRef, wanted: bool) -> bool {
    let name = name_of(of);
    let role = stage.arns[&name].resource().starts_with("role/");
    let set = if role {
        stage.role(&name).boundary.clone()
    } else {
        stage.user(&name).boundary.clone()
    };
    let Observed::Value(boundary) = set else {
        return false;
    };
    let actions: Vec<&str> = stage
        .requires
        .iter()
        .map(|required| required.action.as_str())
        .collect();
    let narrow: PolicyText = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": "*"}]})
    .into();
    let policies = stage.account().iam.policies.value_mut().expect("read");
    let policy = policies
        .get_mut(&boundary)
        .expect("the boundary is on stage");
    policy
        .versions
        .insert("v1".to_owned(), if wanted { narrow } else { allow("*") });
    let extra = [("extra".to_owned(), allow("dynamodb:*"))];
    if role {
        stage.role(&name).inline.extend(extra);
    } else {
        stage.user(&name).inline.extend(extra);
    }
    true
}

fn keys(stage: &mut Stage<'_>, user: &str, count: usize, status: KeyStatus) {
    let key = |n: usize| AccessKey {
        id: format!("{}{user}{n}", ["AK", "IA"].concat()),
        status,
        created: Some(Time(1_793_400_000)),
    };
    stage.user(user).access_keys = Observed::Value((0..count).map(key).collect());
}

fn count(
    stage: &mut Stage<'_>,
    what: Counted,
    of: &ResourceRef,
    test: Comparison,
    wanted: bool,
) -> bool {
    let number = match (test, wanted) {
        (Comparison::Less(n), true) | (Comparison::Equal(n) | Comparison::AtLeast(n), true) => {
            if matches!(test, Comparison::Less(_)) {
                n - 1
            } else {
                n
            }
        }
        (Comparison::More(n), true) => n + 1,
        (Comparison::Less(n) | Comparison::More(n), false) => n,
        (Comparison::AtLeast(n), false) => n - 1,
        (Comparison::Equal(n), false) => n + 1,
    };
    let number = number.max(0) as usize;
    let name = name_of(of);
    match what {
        Counted::AccessKeys | Counted::ActiveKeys => keys(stage, &name, number, KeyStatus::Active),
        Counted::InactiveKeys => keys(stage, &name, number, KeyStatus::Inactive),
        Counted::MfaDevices => {
            let devices = (0..number).map(|n| format!("device-{n}")).collect();
            stage.user(&name).mfa_devices = Observed::Value(devices);
        }
        Counted::ServiceCredentials => {
            stage.user(&name).service_credentials = Observed::Value(number as u64);
        }
        Counted::SshKeys => stage.user(&name).ssh_keys = Observed::Value(number as u64),
        Counted::Versions => {
            let arn = stage.arns[&name].clone();
            let policies = stage.account().iam.policies.value_mut().expect("read");
            let versions = &mut policies.get_mut(&arn).expect("on stage").versions;
            for n in 2..=number {
                versions
                    .entry(format!("v{n}"))
                    .or_insert_with(|| allow("dynamodb:Get*"));
            }
        }
        Counted::Groups | Counted::AttachedPolicies => return wanted,
    }
    true
}

fn broader(stage: &mut Stage<'_>, what: &ResourceRef, wanted: bool) -> bool {
    let name = name_of(what);
    let text = if wanted {
        allow("*")
    } else {
        PolicyText::default()
    };
    match what.kind {
        Kind::GROUP => {
            let groups = stage.account().iam.groups.value_mut().expect("read");
            let group = groups.get_mut(&name).expect("on stage");
            group.inline.insert("gives".to_owned(), text);
        }
        Kind::POLICY => {
            let arn = stage.arns[&name].clone();
            let policies = stage.account().iam.policies.value_mut().expect("read");
            let policy = policies.get_mut(&arn).expect("on stage");
            policy.versions.insert("v1".to_owned(), text);
        }
        _ => {
            let found = stage
                .listing(what.kind.name())
                .get_mut(&name)
                .expect("on stage");
            let policy = Observed::Value(text.as_str().into());
            found.attributes.insert("inline_policy".to_owned(), policy);
            found
                .attributes
                .insert("managed_policies".to_owned(), Observed::Absent);
        }
    }
    true
}

fn deny(stage: &mut Stage<'_>, source: &DenySource, of: &ResourceRef, wanted: bool) -> bool {
    let text: PolicyText = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": if wanted { "Deny" } else { "Allow" }, "Action": "dynamodb:*", "Resource": "*"}]})
    .into();
    let name = name_of(of);
    let role = stage.arns[&name].resource().starts_with("role/");
    let extra = [("extra".to_owned(), allow("dynamodb:*"))];
    let inline = if role {
        &mut stage.role(&name).inline
    } else {
        &mut stage.user(&name).inline
    };
    inline.extend(extra);
    match source {
        DenySource::Inline => drop(inline.insert("denies".to_owned(), text)),
        DenySource::Group(group) => {
            let groups = stage.account().iam.groups.value_mut().expect("read");
            let group = groups.get_mut(&name_of(group)).expect("on stage");
            group.inline.insert("denies".to_owned(), text);
        }
        DenySource::Policy(policy) => {
            let arn = stage.arns[&name_of(policy)].clone();
            let policies = stage.account().iam.policies.value_mut().expect("read");
            policies
                .get_mut(&arn)
                .expect("on stage")
                .versions
                .insert("v1".to_owned(), text);
        }
        DenySource::Managed => return false,
    }
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

fn public(stage: &mut Stage<'_>, of: &ResourceRef, action: &str, wanted: bool) -> bool {
    let resource = stage.arns[&name_of(of)].to_string();
    let statement = json!({"Effect": if wanted { "Allow" } else { "Deny" }, "Principal": "*",
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

fn organization(stage: &mut Stage<'_>, of: &ResourceRef, wanted: bool) -> bool {
    if of.variable() != Some("ext") || wanted {
        return false;
    }
    stage.snapshot.organization = Observed::Value(Organization {
        id: "o-palisade00".to_owned(),
        management_account: HOME.to_owned(),
        feature_set: "ALL".to_owned(),
        root: Observed::Value("r-root".to_owned()),
        accounts: Observed::Value([(HOME.to_owned(), Default::default())].into()),
        ..Organization::default()
    });
    true
}
