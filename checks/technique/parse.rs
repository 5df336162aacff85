//! The grammar of requirements and predicates.
//!
//! ```text
//! REQUIREMENT := ACTION "on" REF ["where" PREDICATE ("and" PREDICATE)*] ["with" KEY=VALUE, …]
//! REF         := KIND ":" ("$" NAME | "*" | TEXT) | "$self" | "$target"
//! PREDICATE   := "not" PREDICATE | NAME "(" ARGUMENTS ")" [COMPARISON] | REF "." PATH TEST
//! TEST        := "=" REF | "includes" REF | "is" TEXT | ("in" | "like") "[" TEXT, … "]"
//!              | COMPARISON
//! COMPARISON  := ("<" | ">" | ">=" | "=") NUMBER
//! ```
//!
//! Every error says what was read and what was expected there.

use super::{
    Comparison, ContextValue, Counted, DenySource, Federated, Kind, Predicate, Qualifier,
    Requirement, ResourceRef, RootWeakness, Selector, Subject, TemplateVersion, Test, Trusted,
    Visitor,
};

type Parsed<T> = Result<T, String>;

/// Reads one requirement.
pub(super) fn requirement(text: &str) -> Parsed<Requirement> {
    let (action, rest) = text
        .split_once(" on ")
        .ok_or_else(|| format!("`{text}` must read `ACTION on KIND:NAME`"))?;
    let (rest, context) = match rest.rsplit_once(" with ") {
        Some((rest, context)) => (rest, self::context(context)?),
        None => (rest, Vec::new()),
    };
    let (on, filter) = match rest.split_once(" where ") {
        Some((on, filter)) => (on, conjunction(filter)?),
        None => (rest, Vec::new()),
    };
    Ok(Requirement {
        action: action.trim().to_owned(),
        on: reference(on)?,
        filter,
        context,
    })
}

fn context(text: &str) -> Parsed<Vec<(String, ContextValue)>> {
    split(text, ',')
        .into_iter()
        .map(|pair| {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| format!("`{pair}` must read `KEY=VALUE`"))?;
            let value = if value.contains('$') {
                ContextValue::Ref(reference(value)?)
            } else {
                ContextValue::Text(value.trim().to_owned())
            };
            Ok((key.trim().to_owned(), value))
        })
        .collect()
}

fn conjunction(text: &str) -> Parsed<Vec<Predicate>> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b' ' if depth == 0 && text[at..].starts_with(" and ") => {
                parts.push(&text[start..at]);
                start = at + " and ".len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(predicate).collect()
}

/// Reads one reference.
pub(super) fn reference(text: &str) -> Parsed<ResourceRef> {
    let text = text.trim();
    let (kind, name) = match text.split_once(':') {
        Some((kind, name)) => {
            let known = Kind::named(kind)
                .ok_or_else(|| format!("`{text}` names the unknown kind `{kind}`"))?;
            (known, name)
        }
        None if text == "$self" || text == "$target" => (Kind::PRINCIPAL, text),
        None => {
            return Err(format!(
                "`{text}` must read `KIND:NAME`, `$self` or `$target`"
            ));
        }
    };
    let selector = match name.strip_prefix('$') {
        Some("self") => Selector::SelfRef,
        Some("target") => Selector::Target,
        Some(new) if new == "new" || new.starts_with("new_") => Selector::New(new.to_owned()),
        Some(var) if !var.is_empty() && var.bytes().all(is_word) => Selector::Var(var.to_owned()),
        Some(_) => return Err(format!("`{text}` names a variable that is not a word")),
        None if name == "*" => Selector::Any,
        None if name.is_empty() => return Err(format!("`{text}` names nothing")),
        None => Selector::Named(name.to_owned()),
    };
    Ok(ResourceRef { kind, selector })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}

/// Reads one predicate.
pub(super) fn predicate(text: &str) -> Parsed<Predicate> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("not ") {
        return Ok(Predicate::Not(Box::new(predicate(rest)?)));
    }
    let name = text
        .split(|c: char| !c.is_ascii_lowercase() && c != '_')
        .next();
    match name {
        Some(name) if !name.is_empty() && text[name.len()..].starts_with('(') => {
            let close = closing(text, name.len())
                .ok_or_else(|| format!("`{text}` has a parenthesis that is not closed"))?;
            let call = Call {
                text,
                arguments: &text[name.len() + 1..close],
                rest: text[close + 1..].trim(),
            };
            call.read(name)
        }
        _ => attribute(text),
    }
}

/// Where the parenthesis that opens at `open` closes.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Cuts at `separator` outside of brackets.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            c if c == separator && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    if parts.len() == 1 && parts[0].is_empty() {
        parts.clear();
    }
    parts
}

/// `REF.PATH TEST`: the dot after the variable's name begins the path.
fn attribute(text: &str) -> Parsed<Predicate> {
    let wrong = || format!("`{text}` is no predicate");
    let (subject, test) = text.split_once(' ').ok_or_else(wrong)?;
    let name = subject.find(":$").ok_or_else(wrong)?;
    let dot = name + subject[name..].find('.').ok_or_else(wrong)?;
    let (of, path) = (reference(&subject[..dot])?, &subject[dot + 1..]);
    if path.is_empty() || !path.bytes().all(|b| is_word(b) || b == b'.') {
        return Err(format!("`{text}` has no attribute name after the dot"));
    }
    Ok(Predicate::Attribute(
        of,
        path.to_owned(),
        self::test(test.trim())?,
    ))
}

fn test(text: &str) -> Parsed<Test> {
    let (word, value) = text.split_once(' ').unwrap_or((text, ""));
    let value = value.trim();
    Ok(match word {
        "=" if value.contains(':') || value.starts_with('$') => Test::Names(reference(value)?),
        "includes" => Test::Includes(reference(value)?),
        "is" if value == "missing" => Test::Missing,
        "is" if !value.is_empty() => Test::Is(value.to_owned()),
        "in" => Test::In(list(value)?),
        "like" => Test::Like(list(value)?),
        _ => Test::Number(comparison(text)?),
    })
}

fn comparison(text: &str) -> Parsed<Comparison> {
    let (word, value) = text.split_once(' ').unwrap_or((text, ""));
    let number = value
        .trim()
        .parse()
        .map_err(|_| format!("`{text}` must be a comparison with a number"))?;
    Ok(match word {
        "<" => Comparison::Less(number),
        ">" => Comparison::More(number),
        ">=" => Comparison::AtLeast(number),
        "=" => Comparison::Equal(number),
        _ => return Err(format!("`{text}` must begin with `<`, `>`, `>=` or `=`")),
    })
}

fn list(text: &str) -> Parsed<Vec<String>> {
    text.strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .map(|text| split(text, ',').into_iter().map(str::to_owned).collect())
        .ok_or_else(|| format!("`{text}` must be a list in brackets"))
}

/// A predicate written as a call.
struct Call<'a> {
    text: &'a str,
    arguments: &'a str,
    rest: &'a str,
}

impl Call<'_> {
    fn read(&self, name: &str) -> Parsed<Predicate> {
        use Predicate as P;
        if name != "count" && !self.rest.is_empty() {
            return Err(format!("`{}` goes on after its parenthesis", self.text));
        }
        Ok(match name {
            "any" => P::Any(self.parts(';')?),
            "all" => P::All(self.parts(';')?),
            "is_user" => P::IsUser(self.one()?),
            "is_role" => P::IsRole(self.one()?),
            "different" => self.two(P::Different)?,
            "service_linked" => P::ServiceLinked(self.one()?),
            "sso_reserved" => P::SsoReserved(self.one()?),
            "named" => {
                let [of, names] = self.arguments()?;
                P::Named(reference(of)?, list(names)?)
            }
            "member" => self.two(P::Member)?,
            "attached" => self.two(P::Attached)?,
            "boundary_of" => self.two(P::BoundaryOf)?,
            "customer_managed" => P::CustomerManaged(self.one()?),
            "broader_version" => P::BroaderVersion(self.one()?),
            "broader" => self.two(P::Broader)?,
            "broader_boundary" => self.two(P::BroaderBoundary)?,
            "administers" => P::Administers(self.one()?),
            "has_boundary" => P::HasBoundary(self.one()?),
            "boundary_limits" => P::BoundaryLimits(self.one()?),
            "deny_held_by" => self.deny()?,
            "count" => self.count()?,
            "login_profile" => P::LoginProfile(self.one()?),
            "leaked_key" => P::LeakedKey(self.one()?),
            "stale_key" => P::StaleKey(self.one()?),
            "trusts" => self.trusts()?,
            "trusts_anyone" => {
                let (arguments, keys) = self.lacking()?;
                P::TrustsAnyone(reference(arguments)?, keys)
            }
            "trusts_own_account" => P::TrustsOwnAccount(self.one()?),
            "loose_subject" => self.subject()?,
            "lets_in" => {
                let [role, pool, who] = self.arguments()?;
                P::LetsIn(reference(role)?, reference(pool)?, visitor(who)?)
            }
            "assumable_if_trusted" => P::AssumableIfTrusted(self.one()?),
            "gated_by" => {
                let [key, who] = self.arguments()?;
                P::GatedBy(key.to_owned(), reference(who)?)
            }
            "held_by_tag" => {
                let [key, who] = self.arguments()?;
                P::HeldByTag(key.to_owned(), reference(who)?)
            }
            "may" => {
                let [who, what] = self.arguments()?;
                P::May(reference(who)?, Box::new(requirement(what)?))
            }
            "has_instance_profile" => P::HasInstanceProfile(self.one()?),
            "exists" => self.exists()?,
            other => self.resource(other)?,
        })
    }

    /// The predicates about resources of services, and about the organization.
    fn resource(&self, name: &str) -> Parsed<Predicate> {
        use Predicate as P;
        Ok(match name {
            "triggered" => {
                let [function, version] = self.arguments()?;
                P::Triggered(reference(function)?, qualifier(version)?)
            }
            "open_url" => P::OpenUrl(self.one()?),
            "signed_code_only" => P::SignedCodeOnly(self.one()?),
            "public" => {
                let [of, action] = self.arguments()?;
                P::Public(reference(of)?, action.to_owned())
            }
            "open_to" => {
                let [of, whom, action] = self.arguments()?;
                P::OpenTo(reference(of)?, reference(whom)?, action.to_owned())
            }
            "credential_in" => self.two(P::CredentialIn)?,
            "held" => P::Held(self.one()?),
            "code_on" => P::CodeOn(self.one()?),
            "ssm_managed" => P::SsmManaged(self.one()?),
            "internet_facing" => match split(self.arguments, ',').as_slice() {
                [of] => P::InternetFacing(reference(of)?, None),
                [of, port] => {
                    let port = port.parse().map_err(|_| format!("`{port}` is no port"))?;
                    P::InternetFacing(reference(of)?, Some(port))
                }
                _ => return Err(format!("`{}` takes a resource and a port", self.text)),
            },
            "launched_from" => {
                let [of, version] = self.arguments()?;
                P::LaunchedFrom(reference(of)?, template_version(version)?)
            }
            "runs_with" => self.two(P::RunsWith)?,
            "same_vpc" => self.two(P::SameVpc)?,
            "own_account" => P::OwnAccount(self.one()?),
            "sharing_blocked" => P::SharingBlocked(self.one()?),
            "public_policy_blocked" => P::PublicPolicyBlocked(self.one()?),
            "provisioned_from" => self.two(P::ProvisionedFrom)?,
            "vendor" => P::Vendor(self.one()?),
            "in_organization" => P::InOrganization(self.one()?),
            "known_account" => P::KnownAccount(self.one()?),
            "in_management_account" => P::InManagementAccount(self.one()?),
            "administers_organization" => {
                let [who, service] = self.arguments()?;
                P::AdministersOrganization(reference(who)?, service.to_owned())
            }
            "trusted_access" => {
                let [service] = self.arguments()?;
                P::TrustedAccess(service.to_owned())
            }
            "root_sessions" => {
                let [] = self.arguments()?;
                P::RootSessions
            }
            "root_mailbox" => P::RootMailbox(self.one()?),
            "restrained" => P::Restrained(self.one()?),
            "root_weak" => {
                let [weakness, account] = self.arguments()?;
                P::RootWeak(root_weakness(weakness)?, reference(account)?)
            }
            _ => return Err(format!("`{name}` is no predicate")),
        })
    }

    fn arguments<const N: usize>(&self) -> Parsed<[&str; N]> {
        let arguments = split(self.arguments, ',');
        arguments.try_into().map_err(|found: Vec<_>| {
            format!(
                "`{}` takes {N} arguments, and has {}",
                self.text,
                found.len()
            )
        })
    }

    fn one(&self) -> Parsed<ResourceRef> {
        let [only] = self.arguments()?;
        reference(only)
    }

    fn two(&self, make: fn(ResourceRef, ResourceRef) -> Predicate) -> Parsed<Predicate> {
        let [first, second] = self.arguments()?;
        Ok(make(reference(first)?, reference(second)?))
    }

    fn parts(&self, separator: char) -> Parsed<Vec<Predicate>> {
        let parts = split(self.arguments, separator);
        if parts.len() < 2 {
            return Err(format!(
                "`{}` needs two predicates or more, cut by `;`",
                self.text
            ));
        }
        parts.into_iter().map(predicate).collect()
    }

    /// Takes `, lacking [KEY, …]` off the end.
    fn lacking(&self) -> Parsed<(&str, Vec<String>)> {
        match self.arguments.split_once(", lacking ") {
            Some((arguments, keys)) => Ok((arguments, list(keys)?)),
            None => Ok((self.arguments, Vec::new())),
        }
    }

    fn trusts(&self) -> Parsed<Predicate> {
        let (arguments, keys) = self.lacking()?;
        let (role, who) = arguments
            .split_once(',')
            .ok_or_else(|| format!("`{}` must name a role and whom it trusts", self.text))?;
        let who = who.trim();
        let who = match who.split_once(':') {
            Some(("service", name)) => Trusted::Service(name.to_owned()),
            Some(("federated", name)) if !name.contains('$') => {
                Trusted::Federated(Federated::Host(name.to_owned()))
            }
            Some(("federated", name)) => {
                let provider = reference(&format!("oidc-provider:{name}"))?;
                Trusted::Federated(Federated::Provider(provider))
            }
            Some(("saml", name)) => {
                let provider = reference(&format!("saml-provider:{name}"))?;
                Trusted::Federated(Federated::Provider(provider))
            }
            Some(("account", _)) => Trusted::Account(reference(who)?),
            _ => Trusted::Principal(reference(who)?),
        };
        Ok(Predicate::Trusts(reference(role)?, who, keys))
    }

    fn deny(&self) -> Parsed<Predicate> {
        let [source, who] = self.arguments()?;
        let source = match source {
            "inline" => DenySource::Inline,
            "managed" => DenySource::Managed,
            other => {
                let from = reference(other)?;
                match from.kind {
                    Kind::GROUP => DenySource::Group(from),
                    Kind::POLICY => DenySource::Policy(from),
                    _ => return Err(format!("`{other}` cannot hold a deny")),
                }
            }
        };
        Ok(Predicate::DenyHeldBy(source, reference(who)?))
    }

    fn count(&self) -> Parsed<Predicate> {
        let [what, of] = self.arguments()?;
        let counted = Counted::ALL
            .into_iter()
            .find(|(_, word)| *word == what)
            .ok_or_else(|| format!("`{what}` cannot be counted"))?;
        Ok(Predicate::Count(
            counted.0,
            reference(of)?,
            comparison(self.rest)?,
        ))
    }

    fn subject(&self) -> Parsed<Predicate> {
        let [role, cases] = self.arguments()?;
        let cases = list(cases)?
            .iter()
            .map(|case| match case.as_str() {
                "missing" => Ok(Subject::Missing),
                "wildcard" => Ok(Subject::Wildcard),
                "leading" => Ok(Subject::Leading),
                "pull-request" => Ok(Subject::PullRequest),
                "any-assertion" => Ok(Subject::AnyAssertion),
                other => Err(format!("`{other}` is no way a subject can be loose")),
            })
            .collect::<Parsed<Vec<_>>>()?;
        Ok(Predicate::LooseSubject(reference(role)?, cases))
    }

    fn exists(&self) -> Parsed<Predicate> {
        let (what, filter) = match self.arguments.split_once(" where ") {
            Some((what, filter)) => (what, conjunction(filter)?),
            None => (self.arguments, Vec::new()),
        };
        let what = if what.contains(':') {
            reference(what)?
        } else {
            reference(&format!("{what}:*"))?
        };
        Ok(Predicate::Exists(what, filter))
    }
}

fn qualifier(word: &str) -> Parsed<Qualifier> {
    match word {
        "latest" => Ok(Qualifier::Latest),
        "alias" => Ok(Qualifier::Alias),
        other => Err(format!("`{other}` must be `latest` or `alias`")),
    }
}

fn template_version(word: &str) -> Parsed<TemplateVersion> {
    match word {
        "default" => Ok(TemplateVersion::Default),
        "latest" => Ok(TemplateVersion::Latest),
        other => Err(format!("`{other}` must be `default` or `latest`")),
    }
}

fn visitor(word: &str) -> Parsed<Visitor> {
    match word {
        "guests" => Ok(Visitor::Guest),
        "users" => Ok(Visitor::User),
        other => Err(format!("`{other}` must be `guests` or `users`")),
    }
}

fn root_weakness(word: &str) -> Parsed<RootWeakness> {
    match word {
        "access-keys" => Ok(RootWeakness::AccessKeys),
        "no-mfa" => Ok(RootWeakness::NoMfa),
        other => Err(format!("`{other}` is no weakness of the root user")),
    }
}
