//! Builds the smallest snapshot in which a technique has something to work on.

use std::collections::BTreeMap;

use palisade_checks::technique::{
    ContextValue, Kind, Opt, Predicate, Requirement, ResourceRef, Selector, Technique,
};
use palisade_model::{
    Account, Arn, Bucket, Function, Group, InstanceProfile, ManagedPolicy, ObjectEntry, Observed,
    OidcProvider, PolicyText, Region, Resource, Role, SamlProvider, Snapshot, Time, User,
};
use serde_json::json;

pub(super) const HOME: &str = "111122223333";
/// A foreign account: that of a vendor.
pub(super) const STRANGER: &str = "464622532012";
pub(super) const REGION: &str = "us-east-1";
/// Every object lies in this bucket.
const STORE: &str = "store";

/// A snapshot in the making, and what the technique's variables stand for in it.
pub(super) struct Stage<'t> {
    pub(super) snapshot: Snapshot,
    pub(super) arns: BTreeMap<String, Arn>,
    /// What `$self` must be allowed: the technique's own requirements, and one option's of each
    /// group.
    pub(super) requires: Vec<&'t Requirement>,
    /// What must be true.
    pub(super) predicates: Vec<&'t Predicate>,
    pub(super) technique: &'t Technique,
}

impl<'t> Stage<'t> {
    /// Sets the stage for one choice of options.
    pub(super) fn new(technique: &'t Technique, options: &[&'t Opt]) -> Self {
        let requires: Vec<&Requirement> = technique
            .requires
            .iter()
            .chain(options.iter().flat_map(|option| &option.requires))
            .collect();
        let filters = requires.iter().flat_map(|required| &required.filter);
        let predicates: Vec<&Predicate> = filters
            .chain(&technique.preconditions)
            .chain(options.iter().flat_map(|option| &option.preconditions))
            .collect();
        let mut stage = Stage {
            snapshot: Snapshot {
                taken_at: Time(1_793_500_000),
                ..Snapshot::default()
            },
            arns: BTreeMap::new(),
            requires,
            predicates,
            technique,
        };
        stage
            .snapshot
            .accounts
            .insert(HOME.to_owned(), empty_account());
        stage.cast();
        stage
    }

    pub(super) fn account(&mut self) -> &mut Account {
        self.snapshot
            .accounts
            .get_mut(HOME)
            .expect("the stage has one account")
    }

    pub(super) fn region(&mut self) -> &mut Region {
        let regions = self
            .account()
            .regions
            .value_mut()
            .expect("regions were read");
        regions.get_mut(REGION).expect("the stage has one region")
    }

    /// The listing of a kind.
    pub(super) fn listing(&mut self, kind: &str) -> &mut BTreeMap<String, Resource> {
        let listing = self
            .region()
            .resources
            .get_mut(kind)
            .expect("every kind was listed");
        listing.value_mut().expect("the listing was read")
    }

    pub(super) fn role(&mut self, name: &str) -> &mut Role {
        let roles = self
            .account()
            .iam
            .roles
            .value_mut()
            .expect("roles were read");
        roles.get_mut(name).expect("the role is on stage")
    }

    pub(super) fn user(&mut self, name: &str) -> &mut User {
        let users = self
            .account()
            .iam
            .users
            .value_mut()
            .expect("users were read");
        users.get_mut(name).expect("the user is on stage")
    }

    /// Whether `$self` is a role here.
    pub(super) fn acts_as_role(&self) -> bool {
        let role = |reference: &&ResourceRef| {
            reference.kind == Kind::ROLE && reference.selector == Selector::SelfRef
        };
        self.predicates
            .iter()
            .any(|p| matches!(p, Predicate::IsRole(_)))
            || self.references().iter().any(role)
    }

    pub(super) fn references(&self) -> Vec<&'t ResourceRef> {
        let asked = self
            .predicates
            .iter()
            .flat_map(|predicate| predicate.references());
        let required = self
            .requires
            .iter()
            .flat_map(|required| required.references());
        asked.chain(required).collect()
    }

    /// Puts `$self` and everything a variable stands for on stage.
    fn cast(&mut self) {
        let own_kind = if self.acts_as_role() {
            Kind::ROLE
        } else {
            Kind::USER
        };
        self.put("self", own_kind);
        let mut references = self.references();
        // A plain principal takes the kind that another mention gives it.
        references.sort_by_key(|reference| reference.kind == Kind::PRINCIPAL);
        for reference in references {
            let Some(name) = reference.variable() else {
                continue;
            };
            if matches!(reference.selector, Selector::New(_)) || self.arns.contains_key(name) {
                continue;
            }
            let kind = match reference.kind {
                Kind::PRINCIPAL => Kind::USER,
                kind => kind,
            };
            self.put(name, kind);
        }
        let technique = self.technique;
        for predicate in technique.all_predicates() {
            self.read_as_absent(predicate);
        }
        for predicate in self.predicates.clone() {
            super::arrange::arrange(self, predicate, true);
        }
        self.trust_where_assumed();
    }

    /// Every attribute the technique asks for was read, and is not there.
    fn read_as_absent(&mut self, predicate: &Predicate) {
        use Predicate as P;
        match predicate {
            P::Not(inner) => self.read_as_absent(inner),
            P::Any(parts) | P::All(parts) => parts.iter().for_each(|p| self.read_as_absent(p)),
            P::Exists(_, filter) => filter.iter().for_each(|p| self.read_as_absent(p)),
            P::Attribute(of, path, _) if of.kind.is_listed() && path != "role" => {
                let name = of.variable().unwrap_or_default();
                if let Some(found) = self.listing(of.kind.name()).get_mut(name) {
                    found
                        .attributes
                        .entry(path.clone())
                        .or_insert(Observed::Absent);
                }
            }
            P::InternetFacing(of, _) => {
                let name = of.variable().unwrap_or_default();
                let found = self
                    .listing("ec2.instance")
                    .get_mut(name)
                    .expect("on stage");
                found
                    .attributes
                    .entry("public_ip_address".to_owned())
                    .or_insert(Observed::Absent);
            }
            P::SameVpc(a, b) => {
                for of in [a, b] {
                    let name = of.variable().unwrap_or_default();
                    if let Some(found) = self.listing(of.kind.name()).get_mut(name) {
                        found
                            .attributes
                            .entry("vpc_id".to_owned())
                            .or_insert(Observed::Absent);
                    }
                }
            }
            _ => {}
        }
    }

    /// A role that is assumed trusts who assumes it.
    fn trust_where_assumed(&mut self) {
        let own = self.arns["self"].clone();
        let assumed = self
            .requires
            .iter()
            .filter(|required| required.action.starts_with("sts:"));
        let names: Vec<String> = assumed
            .filter(|required| required.on.kind == Kind::ROLE)
            .filter_map(|required| required.on.variable().map(str::to_owned))
            .collect();
        for name in names {
            let statement = json!({"Effect": "Allow", "Principal": {"AWS": own.as_str()},
                "Action": ["sts:AssumeRole", "sts:TagSession"]});
            self.trust(&name, statement);
        }
    }

    /// Adds a statement to a role's trust policy.
    pub(super) fn trust(&mut self, role: &str, statement: serde_json::Value) {
        let trust = &mut self.role(role).trust;
        let mut document: serde_json::Value =
            serde_json::from_str(trust.as_str()).expect("trust policies on stage are JSON");
        document["Statement"]
            .as_array_mut()
            .expect("a list")
            .push(statement);
        *trust = document.into();
    }

    fn put(&mut self, name: &str, kind: Kind) {
        let arn = arn_of(kind, name);
        self.arns.insert(name.to_owned(), arn.clone());
        let own = name.to_owned();
        let iam = &mut self.account().iam;
        match kind {
            Kind::USER => {
                let user = User {
                    arn,
                    ..User::default()
                };
                iam.users.value_mut().expect("read").insert(own, user);
            }
            Kind::ROLE => {
                let role = Role {
                    arn,
                    ..Role::default()
                };
                iam.roles.value_mut().expect("read").insert(own, role);
            }
            Kind::GROUP => {
                let group = Group {
                    arn,
                    ..Group::default()
                };
                iam.groups.value_mut().expect("read").insert(own, group);
            }
            Kind::POLICY => {
                let policy = ManagedPolicy {
                    name: own,
                    default_version: "v1".to_owned(),
                    versions: [("v1".to_owned(), allow("dynamodb:*"))].into(),
                };
                iam.policies.value_mut().expect("read").insert(arn, policy);
            }
            Kind::FUNCTION => {
                let function = Function {
                    arn,
                    ..Function::default()
                };
                let functions = &mut self.region().functions;
                functions.value_mut().expect("read").insert(own, function);
            }
            Kind::BUCKET | Kind::BUCKET_CONTENT | Kind::OBJECT => self.put_in_store(&own, kind),
            Kind::ACCOUNT => {}
            _ if kind.is_listed() => {
                let mut resource = Resource {
                    arn,
                    ..Resource::default()
                };
                if kind.name() == "kms.key" {
                    let root = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                        "Principal": {"AWS": HOME}, "Action": "kms:*", "Resource": "*"}]});
                    resource.policy = Observed::Value(root.into());
                    let attributes = &mut resource.attributes;
                    attributes.insert("grants".to_owned(), Observed::Absent);
                }
                self.listing(kind.name()).insert(own, resource);
            }
            _ => self.put_provider(arn, kind),
        }
    }

    fn put_in_store(&mut self, name: &str, kind: Kind) {
        let buckets = self.account().s3.buckets.value_mut().expect("read");
        let bucket = buckets.entry(STORE.to_owned()).or_insert_with(|| Bucket {
            region: REGION.to_owned(),
            objects: Observed::Value(Default::default()),
            ..Bucket::default()
        });
        if kind == Kind::OBJECT {
            let listing = bucket.objects.value_mut().expect("objects were listed");
            listing.objects.push(ObjectEntry {
                key: name.to_owned(),
                ..ObjectEntry::default()
            });
            (listing.seen, listing.complete) = (1, true);
        }
    }

    fn put_provider(&mut self, arn: Arn, kind: Kind) {
        let iam = &mut self.account().iam;
        match kind.name() {
            "saml-provider" => {
                iam.saml_providers
                    .value_mut()
                    .expect("read")
                    .insert(arn, SamlProvider::default());
            }
            "oidc-provider" => {
                iam.oidc_providers
                    .value_mut()
                    .expect("read")
                    .insert(arn, OidcProvider::default());
            }
            "instance-profile" => {
                let profile = InstanceProfile {
                    name: arn.name().to_owned(),
                    arn,
                };
                let role = Role {
                    arn: arn_of(Kind::ROLE, "holder"),
                    instance_profiles: vec![profile],
                    ..Role::default()
                };
                iam.roles
                    .value_mut()
                    .expect("read")
                    .insert("holder".to_owned(), role);
            }
            _ => {}
        }
    }

    /// Lets `$self` do what is required, but for the requirements at these places.
    pub(super) fn grant(&mut self, except: Option<usize>) {
        let statements: Vec<_> = self
            .requires
            .iter()
            .enumerate()
            .filter(|(at, _)| Some(*at) != except)
            .map(|(_, required)| self.statement(required))
            .collect();
        let policy: PolicyText = json!({"Version": "2012-10-17", "Statement": statements}).into();
        let inline = [("needed".to_owned(), policy)];
        if self.acts_as_role() {
            self.role("self").inline.extend(inline);
        } else {
            self.user("self").inline.extend(inline);
        }
    }

    fn statement(&self, required: &Requirement) -> serde_json::Value {
        let known = required.on.variable().and_then(|name| self.arns.get(name));
        let resource = match (&required.on.selector, known) {
            (Selector::New(_) | Selector::Any | Selector::Named(_), _) | (_, None) => {
                "*".to_owned()
            }
            _ if !required.takes_resource() => "*".to_owned(),
            _ if required.on.kind == Kind::BUCKET_CONTENT => format!("arn:aws:s3:::{STORE}/*"),
            _ if required.on.kind == Kind::ACCOUNT => "*".to_owned(),
            (_, Some(arn)) => arn.to_string(),
        };
        let (mut conditions, mut likes) = (serde_json::Map::new(), serde_json::Map::new());
        for (key, value) in &required.context {
            match value {
                ContextValue::Text(text) => drop(conditions.insert(key.clone(), json!(text))),
                // Only what is made under such a name: nothing that exists fits.
                ContextValue::Ref(reference) if matches!(reference.selector, Selector::New(_)) => {
                    likes.insert(key.clone(), json!("*own-*"));
                }
                ContextValue::Ref(of) if of.kind == Kind::ACCOUNT => {
                    conditions.insert(key.clone(), json!(HOME));
                }
                ContextValue::Ref(reference) => {
                    let name = reference.variable().unwrap_or_default();
                    let arn = self.arns.get(name).map(ToString::to_string);
                    conditions.insert(key.clone(), json!(arn.unwrap_or_default()));
                }
                ContextValue::Endpoint { before, of } => {
                    let arn = of.variable().and_then(|name| self.arns.get(name));
                    let region = arn.map(|arn| arn.region().to_owned()).unwrap_or_default();
                    let endpoint = format!("{before}{region}.amazonaws.com");
                    conditions.insert(key.clone(), json!(endpoint));
                }
            }
        }
        let mut statement =
            json!({"Effect": "Allow", "Action": required.action, "Resource": resource});
        if !conditions.is_empty() {
            statement["Condition"]["StringEquals"] = conditions.into();
        }
        if !likes.is_empty() {
            statement["Condition"]["StringLike"] = likes.into();
        }
        statement
    }
}

/// An account in which everything was read and nothing is there.
fn empty_account() -> Account {
    let mut region = Region {
        functions: Observed::Value(BTreeMap::new()),
        buses: Observed::Value(BTreeMap::new()),
        topics: Observed::Value(BTreeMap::new()),
        ..Region::default()
    };
    for kind in Kind::all().filter(|kind| kind.is_listed()) {
        region
            .resources
            .insert(kind.name().to_owned(), Observed::Value(BTreeMap::new()));
    }
    for kind in [
        "ssm.managed-instance",
        "ec2.security-group-rule",
        "ec2.snapshot-block-public-access",
        "eks.pod-identity-association",
    ] {
        region
            .resources
            .insert(kind.to_owned(), Observed::Value(BTreeMap::new()));
    }
    let mut account = Account::default();
    account.iam.users = Observed::Value(BTreeMap::new());
    account.iam.roles = Observed::Value(BTreeMap::new());
    account.iam.groups = Observed::Value(BTreeMap::new());
    account.iam.policies = Observed::Value(BTreeMap::new());
    account.iam.saml_providers = Observed::Value(BTreeMap::new());
    account.iam.oidc_providers = Observed::Value(BTreeMap::new());
    account.iam.root = Observed::Value(Default::default());
    account.s3.buckets = Observed::Value(BTreeMap::new());
    account.regions = Observed::Value([(REGION.to_owned(), region)].into());
    account
}

/// The ARN of a resource of this kind and name on stage.
pub(super) fn arn_of(kind: Kind, name: &str) -> Arn {
    match kind {
        Kind::BUCKET | Kind::BUCKET_CONTENT => return Arn::new(format!("arn:aws:s3:::{STORE}")),
        Kind::OBJECT => return Arn::new(format!("arn:aws:s3:::{STORE}/{name}")),
        Kind::ACCOUNT => return Arn::new(format!("arn:aws:iam::{STRANGER}:root")),
        _ => {}
    }
    let format = kind
        .arn_format()
        .unwrap_or("arn:aws:none:${Region}:${Account}:${Name}");
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let (placeholder, tail) = after.split_once('}').expect("formats are closed");
        out.push_str(match placeholder {
            "Partition" => "aws",
            "Region" => REGION,
            "Account" => HOME,
            _ => name,
        });
        rest = tail;
    }
    // IAM names stand without a path here: `role/${RoleNameWithPath}`.
    Arn::new(out + rest)
}

/// A policy that allows these actions on everything.
pub(super) fn allow(actions: &str) -> PolicyText {
    json!({"Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
    .into()
}
