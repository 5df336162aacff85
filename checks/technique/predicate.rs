//! What a technique may ask of the estate: a closed list of typed questions.
//!
//! A predicate is true, false or unknown; the facts it reads and its rule for each answer stand
//! in `checks/SCHEMA.md`, its evaluation in the graph room. How predicates are written is in
//! `parse.rs`; [`Predicate`]'s `Display` writes them back the same way.

use std::fmt;

use super::Kind;

/// What a requirement or predicate speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceRef {
    /// The kind.
    pub kind: Kind,
    /// Which one of the kind.
    pub selector: Selector,
}

/// Which resource of its kind is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// `$self`: the principal that acts.
    SelfRef,
    /// `$target`: what is gained.
    Target,
    /// `$f`: one existing resource, the same wherever the name stands.
    Var(String),
    /// `$new` or `$new_…`: a resource that does not exist yet. The attacker picks its name, and
    /// one name must satisfy every requirement that uses it.
    New(String),
    /// `*`: any resource of the kind the caller picks, on its own in each requirement.
    Any,
    /// One that is named: `policy:arn:aws:iam::aws:policy/AdministratorAccess`.
    Named(String),
}

/// One side of a comparison with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `< n`.
    Less(i64),
    /// `> n`.
    More(i64),
    /// `>= n`.
    AtLeast(i64),
    /// `= n`.
    Equal(i64),
}

/// What an attribute is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// `= role:$target`: it names this resource, by ARN, name, id or (objects) `s3://` address.
    Names(ResourceRef),
    /// `includes $lc`: it is a list, and one entry names this resource.
    Includes(ResourceRef),
    /// `is running`: equal to this text, a truth value or number written as text.
    Is(String),
    /// `in [A, B]`: equal to one of these.
    In(Vec<String>),
    /// `< 5`, `> 1`, …
    Number(Comparison),
    /// `like [*PULL_REQUEST*]`: it fits one of these patterns, without regard to case.
    Like(Vec<String>),
    /// `is missing`: the service answered that there is none.
    Missing,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// Access keys of a user, whatever their status.
    AccessKeys,
    /// Access keys that work.
    ActiveKeys,
    /// Access keys that are switched off.
    InactiveKeys,
    /// MFA devices of a user.
    MfaDevices,
    /// Stored versions of a managed policy.
    Versions,
    /// Groups of a user.
    Groups,
    /// Managed policies attached to a user or role.
    AttachedPolicies,
    /// Service-specific credentials of a user, per service at most two.
    ServiceCredentials,
    /// SSH public keys of a user.
    SshKeys,
}

impl Counted {
    /// All of them with the word techniques use.
    pub const ALL: [(Counted, &'static str); 9] = [
        (Counted::AccessKeys, "access-keys"),
        (Counted::ActiveKeys, "active-access-keys"),
        (Counted::InactiveKeys, "inactive-access-keys"),
        (Counted::MfaDevices, "mfa-devices"),
        (Counted::Versions, "versions"),
        (Counted::Groups, "groups"),
        (Counted::AttachedPolicies, "attached-policies"),
        (Counted::ServiceCredentials, "service-credentials"),
        (Counted::SshKeys, "ssh-keys"),
    ];

    /// The word techniques use.
    pub fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(counted, _)| *counted == self)
            .map_or("", |(_, word)| word)
    }
}

/// Whom a trust policy names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// `service:lambda.amazonaws.com`; `service:*` is any service.
    Service(String),
    /// `account:$ext`: an account other than the role's own.
    Account(ResourceRef),
    /// `federated:$idp`, `saml:$idp` (a provider of the account), or a host with wildcards such
    /// as `federated:oidc.eks.*`.
    Federated(Federated),
    /// `role:$r`, `user:$u`, `$self`: this principal, asked with an identity-side allow.
    Principal(ResourceRef),
}

/// An identity provider in a trust policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Federated {
    /// A provider of the account, bound to a variable.
    Provider(ResourceRef),
    /// A host, `*` standing for any run of characters.
    Host(String),
}

/// Where an explicit deny that holds a principal reaches it from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DenySource {
    /// An inline policy of its own.
    Inline,
    /// A managed policy attached to it.
    Managed,
    /// A group it is in.
    Group(ResourceRef),
    /// One managed policy.
    Policy(ResourceRef),
}

/// Which version of a function a trigger runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Qualifier {
    /// The unqualified function, or `$LATEST`.
    Latest,
    /// An alias.
    Alias,
}

/// Which version of a launch template a group runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TemplateVersion {
    /// The version marked as default.
    Default,
    /// The newest version.
    Latest,
}

/// How a subject condition of a federated trust is too loose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// No subject condition, or one that is true when the claim is missing.
    Missing,
    /// The tenant is fixed but a wildcard lets in every repository, branch or service account.
    Wildcard,
    /// A wildcard stands before the tenant, so that strangers fit.
    Leading,
    /// Pull requests fit.
    PullRequest,
    /// A SAML trust asks nothing of the assertion, not even for whom it was made.
    AnyAssertion,
}

/// Who comes out of an identity pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visitor {
    /// Anybody, without signing in.
    Guest,
    /// Somebody who signed in with a provider of the pool.
    User,
}

/// A weakness of the root user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RootWeakness {
    /// It has access keys.
    AccessKeys,
    /// It can sign in and has no MFA device.
    NoMfa,
}

/// One question about the estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// `not P`.
    Not(Box<Predicate>),
    /// `any(P; P)`.
    Any(Vec<Predicate>),
    /// `all(P; P)`, inside `any` alone.
    All(Vec<Predicate>),
    /// `is_user($self)`.
    IsUser(ResourceRef),
    /// `is_role($self)`.
    IsRole(ResourceRef),
    /// `different($target, $self)`.
    Different(ResourceRef, ResourceRef),
    /// `service_linked(role:$target)`: an AWS service owns the role.
    ServiceLinked(ResourceRef),
    /// `sso_reserved(role:$target)`: Identity Center owns the role.
    SsoReserved(ResourceRef),
    /// `named(role:$target, [stacksets-exec-*])`.
    Named(ResourceRef, Vec<String>),
    /// `member(user:$self, group:$g)`.
    Member(ResourceRef, ResourceRef),
    /// `attached(policy:$p, $self)`: directly or through a group.
    Attached(ResourceRef, ResourceRef),
    /// `boundary_of(policy:$b, $self)`.
    BoundaryOf(ResourceRef, ResourceRef),
    /// `customer_managed(policy:$p)`.
    CustomerManaged(ResourceRef),
    /// `broader_version(policy:$p)`: a stored version that is not in force allows more.
    BroaderVersion(ResourceRef),
    /// `broader(policy:$p, $self)`: it allows something the principal's own policies do not.
    Broader(ResourceRef, ResourceRef),
    /// `broader_boundary(policy:$p, $self)`: as a boundary it would allow more than the present.
    BroaderBoundary(ResourceRef, ResourceRef),
    /// `administers(group:$g)`: its policies allow every action on every resource.
    Administers(ResourceRef),
    /// `has_boundary($self)`.
    HasBoundary(ResourceRef),
    /// `boundary_limits($self)`: the identity policies allow something the boundary does not.
    BoundaryLimits(ResourceRef),
    /// `deny_held_by(inline, $self)`: explicit denies come from there and hold back something
    /// the principal's policies allow.
    DenyHeldBy(DenySource, ResourceRef),
    /// `count(access-keys, user:$target) < 2`.
    Count(Counted, ResourceRef, Comparison),
    /// `login_profile(user:$target)`: there is a console password.
    LoginProfile(ResourceRef),
    /// `leaked_key(user:$target)`: a key of the user was found where others can read.
    LeakedKey(ResourceRef),
    /// `stale_key(user:$target)`: an active key is old, or was never used.
    StaleKey(ResourceRef),
    /// `trusts(role:$target, service:lambda.amazonaws.com, lacking [aws:SourceArn])`: an Allow
    /// statement of the trust policy fits, and none of its positive conditions tests these keys.
    Trusts(ResourceRef, Trusted, Vec<String>),
    /// `trusts_anyone(role:$target, lacking [aws:PrincipalOrgID])`.
    TrustsAnyone(ResourceRef, Vec<String>),
    /// `trusts_own_account(role:$target)`: the whole account of the role may assume it.
    TrustsOwnAccount(ResourceRef),
    /// `loose_subject(role:$target, [missing, wildcard])`.
    LooseSubject(ResourceRef, Vec<Subject>),
    /// `lets_in(role:$target, cognito-identity.identity-pool:$p, guests)`: the audience and the way
    /// of signing in that the trust policy asks for are those of the pool's guests, or `users`.
    LetsIn(ResourceRef, ResourceRef, Visitor),
    /// `assumable_if_trusted(role:$target)`: were `$self` named in the trust policy, it could
    /// assume the role: nothing on its own side or in the organization denies it.
    AssumableIfTrusted(ResourceRef),
    /// `enterable(role:$target, sts:AssumeRole)`: were somebody outside named in the trust policy,
    /// the organization would let him in by this call.
    Enterable(ResourceRef, String),
    /// `gated_by(aws:PrincipalTag/*, $self)`: an Allow of the principal, or of a trust policy
    /// that names it, lacks nothing but this condition key.
    GatedBy(String, ResourceRef),
    /// `held_by_tag(aws:PrincipalTag/*, $self)`: the principal is held back as long as it bears a
    /// tag: a Deny tests the key, or an Allow asks that the tag is another, or missing.
    HeldByTag(String, ResourceRef),
    /// `may(role:$admin, sts:AssumeRole on role:$target)`: another principal is allowed this.
    May(ResourceRef, Box<super::Requirement>),
    /// `has_instance_profile(role:$target)`.
    HasInstanceProfile(ResourceRef),
    /// `$f.role = role:$target`, `$i.state is running`.
    Attribute(ResourceRef, String, Test),
    /// `exists(ecs.cluster)`, `exists(glue.job:$j where $j.role = role:$target)`.
    Exists(ResourceRef, Vec<Predicate>),
    /// `triggered(function:$f, latest)`: something else runs it.
    Triggered(ResourceRef, Qualifier),
    /// `open_url(function:$f)`: a function URL that asks for no authentication.
    OpenUrl(ResourceRef),
    /// `signed_code_only(function:$f)`: unsigned code is refused.
    SignedCodeOnly(ResourceRef),
    /// `public(bucket:$b, s3:GetObject)`: the action is open to everybody.
    Public(ResourceRef, String),
    /// `open_to(kms.key:$k, account:$ext, kms:Decrypt)`: its policy lets this account in.
    OpenTo(ResourceRef, ResourceRef, String),
    /// `credential_in(function:$f, $target)`: what is stored there is a credential of it.
    CredentialIn(ResourceRef, ResourceRef),
    /// `held(role:$host)`: the graph already gives it to `$self`.
    Held(ResourceRef),
    /// `code_on(ec2.instance:$i)`: `$self` already runs code there.
    CodeOn(ResourceRef),
    /// `run_by_rule(states.state-machine:$m)`: an enabled rule has it as a target.
    RunByRule(ResourceRef),
    /// `launchable_with(role:$target)`: no condition on the instance profile keeps `$self` from
    /// starting an instance with one of the role's.
    LaunchableWith(ResourceRef),
    /// `ssm_managed(ec2.instance:$i)`: the Systems Manager agent answers.
    SsmManaged(ResourceRef),
    /// `internet_facing(ec2.instance:$i)` or `(…, 22)`: reachable from the internet, on a port.
    InternetFacing(ResourceRef, Option<u16>),
    /// `launched_from(ec2.launch-template:$lt, latest)`: a group runs this version of it.
    LaunchedFrom(ResourceRef, TemplateVersion),
    /// `runs_with(ecs.container-instance:$ci, role:$target)`: a workload placed there runs as it.
    RunsWith(ResourceRef, ResourceRef),
    /// `same_vpc(ec2.instance-connect-endpoint:$e, ec2.instance:$i)`.
    SameVpc(ResourceRef, ResourceRef),
    /// `public_policy_blocked(bucket:$b)`: S3 refuses a new public policy on it.
    PublicPolicyBlocked(ResourceRef),
    /// `own_account(secretsmanager.secret:$s)`: it lies in the account of whoever acts.
    OwnAccount(ResourceRef),
    /// `sharing_blocked(ec2.snapshot:$s)`: its region blocks all public sharing of snapshots, those
    /// that were public before among them.
    ///
    /// Source: "Block public access for Amazon EBS snapshots", Amazon EBS User Guide, 2026-10.
    SharingBlocked(ResourceRef),
    /// `provisioned_from(role:$self, sso.permission-set:$ps)`: Identity Center made the role of
    /// this permission set.
    ProvisionedFrom(ResourceRef, ResourceRef),
    /// `vendor(account:$ext)`: it belongs to a provider that works in its customers' accounts.
    Vendor(ResourceRef),
    /// `in_organization(account:$ext)`.
    InOrganization(ResourceRef),
    /// `known_account(account:$ext)`: the configuration names it as one of ours or a partner.
    KnownAccount(ResourceRef),
    /// `in_management_account($self)`.
    InManagementAccount(ResourceRef),
    /// `administers_organization($self, sso.amazonaws.com)`: the management account, or a
    /// delegated administrator for that service.
    AdministersOrganization(ResourceRef, String),
    /// `trusted_access(sso.amazonaws.com)`: the organization lets the service in.
    TrustedAccess(String),
    /// `root_sessions()`: central root access with privileged sessions is on.
    RootSessions,
    /// `root_mailbox(account:$member)`: the mail of the account's root user can be read. No call
    /// tells, so nobody ever answers.
    RootMailbox(ResourceRef),
    /// `restrained(account:$account)`: an SCP or RCP other than full access applies to it.
    Restrained(ResourceRef),
    /// `root_weak(no-mfa, account:$account)`.
    RootWeak(RootWeakness, ResourceRef),
}

impl fmt::Display for ResourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != Kind::PRINCIPAL {
            write!(f, "{}:", self.kind)?;
        }
        match &self.selector {
            Selector::SelfRef => f.write_str("$self"),
            Selector::Target => f.write_str("$target"),
            Selector::Var(name) | Selector::New(name) => write!(f, "${name}"),
            Selector::Any => f.write_str("*"),
            Selector::Named(name) => f.write_str(name),
        }
    }
}

impl ResourceRef {
    /// The name after `$`, for anything that is bound.
    pub fn variable(&self) -> Option<&str> {
        match &self.selector {
            Selector::SelfRef => Some("self"),
            Selector::Target => Some("target"),
            Selector::Var(name) | Selector::New(name) => Some(name),
            Selector::Any | Selector::Named(_) => None,
        }
    }
}

impl Predicate {
    /// Every resource it speaks of, those of predicates inside it too.
    pub fn references(&self) -> Vec<&ResourceRef> {
        use Predicate as P;
        match self {
            P::Not(inner) => inner.references(),
            P::Any(parts) | P::All(parts) => parts.iter().flat_map(P::references).collect(),
            P::Different(a, b)
            | P::Member(a, b)
            | P::Attached(a, b)
            | P::BoundaryOf(a, b)
            | P::Broader(a, b)
            | P::BroaderBoundary(a, b)
            | P::CredentialIn(a, b)
            | P::RunsWith(a, b)
            | P::SameVpc(a, b)
            | P::ProvisionedFrom(a, b)
            | P::OpenTo(a, b, _)
            | P::LetsIn(a, b, _)
            | P::DenyHeldBy(DenySource::Group(a) | DenySource::Policy(a), b)
            | P::Attribute(a, _, Test::Names(b) | Test::Includes(b))
            | P::Trusts(a, Trusted::Account(b) | Trusted::Principal(b), _)
            | P::Trusts(a, Trusted::Federated(Federated::Provider(b)), _) => vec![a, b],
            P::May(who, what) => std::iter::once(who).chain(what.references()).collect(),
            P::Exists(what, filter) => std::iter::once(what)
                .chain(filter.iter().flat_map(P::references))
                .collect(),
            P::TrustedAccess(_) | P::RootSessions => Vec::new(),
            P::IsUser(a)
            | P::IsRole(a)
            | P::ServiceLinked(a)
            | P::SsoReserved(a)
            | P::Named(a, _)
            | P::CustomerManaged(a)
            | P::BroaderVersion(a)
            | P::Administers(a)
            | P::HasBoundary(a)
            | P::BoundaryLimits(a)
            | P::DenyHeldBy(_, a)
            | P::Count(_, a, _)
            | P::LoginProfile(a)
            | P::LeakedKey(a)
            | P::StaleKey(a)
            | P::Trusts(a, ..)
            | P::TrustsAnyone(a, _)
            | P::TrustsOwnAccount(a)
            | P::LooseSubject(a, _)
            | P::AssumableIfTrusted(a)
            | P::Enterable(a, _)
            | P::GatedBy(_, a)
            | P::HeldByTag(_, a)
            | P::HasInstanceProfile(a)
            | P::Attribute(a, ..)
            | P::Triggered(a, _)
            | P::OpenUrl(a)
            | P::SignedCodeOnly(a)
            | P::Public(a, _)
            | P::Held(a)
            | P::CodeOn(a)
            | P::RunByRule(a)
            | P::LaunchableWith(a)
            | P::SsmManaged(a)
            | P::InternetFacing(a, _)
            | P::LaunchedFrom(a, _)
            | P::PublicPolicyBlocked(a)
            | P::SharingBlocked(a)
            | P::OwnAccount(a)
            | P::Vendor(a)
            | P::InOrganization(a)
            | P::KnownAccount(a)
            | P::InManagementAccount(a)
            | P::AdministersOrganization(a, _)
            | P::Restrained(a)
            | P::RootMailbox(a)
            | P::RootWeak(_, a) => vec![a],
        }
    }
}

impl super::Requirement {
    /// Every resource it speaks of.
    pub fn references(&self) -> Vec<&ResourceRef> {
        let filter = self.filter.iter().flat_map(Predicate::references);
        let context = self.context.iter().filter_map(|(_, value)| match value {
            super::ContextValue::Ref(of) | super::ContextValue::Endpoint { of, .. } => Some(of),
            super::ContextValue::Text(_) => None,
        });
        std::iter::once(&self.on)
            .chain(filter)
            .chain(context)
            .collect()
    }
}
