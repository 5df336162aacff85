//! Every IAM action AWS documents, with its resource types and the types of condition keys.
//!
//! A name that is not here is a mistake in our data or newer than the table, and either must be
//! seen: an action nobody can name is an action nobody evaluates.
//!
//! Source: AWS Service Authorization Reference, by way of iam-data (MIT); the date stands in
//! `facts/actions.tsv`. `facts/actions-supplement.tsv` holds what that table lacks, each row with
//! its reason.

use std::sync::OnceLock;

/// How AWS classes what an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Reads the content of resources.
    Read,
    /// Lists that resources exist.
    List,
    /// Creates, changes or deletes.
    Write,
    /// Changes tags only.
    Tagging,
    /// Grants or changes permissions.
    Permissions,
}

/// One action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// The service prefix, as in policies: `s3`.
    pub service: &'static str,
    /// The name after the colon, in the documented case.
    pub name: &'static str,
    /// Its class.
    pub access: Access,
    /// The resource types as listed, required ones ending in `!`.
    resource_types: &'static str,
}

impl Action {
    /// Whether it takes a resource at all. An action without resource types is checked against
    /// the resource `*`, which only a statement with `Resource` `*` matches.
    pub fn takes_resource(&self) -> bool {
        !self.resource_types.is_empty()
    }

    /// The names of its resource types, and whether each is required.
    pub fn resource_types(&self) -> impl Iterator<Item = (&'static str, bool)> + use<> {
        let types = self.resource_types;
        types
            .split(',')
            .filter(|t| !t.is_empty())
            .map(|t| match t.strip_suffix('!') {
                Some(name) => (name, true),
                None => (t, false),
            })
    }

    /// `service:Name`.
    pub fn full_name(&self) -> String {
        format!("{}:{}", self.service, self.name)
    }
}

/// One service: a prefix and what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionService {
    /// The prefix used in policies.
    pub prefix: &'static str,
    /// The name people use.
    pub title: &'static str,
    /// Its actions, sorted by name without regard to case.
    pub actions: Vec<Action>,
}

/// What kind of value a condition key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyType {
    /// The kind of one value.
    pub kind: KeyKind,
    /// Whether a request may carry several.
    pub multivalued: bool,
}

/// The kinds of condition key values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// Text.
    Text,
    /// An ARN.
    Arn,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A date.
    Date,
    /// An address.
    Ip,
}

/// The table. Get it from [`actions`].
#[derive(Debug)]
pub struct ActionTable {
    date: &'static str,
    services: Vec<ActionService>,
    keys: Vec<(String, KeyType)>,
    types: Vec<(&'static str, &'static str, &'static str)>,
}

static ACTIONS: &str = include_str!("facts/actions.tsv");
static SUPPLEMENT: &str = include_str!("facts/actions-supplement.tsv");
static KEYS: &str = include_str!("facts/condition-keys.tsv");
static TYPES: &str = include_str!("facts/resource-types.tsv");

/// The table of all known actions, read once.
pub fn actions() -> &'static ActionTable {
    static TABLE: OnceLock<ActionTable> = OnceLock::new();
    TABLE.get_or_init(ActionTable::read)
}

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
}

impl ActionTable {
    fn read() -> Self {
        let date = ACTIONS
            .lines()
            .find_map(|line| line.strip_prefix("# date: "));
        let mut services = services(ACTIONS);
        for extra in self::services(SUPPLEMENT) {
            match services
                .iter_mut()
                .find(|service| service.prefix == extra.prefix)
            {
                Some(service) => service.actions.extend(extra.actions),
                None => services.push(extra),
            }
        }
        services.sort_by_key(|service| service.prefix);
        for service in &mut services {
            service
                .actions
                .sort_by_cached_key(|action| action.name.to_ascii_lowercase());
        }
        let mut keys: Vec<_> = rows(KEYS)
            .filter_map(|row| Some((row.first()?.to_ascii_lowercase(), key_type(row.get(1)?)?)))
            .collect();
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        let mut types: Vec<_> = rows(TYPES)
            .filter_map(|row| Some((*row.first()?, *row.get(1)?, *row.get(2)?)))
            .collect();
        types.sort_unstable();
        Self {
            date: date.unwrap_or_default(),
            services,
            keys,
            types,
        }
    }

    /// The day the table was taken, as `YYYY-MM-DD`.
    pub fn date(&self) -> &'static str {
        self.date
    }

    /// All services, by prefix.
    pub fn services(&self) -> &[ActionService] {
        &self.services
    }

    /// The service with this prefix, without regard to case.
    pub fn service(&self, prefix: &str) -> Option<&ActionService> {
        let prefix = prefix.to_ascii_lowercase();
        let at = self
            .services
            .binary_search_by_key(&prefix.as_str(), |s| s.prefix)
            .ok()?;
        self.services.get(at)
    }

    /// The action of this name (`service:Name`), without regard to case.
    pub fn find(&self, action: &str) -> Option<&Action> {
        let (prefix, name) = action.split_once(':')?;
        let actions = &self.service(prefix)?.actions;
        let order = |a: &Action| {
            let known = a.name.bytes().map(|b| b.to_ascii_lowercase());
            known.cmp(name.bytes().map(|b| b.to_ascii_lowercase()))
        };
        actions.get(actions.binary_search_by(order).ok()?)
    }

    /// Whether AWS documents this action.
    pub fn is_known_action(&self, action: &str) -> bool {
        self.find(action).is_some()
    }

    /// The actions a pattern as in an `Action` element covers, by service and name.
    pub fn matching(&self, pattern: &str) -> Vec<&Action> {
        let pattern = pattern.to_ascii_lowercase();
        let everything = pattern == "*";
        let mut out = Vec::new();
        for service in &self.services {
            // The part before the first wildcard already rules out most services.
            let literal = pattern.split(['*', '?']).next().unwrap_or_default();
            let prefix = literal.split(':').next().unwrap_or_default();
            if !everything && !service.prefix.starts_with(prefix) {
                continue;
            }
            out.extend(service.actions.iter().filter(|action| {
                everything
                    || glob(
                        pattern.as_bytes(),
                        action.full_name().to_ascii_lowercase().as_bytes(),
                    )
            }));
        }
        out
    }

    /// What a condition key holds, if it is documented; tag keys by their family.
    ///
    /// Keys of one request tag (`aws:RequestTag/env`) are documented once, with `${TagKey}`.
    pub fn key_type(&self, key: &str) -> Option<KeyType> {
        let key = key.to_ascii_lowercase();
        let find = |wanted: &str| {
            let at = self
                .keys
                .binary_search_by(|(known, _)| known.as_str().cmp(wanted))
                .ok()?;
            Some(self.keys[at].1)
        };
        find(&key).or_else(|| {
            // `aws:ResourceTag/team`, `kms:EncryptionContext:team`.
            let end = key.find('/').or_else(|| key.rfind(':'))?;
            let family = &key[..=end];
            let at = self
                .keys
                .partition_point(|(known, _)| known.as_str() < family);
            let (known, kind) = self.keys.get(at)?;
            (known.starts_with(family) && known[family.len()..].starts_with("${")).then_some(*kind)
        })
    }

    /// The ARN format of a resource type: `arn:${Partition}:s3:::${BucketName}`.
    pub fn arn_format(&self, service: &str, resource_type: &str) -> Option<&'static str> {
        let wanted = (service, resource_type);
        let at = self
            .types
            .binary_search_by(|(s, t, _)| (*s, *t).cmp(&wanted))
            .ok()?;
        Some(self.types[at].2)
    }
}

fn services(text: &'static str) -> Vec<ActionService> {
    let mut out: Vec<ActionService> = Vec::new();
    for row in rows(text) {
        if let Some(prefix) = row[0].strip_prefix('=') {
            let title = row.get(1).copied().unwrap_or(prefix);
            out.push(ActionService {
                prefix,
                title,
                actions: Vec::new(),
            });
        } else if let (Some(service), Some(access)) =
            (out.last_mut(), row.get(1).copied().and_then(access))
        {
            let resource_types = row.get(2).copied().unwrap_or_default();
            let service_prefix = service.prefix;
            service.actions.push(Action {
                service: service_prefix,
                name: row[0],
                access,
                resource_types,
            });
        }
    }
    out
}

fn access(letter: &str) -> Option<Access> {
    Some(match letter {
        "r" => Access::Read,
        "l" => Access::List,
        "w" => Access::Write,
        "t" => Access::Tagging,
        "p" => Access::Permissions,
        _ => return None,
    })
}

fn key_type(letter: &str) -> Option<KeyType> {
    let kind = match letter.to_ascii_lowercase().as_str() {
        "s" => KeyKind::Text,
        "a" => KeyKind::Arn,
        "b" => KeyKind::Bool,
        "n" => KeyKind::Number,
        "d" => KeyKind::Date,
        "i" => KeyKind::Ip,
        _ => return None,
    };
    Some(KeyType {
        kind,
        multivalued: letter.bytes().all(|b| b.is_ascii_uppercase()),
    })
}

/// `*` stands for any run, `?` for one character; both sides in one case.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match &mut star {
                Some((after, from)) => {
                    *from += 1;
                    (p, t) = (*after, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_without_regard_to_case() {
        let action = actions().find("IAM:passrole").expect("it is documented");
        assert_eq!(
            (action.full_name().as_str(), action.takes_resource()),
            ("iam:PassRole", true)
        );
        assert!(!actions().is_known_action("iam:PassRoles"));
        assert!(!actions().is_known_action("PassRole"));
    }

    #[test]
    fn actions_without_resource_types_say_so() {
        assert!(
            !actions()
                .find("s3:ListAllMyBuckets")
                .expect("documented")
                .takes_resource()
        );
        let types: Vec<_> = actions()
            .find("s3:GetObject")
            .expect("documented")
            .resource_types()
            .collect();
        assert!(types.contains(&("object", false)), "{types:?}");
    }

    #[test]
    fn patterns_cover_what_they_match() {
        let names: Vec<_> = actions()
            .matching("s3:*bucketpolicy")
            .into_iter()
            .map(|a| a.name)
            .collect();
        assert_eq!(
            names,
            ["DeleteBucketPolicy", "GetBucketPolicy", "PutBucketPolicy"]
        );
        let all: usize = actions().services().iter().map(|s| s.actions.len()).sum();
        assert_eq!(actions().matching("*").len(), all);
        assert!(all > 22_000);
    }

    #[test]
    fn keys_have_types_and_tags_by_family() {
        let calls = actions().key_type("AWS:TagKeys").expect("documented");
        assert!(calls.multivalued);
        let tag = actions()
            .key_type("aws:RequestTag/team")
            .expect("documented as a family");
        assert_eq!(
            tag,
            KeyType {
                kind: KeyKind::Text,
                multivalued: false
            }
        );
        assert_eq!(actions().key_type("aws:Nonsense"), None);
    }

    #[test]
    fn every_row_is_read() {
        let rows = rows(ACTIONS).filter(|row| !row[0].starts_with('=')).count()
            + self::rows(SUPPLEMENT)
                .filter(|row| !row[0].starts_with('='))
                .count();
        let read: usize = actions().services().iter().map(|s| s.actions.len()).sum();
        assert_eq!(rows, read);
        assert_eq!(actions().date().len(), 10);
    }
}
