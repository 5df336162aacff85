//! What is known about a request beside who, what and where: the condition keys.

use std::hash::{Hash, Hasher};

/// A condition key, compared without regard to case as AWS does ("condition key names are not
/// case-sensitive", IAM User Guide).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    text: Box<str>,
    hash: u64,
}

impl Key {
    /// The key of this name.
    pub fn new(name: &str) -> Self {
        let text = name.to_ascii_lowercase().into_boxed_str();
        let mut hasher = rustc_hash::FxHasher::default();
        text.hash(&mut hasher);
        Self {
            hash: hasher.finish(),
            text,
        }
    }

    /// Its name in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// What is known of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knowledge<'a> {
    /// The request carries these values.
    Known(&'a [Box<str>]),
    /// The request does not carry it.
    Absent,
    /// Whether the request carries it, and with what value, is not known.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Known(Box<[Box<str>]>),
    Absent,
    Unknown,
}

/// The condition keys of a request: what is known of each, and what to hold of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    entries: Vec<(Key, Entry)>,
    /// Beginnings of keys that are absent unless mentioned.
    absent_families: Vec<Box<str>>,
    others_unknown: bool,
}

impl Default for Context {
    fn default() -> Self {
        Self::closed()
    }
}

impl Context {
    /// Nothing yet; keys never mentioned are absent.
    pub fn closed() -> Self {
        Self {
            entries: Vec::new(),
            absent_families: Vec::new(),
            others_unknown: false,
        }
    }

    /// Nothing yet; keys never mentioned are unknown.
    pub fn open() -> Self {
        Self {
            entries: Vec::new(),
            absent_families: Vec::new(),
            others_unknown: true,
        }
    }

    /// Says that the request carries `key` with this value.
    pub fn set(&mut self, key: &str, value: impl Into<Box<str>>) -> &mut Self {
        self.put(Key::new(key), Entry::Known(Box::new([value.into()])))
    }

    /// Says that the request carries `key` with these values.
    pub fn set_all<I, S>(&mut self, key: &str, values: I) -> &mut Self
    where
        I: IntoIterator<Item = S>,
        S: Into<Box<str>>,
    {
        self.put(
            Key::new(key),
            Entry::Known(values.into_iter().map(Into::into).collect()),
        )
    }

    /// Says that the request does not carry `key`.
    pub fn set_absent(&mut self, key: &str) -> &mut Self {
        self.put(Key::new(key), Entry::Absent)
    }

    /// Says that nothing is known of `key`.
    pub fn set_unknown(&mut self, key: &str) -> &mut Self {
        self.put(Key::new(key), Entry::Unknown)
    }

    /// Says that the request carries no key that begins so (`aws:PrincipalTag/`) but those
    /// mentioned.
    pub fn set_family_absent(&mut self, beginning: &str) -> &mut Self {
        self.absent_families
            .push(beginning.to_ascii_lowercase().into());
        self
    }

    /// The context without the keys (in lower case) that `gone` picks.
    pub(crate) fn without(mut self, gone: impl Fn(&str) -> bool) -> Self {
        self.entries.retain(|(key, _)| !gone(key.as_str()));
        self
    }

    /// Takes over everything `other` says, its say about unmentioned keys included.
    pub fn overlay(&mut self, other: &Context) -> &mut Self {
        for (key, entry) in &other.entries {
            self.put(key.clone(), entry.clone());
        }
        self.absent_families
            .extend(other.absent_families.iter().cloned());
        self.others_unknown = other.others_unknown;
        self
    }

    fn put(&mut self, key: Key, entry: Entry) -> &mut Self {
        match self.entries.iter_mut().find(|(known, _)| *known == key) {
            Some(slot) => slot.1 = entry,
            None => self.entries.push((key, entry)),
        }
        self
    }

    /// Puts one possible state of a key: its values, or `None` for absent.
    pub(crate) fn put_state(&mut self, key: &Key, state: Option<&[Box<str>]>) {
        let entry = match state {
            Some(values) => Entry::Known(values.into()),
            None => Entry::Absent,
        };
        self.put(key.clone(), entry);
    }

    /// What is known of a key.
    #[inline]
    pub fn get(&self, key: &Key) -> Knowledge<'_> {
        for (known, entry) in &self.entries {
            if known.hash == key.hash && known.text == key.text {
                return match entry {
                    // A key without any value is null, like one that is not there.
                    Entry::Known(values) if values.is_empty() => Knowledge::Absent,
                    Entry::Known(values) => Knowledge::Known(values),
                    Entry::Absent => Knowledge::Absent,
                    Entry::Unknown => Knowledge::Unknown,
                };
            }
        }
        if self.others_unknown {
            Knowledge::Unknown
        } else {
            Knowledge::Absent
        }
    }

    /// The value of a key that is known and has exactly one.
    pub fn single(&self, key: &str) -> Option<&str> {
        match self.get(&Key::new(key)) {
            Knowledge::Known([value]) => Some(value),
            _ => None,
        }
    }

    /// Whether anything about it is not known.
    pub fn has_unknowns(&self) -> bool {
        self.others_unknown
            || self
                .entries
                .iter()
                .any(|(_, entry)| *entry == Entry::Unknown)
    }
}
