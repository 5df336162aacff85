//! What could not be read leaves a technique open: never proven, never gone.

use palisade_checks::technique::{
    Counted, DenySource, Kind, Predicate, ResourceRef, Test, Trusted,
};
use palisade_model::{Observed, PolicyText};
use serde_json::Value;

use super::stage::Stage;
use super::ways::detour;
use super::{each, label, reached};

fn denied<T>() -> Observed<T> {
    Observed::denied("nobody:MayRead")
}

/// Takes away what a predicate reads, and nothing else; `false` where a snapshot cannot say that
/// this is missing.
fn darken(stage: &mut Stage<'_>, predicate: &Predicate) -> bool {
    use Predicate as P;
    match predicate {
        P::Not(inner) => darken(stage, inner),
        P::Any(parts) | P::All(parts) => parts
            .iter()
            .fold(true, |all, part| darken(stage, part) && all),
        P::Exists(what, filter) if filter.is_empty() && what.kind.is_listed() => {
            let kind = what.kind.name().to_owned();
            stage.region().resources.insert(kind, denied());
            true
        }
        P::Exists(what, filter) if what.kind.is_listed() => filter
            .iter()
            .fold(true, |all, part| darken(stage, part) && all),
        // Nor which account an unread list names.
        P::Attribute(_, _, Test::Includes(to)) if to.kind == Kind::ACCOUNT => false,
        P::Attribute(of, path, _) => attribute(stage, of, path),
        P::Count(what, of, _) => count(stage, *what, of),
        P::LoginProfile(of) => {
            stage.user(name(of)).login_profile = denied();
            true
        }
        P::StaleKey(of) | P::LeakedKey(of) => {
            stage.user(name(of)).access_keys = denied();
            true
        }
        // Which account an unreadable trust policy names, nobody can tell.
        P::Trusts(_, Trusted::Account(_), _) => false,
        P::Trusts(role, ..)
        | P::TrustsAnyone(role, _)
        | P::TrustsOwnAccount(role)
        | P::LetsIn(role, ..)
        | P::LooseSubject(role, _) => {
            stage.role(name(role)).trust = PolicyText::new("{ cut off");
            true
        }
        P::HasBoundary(of) | P::BoundaryLimits(of) => {
            match is_role(stage, of) {
                true => stage.role(name(of)).boundary = denied(),
                false => stage.user(name(of)).boundary = denied(),
            }
            true
        }
        P::BroaderVersion(policy) | P::Broader(policy, _) | P::BroaderBoundary(policy, _)
            if policy.kind == Kind::POLICY =>
        {
            let arn = stage.arns[name(policy)].clone();
            let policies = stage.account().iam.policies.value_mut().expect("read");
            let versions = &mut policies.get_mut(&arn).expect("on stage").versions;
            let unreadable = versions.values_mut();
            unreadable.for_each(|text| *text = PolicyText::new("{ cut off"));
            true
        }
        P::DenyHeldBy(DenySource::Group(group), _) | P::Broader(group, _)
            if group.kind == Kind::GROUP =>
        {
            let groups = stage.account().iam.groups.value_mut().expect("read");
            let inline = &mut groups.get_mut(name(group)).expect("on stage").inline;
            let unreadable = inline.values_mut();
            unreadable.for_each(|text| *text = PolicyText::new("{ cut off"));
            true
        }
        P::RootWeak(..) => {
            stage.account().iam.root = denied();
            true
        }
        P::InOrganization(_) => {
            stage.snapshot.organization = denied();
            true
        }
        _ => workload(stage, predicate),
    }
}

fn name(of: &ResourceRef) -> &str {
    of.variable().unwrap_or_default()
}

fn is_role(stage: &Stage<'_>, of: &ResourceRef) -> bool {
    stage.arns[name(of)].resource().starts_with("role/")
}

fn attribute(stage: &mut Stage<'_>, of: &ResourceRef, path: &str) -> bool {
    match of.kind {
        Kind::FUNCTION => {
            let functions = stage.region().functions.value_mut().expect("read");
            let function = functions.get_mut(name(of)).expect("on stage");
            if path == "reserved_concurrency" {
                function.reserved_concurrency = denied();
            }
            path == "reserved_concurrency"
        }
        Kind::BUCKET | Kind::OBJECT => {
            let buckets = stage.account().s3.buckets.value_mut().expect("read");
            let bucket = buckets.get_mut("store").expect("on stage");
            match path {
                "ownership" => bucket.ownership = denied(),
                "versioning" => bucket.versioning = denied(),
                "encryption" => {
                    let listing = bucket.objects.value_mut().expect("listed");
                    for object in &mut listing.objects {
                        object.encryption = denied();
                    }
                    bucket.encryption = denied();
                }
                "kms_key" => bucket.kms_key = denied(),
                _ => return false,
            }
            true
        }
        kind => set(stage, kind.name(), name(of), path),
    }
}

/// Takes one attribute of a listed resource away.
fn set(stage: &mut Stage<'_>, kind: &str, name: &str, path: &str) -> bool {
    let Some(found) = stage.listing(kind).get_mut(name) else {
        return false;
    };
    match path {
        "role" => found.role = denied(),
        _ => drop(found.attributes.insert(path.to_owned(), denied::<Value>())),
    }
    true
}

fn count(stage: &mut Stage<'_>, what: Counted, of: &ResourceRef) -> bool {
    let user = match what {
        Counted::Versions | Counted::Groups | Counted::AttachedPolicies => return false,
        _ => stage.user(name(of)),
    };
    match what {
        Counted::MfaDevices => user.mfa_devices = denied(),
        Counted::ServiceCredentials => user.service_credentials = denied(),
        Counted::SshKeys => user.ssh_keys = denied(),
        _ => user.access_keys = denied(),
    }
    true
}

fn workload(stage: &mut Stage<'_>, predicate: &Predicate) -> bool {
    use Predicate as P;
    let on_function = |stage: &mut Stage<'_>,
                       of: &ResourceRef,
                       change: &dyn Fn(&mut palisade_model::Function)| {
        let functions = stage.region().functions.value_mut().expect("read");
        change(functions.get_mut(name(of)).expect("on stage"));
        true
    };
    match predicate {
        P::Triggered(of, _) => on_function(stage, of, &|f| f.event_sources = denied()),
        P::OpenUrl(of) => on_function(stage, of, &|f| f.urls = denied()),
        P::SignedCodeOnly(of) => on_function(stage, of, &|f| f.code_signing = denied()),
        P::Public(of, _) | P::OpenTo(of, ..) => match of.kind {
            Kind::FUNCTION => on_function(stage, of, &|f| f.policy = denied()),
            Kind::BUCKET | Kind::OBJECT => {
                let buckets = stage.account().s3.buckets.value_mut().expect("read");
                buckets.get_mut("store").expect("on stage").policy = denied();
                true
            }
            kind => {
                let found = stage.listing(kind.name()).get_mut(name(of));
                found.expect("on stage").policy = denied();
                matches!(predicate, P::Public(..))
            }
        },
        P::CredentialIn(place, _) => match place.kind {
            Kind::OBJECT => {
                let buckets = stage.account().s3.buckets.value_mut().expect("read");
                let bucket = buckets.get_mut("store").expect("on stage");
                let listing = bucket.objects.value_mut().expect("listed");
                let objects = listing.objects.iter_mut();
                objects.for_each(|object| object.matches = denied());
                true
            }
            Kind::FUNCTION => false,
            kind => set(stage, kind.name(), name(place), "key_ids"),
        },
        P::RunByRule(_) => {
            stage.region().buses = denied();
            true
        }
        P::SsmManaged(of) => {
            let node = stage.arns[name(of)].name().to_owned();
            set(stage, "ssm.managed-instance", &node, "ping_status")
        }
        P::InternetFacing(of, _) => set(stage, of.kind.name(), name(of), "public_ip_address"),
        P::CodeOn(of) => set(stage, of.kind.name(), name(of), "role"),
        P::LaunchedFrom(..) => set(stage, "autoscaling.group", "asg", "launch_template"),
        P::SameVpc(a, _) => set(stage, a.kind.name(), name(a), "vpc_id"),
        P::SharingBlocked(_) => set(
            stage,
            "ec2.snapshot-block-public-access",
            "account",
            "state",
        ),
        P::PublicPolicyBlocked(_) => {
            stage.account().s3.public_access_block = denied();
            true
        }
        _ => false,
    }
}

#[test]
fn a_gap_at_each_precondition_leaves_it_open() {
    each(250, |technique, choice, faults| {
        let mut tried = 0;
        let count = Stage::new(technique, choice).predicates.len();
        for at in 0..count {
            let mut stage = Stage::new(technique, choice);
            let predicate = stage.predicates[at];
            if !darken(&mut stage, predicate) {
                continue;
            }
            let detour = detour(technique, choice, &stage, predicate);
            stage.grant(None);
            let (sure, possible) = reached(&stage.snapshot, technique);
            if (sure && !detour) || !possible {
                let label = label(technique, choice);
                faults.push(format!("{label} unread {predicate}: {sure} {possible}"));
            }
            tried += 1;
        }
        tried
    });
}

#[test]
fn an_unread_boundary_leaves_it_open() {
    each(250, |technique, choice, faults| {
        let mut stage = Stage::new(technique, choice);
        if stage.requires.is_empty() || !stage_has_no_boundary(&mut stage) {
            return 0;
        }
        stage.grant(None);
        let gap = Observed::denied("iam:GetAccountAuthorizationDetails");
        if stage.acts_as_role() {
            stage.role("self").boundary = gap;
        } else {
            stage.user("self").boundary = gap;
        }
        let (sure, possible) = reached(&stage.snapshot, technique);
        if sure || !possible {
            faults.push(format!("{}: {sure} {possible}", label(technique, choice)));
        }
        1
    });
}

fn stage_has_no_boundary(stage: &mut Stage<'_>) -> bool {
    // A user named in a role's trust policy needs no identity-side grant to assume it, and a
    // boundary does not cap that.
    let assumes = stage
        .requires
        .iter()
        .all(|required| required.action.starts_with("sts:"));
    let own = match stage.acts_as_role() {
        true => stage.role("self").boundary.clone(),
        false => stage.user("self").boundary.clone(),
    };
    !assumes && own.is_absent()
}
