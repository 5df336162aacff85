//! Tries every outsider from every place against the policies around a resource, and keeps the
//! requests that would be allowed. What is reported open is open for a request that is written
//! down; what is reported closed was closed for every request the policies can tell apart.

use std::collections::BTreeSet;

use crate::policy::document::{Effect, PrincipalKind, Statement};
use crate::policy::{CompiledPolicy, CompiledStatement, Context, Request, Tri};

use super::audience::Barrier;
use super::network::Region;
use super::outsider::{Kind, Outsider, Place};
use super::states::{States, Target};
use super::words::{example, variables};

/// More combinations of caller-chosen values than this are not enumerated: what is left over
/// counts as unknown.
const MAX_COMBINATIONS: usize = 4096;

/// A statement that refuses.
pub(super) struct Denial<'p> {
    pub(super) barrier: Barrier,
    pub(super) compiled: &'p CompiledStatement,
    pub(super) written: &'p Statement,
}

/// What grants: a statement, or something that asks for no conditions, such as an ACL.
pub(super) enum Granting<'p> {
    Statement(&'p CompiledStatement, &'p Statement),
    Kinds(fn(&Kind) -> bool),
}

/// One resource to try, and the pattern it stands for; `None` stands for the whole.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) arn: String,
    pub(super) pattern: Option<String>,
}

/// A request that gets through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    pub(super) reach: Reach,
    pub(super) action: &'static str,
    /// `None`: any resource will do.
    pub(super) pattern: Option<String>,
}

/// Which circle a request that got through speaks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    Everyone,
    AnyAccount,
    Addresses {
        region: Region,
        signed: bool,
    },
    Endpoint {
        vpc: Option<String>,
        endpoint: Option<String>,
        signed: bool,
    },
    /// A network that belongs to an account or organization by name.
    NetworkOf(String),
    /// A foreign account, organization or principal by name.
    Stranger(String),
    /// Some account of the own organization.
    Member,
    /// Whoever may ask a distribution.
    Cdn,
}

/// How to take what is not known, and what to leave out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lens<'l> {
    /// What is unknown lets the request through.
    pub(super) open: bool,
    /// Barriers taken as not there.
    pub(super) without: &'l BTreeSet<Barrier>,
}

/// Everything needed to try requests on one resource.
#[derive(Clone, Copy)]
pub(super) struct Search<'s> {
    pub(super) target: &'s Target<'s>,
    pub(super) outsiders: &'s [Outsider],
    pub(super) places: &'s [Place],
    pub(super) denials: &'s [Denial<'s>],
    pub(super) lens: Lens<'s>,
    /// Only signed requests are served.
    pub(super) signed_only: bool,
}

impl Search<'_> {
    /// Every kind of request for these actions on these resources that gets through by way of
    /// `granting`.
    pub(super) fn hits(
        &self,
        granting: &Granting<'_>,
        actions: &[&'static str],
        resources: &[Candidate],
    ) -> BTreeSet<Hit> {
        let mut hits = BTreeSet::new();
        for action in actions {
            let lower = action.to_ascii_lowercase();
            if let Granting::Statement(statement, _) = granting
                && !statement.covers_action(&lower)
            {
                continue;
            }
            for who in self
                .outsiders
                .iter()
                .filter(|who| self.may_ask(who, granting))
            {
                for place in self.places {
                    let Some(reach) = reach(who, place) else {
                        continue;
                    };
                    for resource in resources {
                        if self.gets_through(granting, who, place, action, &lower, resource) {
                            let pattern = resource.pattern.clone();
                            hits.insert(Hit {
                                reach: reach.clone(),
                                action,
                                pattern,
                            });
                        }
                    }
                }
            }
        }
        hits
    }

    fn may_ask(&self, who: &Outsider, granting: &Granting<'_>) -> bool {
        if self.signed_only && who.kind == Kind::Anyone {
            return false;
        }
        match granting {
            Granting::Statement(compiled, written) => grants(compiled, written, who),
            Granting::Kinds(fits) => fits(&who.kind),
        }
    }

    fn gets_through(
        &self,
        granting: &Granting<'_>,
        who: &Outsider,
        place: &Place,
        action: &str,
        lower: &str,
        resource: &Candidate,
    ) -> bool {
        let denials: Vec<&Denial<'_>> = self
            .denials
            .iter()
            .filter(|denial| !self.lens.without.contains(&denial.barrier))
            .filter(|denial| denial.compiled.covers_action(lower))
            .filter(|denial| denial.compiled.principal.refuses(&who.caller, false))
            .collect();
        let mut keys = BTreeSet::new();
        if let Granting::Statement(_, written) = granting {
            keys_of(written, &mut keys);
        }
        for denial in &denials {
            keys_of(denial.written, &mut keys);
        }
        let arn = fill(
            &resource.arn,
            &|key| match self.target.states(key, who, place) {
                States::Any(states) => states.into_iter().flatten().flatten().next(),
                States::Unknown => None,
            },
        );
        let dimensions: Vec<(String, States)> = keys
            .into_iter()
            .map(|key| {
                let states = self.target.states(&key, who, place);
                (key, states)
            })
            .collect();
        combinations(&dimensions, |context| {
            let request = Request::by(
                who.caller.clone(),
                action,
                &arn,
                Some(self.target.account),
                context,
            );
            let allowed = match granting {
                Granting::Statement(statement, _) => applies(statement, &request),
                Granting::Kinds(_) => Tri::Yes,
            };
            self.says_yes(allowed, &denials, &request)
        })
    }

    fn says_yes(&self, allowed: Tri, denials: &[&Denial<'_>], request: &Request) -> bool {
        let (enough, too_much) = if self.lens.open {
            (Tri::Maybe, Tri::Yes)
        } else {
            (Tri::Yes, Tri::Maybe)
        };
        allowed >= enough
            && !denials
                .iter()
                .any(|denial| applies(denial.compiled, request) >= too_much)
    }
}

/// Whether the statement holds for the request, its principal apart. An operator that nobody
/// knows leaves it open whether it does.
fn applies(statement: &CompiledStatement, request: &Request) -> Tri {
    let says = statement.applies(request);
    if statement.unreadable && says == Tri::Yes {
        Tri::Maybe
    } else {
        says
    }
}

/// Whether the statement's principal element means the outsider.
fn grants(compiled: &CompiledStatement, written: &Statement, who: &Outsider) -> bool {
    // `{"CanonicalUser": "*"}` is one more way to write everybody.
    let everyone = written
        .principal
        .iter()
        .flatten()
        .any(|name| name.kind == PrincipalKind::CanonicalUser && name.value == "*");
    everyone || compiled.principal.grants(&who.caller).is_some()
}

/// Which circle it proves when this outsider gets through from this place; `None` when it says
/// nothing that another combination does not say better.
fn reach(who: &Outsider, place: &Place) -> Option<Reach> {
    let signed = match &who.kind {
        Kind::Anyone => false,
        Kind::ProviderUser(_) | Kind::AnyAccount => true,
        Kind::Organization(name)
        | Kind::Account(name)
        | Kind::Principal(name)
        | Kind::ServiceFor(name) => return Some(Reach::Stranger(name.clone())),
        Kind::Member => return Some(Reach::Member),
    };
    let open = if matches!(who.kind, Kind::AnyAccount) {
        Reach::AnyAccount
    } else {
        Reach::Everyone
    };
    Some(match place {
        Place::Internet => open,
        Place::Addresses(region) => Reach::Addresses {
            region: *region,
            signed,
        },
        Place::Endpoint {
            vpc,
            endpoint,
            account,
            organization,
        } => {
            let name = |(id, named): &(String, bool)| named.then(|| id.clone());
            match (
                name(vpc),
                name(endpoint),
                name(account).or(name(organization)),
            ) {
                // An endpoint of one's own needs an AWS account, though no signature.
                (None, None, None) => Reach::AnyAccount,
                (None, None, Some(owner)) => Reach::NetworkOf(owner),
                (vpc, endpoint, _) => Reach::Endpoint {
                    vpc,
                    endpoint,
                    signed,
                },
            }
        }
        Place::ForeignAccessPoint {
            account: (_, false),
        } => Reach::AnyAccount,
        Place::ForeignAccessPoint {
            account: (name, true),
        } => Reach::Stranger(name.clone()),
        Place::AccessPoint {
            from: Some(region), ..
        } => Reach::Addresses {
            region: *region,
            signed,
        },
        Place::AccessPoint { vpc, .. } if vpc.is_empty() => open,
        Place::AccessPoint { vpc, .. } => Reach::Endpoint {
            vpc: Some(vpc.clone()),
            endpoint: None,
            signed,
        },
    })
}

fn keys_of(statement: &Statement, keys: &mut BTreeSet<String>) {
    let mut add = |text: &str| keys.extend(variables(text).map(str::to_ascii_lowercase));
    for pattern in statement
        .resources
        .iter()
        .chain(&statement.not_resources)
        .flatten()
    {
        add(pattern);
    }
    for condition in &statement.conditions {
        for value in &condition.values {
            add(value);
        }
    }
    keys.extend(
        statement
            .conditions
            .iter()
            .map(|c| c.key.to_ascii_lowercase()),
    );
}

/// Puts values in for `${key}`; what has none becomes a plain word.
fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        let key = name
            .split(',')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        out.push_str(&value(&key).unwrap_or_else(|| "palisade".to_owned()));
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Whether `test` holds for some combination of the states. A key that would make too many
/// combinations is left unknown.
fn combinations(dimensions: &[(String, States)], test: impl Fn(Context) -> bool) -> bool {
    let mut fixed = Context::closed();
    let mut open: Vec<(&str, &[Option<Vec<String>>])> = Vec::new();
    let mut count = 1_usize;
    for (key, states) in dimensions {
        match states {
            States::Unknown => drop(fixed.set_unknown(key)),
            States::Any(states) => match states.as_slice() {
                [one] => put(&mut fixed, key, one.as_deref()),
                many if count.saturating_mul(many.len()) <= MAX_COMBINATIONS => {
                    count *= many.len().max(1);
                    open.push((key, many));
                }
                _ => drop(fixed.set_unknown(key)),
            },
        }
    }
    (0..count).any(|mut number| {
        let mut context = fixed.clone();
        for (key, states) in &open {
            put(&mut context, key, states[number % states.len()].as_deref());
            number /= states.len();
        }
        test(context)
    })
}

fn put(context: &mut Context, key: &str, state: Option<&[String]>) {
    match state {
        Some(values) => drop(context.set_all(key, values.iter().map(String::as_str))),
        None => drop(context.set_absent(key)),
    }
}

/// The statements of a policy that grant, and those that refuse.
pub(super) fn statements(
    policy: &CompiledPolicy,
) -> impl Iterator<Item = (&CompiledStatement, &Statement)> {
    let written = policy
        .document()
        .into_iter()
        .flat_map(|document| &document.statements);
    policy.statements.iter().zip(written)
}

/// Actions, and the resources to try them on.
pub(super) type Tries = (Vec<&'static str>, Vec<Candidate>);

/// What each Allow of a policy lets through of these requests.
pub(super) fn allows<'p>(
    policy: &'p CompiledPolicy,
    requests: &'p [Tries],
    search: &'p Search<'_>,
) -> impl Iterator<Item = (&'p Statement, BTreeSet<Hit>)> {
    let allowing = statements(policy).filter(|(compiled, _)| compiled.effect == Effect::Allow);
    allowing.map(move |(compiled, written)| {
        let way = Granting::Statement(compiled, written);
        let hits = requests
            .iter()
            .flat_map(|(actions, resources)| search.hits(&way, actions, resources));
        (written, hits.collect())
    })
}

/// Resources below `prefix` (such as `arn:aws:s3:::bucket/`) that tell the patterns apart.
pub(super) fn below<'w>(
    prefix: &str,
    patterns: impl IntoIterator<Item = &'w String>,
) -> Vec<Candidate> {
    let mut out = vec![Candidate {
        arn: format!("{prefix}palisade-unlisted"),
        pattern: None,
    }];
    let mut seen = BTreeSet::new();
    for pattern in patterns {
        let rest = pattern.splitn(6, ':').nth(5).unwrap_or(pattern);
        for (at, _) in rest.match_indices('/') {
            let tail = example(&rest[at + 1..]);
            if !tail.is_empty() && seen.insert(tail.clone()) {
                let arn = format!("{prefix}{tail}");
                out.push(Candidate {
                    arn,
                    pattern: Some(pattern.clone()),
                });
            }
        }
    }
    out
}
