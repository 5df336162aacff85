//! A second policy evaluator: slow, plain, and sharing no code with the engine.
//!
//! It reads the same requests as `palisade simulate`, with every key known, straight from JSON,
//! and follows the documentation sentence by sentence. It knows the language of policies and the
//! layers; it does not know unknown keys, gaps or malformed policies.

use serde_json::Value;

#[path = "values.rs"]
mod values;

use values::{arn_like, in_block, like, list, number, texts};

/// `Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied`.
pub fn result(case: &Value) -> &'static str {
    let ask = Ask { case };
    if ask.action() == "sts:getcalleridentity" {
        return "Allowed";
    }
    if ask.denied() {
        "ExplicitlyDenied"
    } else if ask.within_ceilings() && ask.granted() {
        "Allowed"
    } else {
        "ImplicitlyDenied"
    }
}

struct Ask<'a> {
    case: &'a Value,
}

impl<'a> Ask<'a> {
    fn text(&self, field: &str) -> &'a str {
        self.case[field].as_str().unwrap_or_default()
    }

    fn action(&self) -> String {
        self.text("action").to_lowercase()
    }

    fn service(&self) -> String {
        self.action()
            .split(':')
            .next()
            .unwrap_or_default()
            .to_owned()
    }

    fn key(&self, name: &str) -> Option<Vec<String>> {
        let context = self.case["context"].as_object()?;
        let found = context
            .iter()
            .rfind(|(key, _)| key.eq_ignore_ascii_case(name))?;
        let values = texts(found.1);
        (!values.is_empty()).then_some(values)
    }

    // Who asks.

    fn account(&self) -> Option<&'a str> {
        let parts: Vec<&str> = self.text("principal").split(':').collect();
        let is_provider = parts.get(5).is_some_and(|rest| rest.contains("-provider/"));
        (parts.len() >= 6 && !is_provider).then(|| parts[4])
    }

    fn is_root(&self) -> bool {
        self.text("principal").ends_with(":root")
    }

    /// The role's ARN and its name, for roles and their sessions.
    fn role(&self) -> Option<(Option<String>, String)> {
        let principal = self.text("principal");
        if principal.contains(":role/") {
            let name = principal.rsplit('/').next()?.to_owned();
            return Some((Some(principal.to_owned()), name));
        }
        let name = principal
            .split(":assumed-role/")
            .nth(1)?
            .split('/')
            .next()?
            .to_owned();
        let arn = self
            .key("aws:PrincipalArn")
            .and_then(|mut values| values.pop());
        let home = format!(":iam::{}:role/", self.account()?);
        let arn = arn.filter(|arn| arn.contains(&home) && arn.ends_with(&format!("/{name}")));
        Some((arn, name))
    }

    fn is_service_linked(&self) -> bool {
        self.role()
            .is_some_and(|(_, name)| name.starts_with("AWSServiceRoleFor"))
    }

    fn same_account(&self) -> bool {
        let owner = self.case["resourceAccount"].as_str();
        let in_arn = self
            .text("resource")
            .split(':')
            .nth(4)
            .filter(|a| !a.is_empty());
        self.account()
            .is_some_and(|own| owner.or(in_arn).is_none_or(|owner| owner == own))
    }

    // One statement.

    fn applies(&self, statement: &Value, version: &str) -> bool {
        self.action_matches(statement)
            && self.resource_matches(statement, version)
            && self.conditions_hold(statement, version)
    }

    fn action_matches(&self, statement: &Value) -> bool {
        let covers = |element: &Value| {
            texts(element)
                .iter()
                .any(|p| like(&p.to_lowercase(), &self.action()))
        };
        match statement.get("Action") {
            Some(actions) => covers(actions),
            None => !covers(&statement["NotAction"]),
        }
    }

    fn resource_matches(&self, statement: &Value, version: &str) -> bool {
        let covers = |element: &Value| {
            texts(element).iter().any(|pattern| {
                let Some(pattern) = self.filled(pattern, version) else {
                    return false;
                };
                arn_like(&pattern, self.text("resource"))
            })
        };
        match (statement.get("Resource"), statement.get("NotResource")) {
            (Some(resources), _) => covers(resources),
            (None, Some(others)) => !covers(others),
            (None, None) => true,
        }
    }

    /// The text with its variables filled in; `None` when one has no value. Values hold no
    /// wildcards in the requests this evaluator is given.
    fn filled(&self, text: &str, version: &str) -> Option<String> {
        if version != "2012-10-17" {
            return Some(text.to_owned());
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}')?;
            out.push_str(before);
            let (name, default) = match name.split_once(", '") {
                Some((name, default)) => (name, Some(default.trim_end_matches('\'').to_owned())),
                None => (name, None),
            };
            let value = self.key(name).filter(|values| values.len() == 1);
            out.push_str(&value.map(|values| values[0].clone()).or(default)?);
            rest = tail;
        }
        out.push_str(rest);
        Some(out)
    }

    fn conditions_hold(&self, statement: &Value, version: &str) -> bool {
        let Some(block) = statement.get("Condition").and_then(Value::as_object) else {
            return true;
        };
        block.iter().all(|(operator, keys)| {
            let mut keys = keys.as_object().into_iter().flatten();
            keys.all(|(key, values)| self.condition_holds(operator, key, &texts(values), version))
        })
    }

    fn condition_holds(&self, operator: &str, key: &str, wanted: &[String], version: &str) -> bool {
        let found = self.key(key);
        if operator == "Null" {
            let absent = found.is_none().to_string();
            return wanted.contains(&absent);
        }
        let (set, base) = operator.split_once(':').unwrap_or(("", operator));
        let (base, if_exists) = match base.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (base, false),
        };
        let negated = base.contains("Not");
        let Some(values) = found else {
            return match set {
                "ForAllValues" => true,
                "ForAnyValue" => false,
                _ => if_exists || negated,
            };
        };
        let base = base.replace("Not", "");
        let hit = |value: &String| {
            wanted
                .iter()
                .any(|want| self.compares(&base, want, value, version))
        };
        match set {
            "ForAllValues" => {
                values.iter().all(String::is_empty) || values.iter().all(|v| hit(v) != negated)
            }
            "ForAnyValue" => values.iter().any(|v| hit(v) != negated),
            _ => values.iter().any(hit) != negated,
        }
    }

    fn compares(&self, base: &str, want: &str, value: &str, version: &str) -> bool {
        let textual = base.starts_with("String") || base.starts_with("Arn") || base == "Bool";
        let want = match textual {
            true => match self.filled(want, version) {
                Some(want) => want,
                None => return false,
            },
            false => want.to_owned(),
        };
        let order = |f: fn(f64, f64) -> bool| match (number(value), number(&want)) {
            (Some(a), Some(b)) => f(a, b),
            _ => false,
        };
        match base {
            "StringEquals" => want == value,
            "StringEqualsIgnoreCase" | "Bool" => want.to_lowercase() == value.to_lowercase(),
            "StringLike" => like(&want, value),
            "ArnEquals" | "ArnLike" => arn_like(&want, value),
            "NumericEquals" | "DateEquals" => order(|a, b| a == b),
            "NumericLessThan" | "DateLessThan" => order(|a, b| a < b),
            "NumericLessThanEquals" | "DateLessThanEquals" => order(|a, b| a <= b),
            "NumericGreaterThan" | "DateGreaterThan" => order(|a, b| a > b),
            "NumericGreaterThanEquals" | "DateGreaterThanEquals" => order(|a, b| a >= b),
            "IpAddress" => in_block(value, &want),
            _ => false,
        }
    }

    // Whom a statement means.

    /// The ways the caller is named: `direct`, `session`, `role`, `account`, `everyone`.
    fn naming(&self, element: &Value) -> Vec<&'static str> {
        let mut out = Vec::new();
        if element.as_str() == Some("*") {
            out.push("everyone");
        }
        for name in texts(&element["AWS"]) {
            out.extend(self.named_as(&name));
        }
        let principal = self.text("principal");
        let listed = |kind: &str| texts(&element[kind]).iter().any(|name| name == principal);
        if listed("Service") || listed("Federated") {
            out.push("direct");
        }
        out
    }

    fn named_as(&self, name: &str) -> Option<&'static str> {
        let principal = self.text("principal");
        if name == "*" {
            return Some("everyone");
        }
        let account = self.account()?;
        if name == account || name == format!("arn:aws:iam::{account}:root") {
            return Some("account");
        }
        if name == principal {
            return Some(match () {
                () if principal.contains(":sts:") || principal.contains(":assumed-role/") => {
                    "session"
                }
                () if principal.contains(":role/") => "role",
                () => "direct",
            });
        }
        let (arn, short) = self.role()?;
        let is_role = match arn {
            Some(arn) => name == arn,
            None => {
                name.starts_with(&format!("arn:aws:iam::{account}:role/"))
                    && name.rsplit('/').next() == Some(&short)
            }
        };
        is_role.then_some("role")
    }

    fn refused_by(&self, statement: &Value) -> bool {
        if let Some(named) = statement.get("Principal") {
            return !self.naming(named).is_empty();
        }
        let Some(spared) = statement.get("NotPrincipal") else {
            return true;
        };
        let names = self.naming(spared);
        if names.contains(&"everyone") {
            return false;
        }
        if self.account().is_some() && self.case.get("boundary").is_some() {
            return true;
        }
        let principal = self.text("principal");
        let needed: &[&str] = match () {
            () if principal.contains(":assumed-role/") => &["session", "role", "account"],
            () if principal.contains(":federated-user/") => &["session", "account"],
            () if self.is_root() => &["account"],
            () if principal.contains(":role/") => &["role", "account"],
            () if self.account().is_some() => &["direct", "account"],
            () if principal == "anonymous" => return true,
            () => &["direct"],
        };
        !needed.iter().all(|need| names.contains(need))
    }

    fn admitted_by(&self, statement: &Value) -> Vec<&'static str> {
        match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(named), _) => self.naming(named),
            (None, Some(others)) if self.naming(others).is_empty() => vec!["everyone"],
            _ => Vec::new(),
        }
    }

    // The layers.

    /// The statements of some policies that apply and have this effect, with the version.
    fn applying(&self, policies: &[&'a Value], effect: &str) -> Vec<&'a Value> {
        let mut out = Vec::new();
        for policy in policies {
            let version = policy["Version"].as_str().unwrap_or("2008-10-17");
            for statement in list(&policy["Statement"]) {
                if statement["Effect"] == effect && self.applies(statement, version) {
                    out.push(statement);
                }
            }
        }
        out
    }

    fn has(&self, field: &str) -> bool {
        self.case.get(field).is_some_and(|value| !value.is_null())
    }

    fn levels(&self, field: &str) -> Vec<Vec<&'a Value>> {
        list(&self.case[field]).into_iter().map(list).collect()
    }

    /// Fields that bind the caller for holding them.
    fn holder_fields(&self) -> Vec<&'static str> {
        match () {
            () if self.account().is_none() => Vec::new(),
            () if self.is_root() => vec!["sessionPolicy"],
            () if self.is_service_linked() => vec!["identityPolicies", "sessionPolicy"],
            () => vec!["identityPolicies", "boundary", "sessionPolicy"],
        }
    }

    fn bound_by_scps(&self) -> bool {
        self.has("scps") && self.account().is_some() && !self.is_service_linked()
    }

    fn rcps_act(&self) -> bool {
        let supported = [
            "s3",
            "sts",
            "kms",
            "sqs",
            "secretsmanager",
            "dynamodb",
            "ecr",
            "logs",
        ];
        supported.contains(&self.service().as_str())
            && self.action() != "kms:retiregrant"
            && !self.is_service_linked()
    }

    fn denied(&self) -> bool {
        let denies = |policies: Vec<&'a Value>| !self.applying(&policies, "Deny").is_empty();
        let holder = self
            .holder_fields()
            .into_iter()
            .any(|field| denies(list(&self.case[field])));
        let scps = self.bound_by_scps() && self.levels("scps").into_iter().any(denies);
        let meant = |policies: Vec<&'a Value>| {
            self.applying(&policies, "Deny")
                .iter()
                .any(|s| self.refused_by(s))
        };
        let rcps = self.rcps_act() && self.levels("rcps").into_iter().any(meant);
        holder
            || scps
            || rcps
            || meant(list(&self.case["resourcePolicy"]))
            || meant(list(&self.case["vpcEndpointPolicies"]))
    }

    fn within_ceilings(&self) -> bool {
        let allows = |policies: Vec<&'a Value>| !self.applying(&policies, "Allow").is_empty();
        let scps = !self.bound_by_scps() || self.levels("scps").into_iter().all(allows);
        let endpoint = list(&self.case["vpcEndpointPolicies"]);
        let unnamed = |s: &Value| s.get("Principal").or(s.get("NotPrincipal")).is_none();
        let admits = |s: &&Value| unnamed(s) || !self.admitted_by(s).is_empty();
        let through = !self.has("vpcEndpointPolicies")
            || self.applying(&endpoint, "Allow").iter().any(admits);
        scps && through
    }

    fn granted(&self) -> bool {
        let allows = |field: &str| !self.applying(&list(&self.case[field]), "Allow").is_empty();
        let policies = list(&self.case["resourcePolicy"]);
        let names: Vec<&str> = self
            .applying(&policies, "Allow")
            .iter()
            .flat_map(|statement| self.admitted_by(statement))
            .collect();
        let named = |how: &str| names.contains(&how);
        if self.account().is_none() {
            return named("direct") || named("everyone");
        }
        let bounded = self.holder_fields().contains(&"boundary") && self.has("boundary");
        let limits = (!bounded || allows("boundary"))
            && (!self.has("sessionPolicy") || allows("sessionPolicy"));
        let own = self.is_root() || allows("identityPolicies");
        if !self.same_account() {
            return !names.is_empty() && own && limits && self.works_across_accounts();
        }
        let rest = self
            .text("resource")
            .splitn(6, ':')
            .nth(5)
            .unwrap_or_default();
        let strict = (self.service() == "kms" && rest.starts_with("key/"))
            || (self.service() == "sts" && rest.starts_with("role/"));
        named("direct")
            || named("session")
            || named("everyone")
            || (named("role") && limits)
            || (own && limits && (!strict || named("account")))
    }
}

impl Ask<'_> {
    /// Of the calls that requests here make, those of IAM have no resource-based policy; some
    /// calls that manage queues, keys and bucket policies serve their own account only.
    fn works_across_accounts(&self) -> bool {
        let action = self.action();
        let own_only = [
            "kms:putkeypolicy",
            "kms:schedulekeydeletion",
            "s3:putbucketpolicy",
            "sqs:deletequeue",
            "sqs:setqueueattributes",
        ];
        self.service() != "iam" && !own_only.contains(&action.as_str())
    }
}
