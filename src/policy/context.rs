//! What is known about a request beside who, what and where: the condition keys.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use rustc_hash::FxHashMap;

/// A condition key, compared without regard to case as AWS does ("condition key names are not
/// case-sensitive", IAM User Guide).
///
/// Each distinct name has one number for as long as the process runs, so that looking a key up
/// compares numbers. The numbers decide nothing else: keys sort by name.
#[derive(Debug, Clone)]
pub struct Key {
    text: Arc<str>,
    number: u32,
}

fn numbers() -> &'static RwLock<FxHashMap<Arc<str>, u32>> {
    static NUMBERS: OnceLock<RwLock<FxHashMap<Arc<str>, u32>>> = OnceLock::new();
    NUMBERS.get_or_init(RwLock::default)
}

impl Key {
    /// The key of this name.
    pub fn new(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        // A writer that panicked left the map whole: it only ever inserts.
        let known = numbers().read().unwrap_or_else(PoisonError::into_inner);
        if let Some((text, number)) = known.get_key_value(lower.as_str()) {
            return Self {
                text: Arc::clone(text),
                number: *number,
            };
        }
        drop(known);
        let mut known = numbers().write().unwrap_or_else(PoisonError::into_inner);
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = lower.into();
        let number = *known.entry(Arc::clone(&text)).or_insert(next);
        Self { text, number }
    }

    /// Its name in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

/// What is known of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knowledge<'a> {
    /// The request carries these values.
    Known(&'a [Arc<str>]),
    /// The request does not carry it.
    Absent,
    /// Whether the request carries it, and with what value, is not known.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    One(Arc<str>),
    Many(Arc<[Arc<str>]>),
    Absent,
    Unknown,
}

/// The condition keys of a request: what is known of each, and what to hold of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The numbers of the keys, close together because every look-up runs through them.
    numbers: Vec<u32>,
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
            numbers: Vec::new(),
            entries: Vec::new(),
            absent_families: Vec::new(),
            others_unknown: false,
        }
    }

    /// Nothing yet; keys never mentioned are unknown.
    pub fn open() -> Self {
        Self {
            numbers: Vec::new(),
            entries: Vec::new(),
            absent_families: Vec::new(),
            others_unknown: true,
        }
    }

    /// Says that the request carries `key` with this value.
    pub fn set(&mut self, key: &str, value: impl Into<Arc<str>>) -> &mut Self {
        self.put(Key::new(key), Entry::One(value.into()))
    }

    /// As [`Context::set`], with the key at hand.
    pub(crate) fn set_key(&mut self, key: &Key, value: impl Into<Arc<str>>) -> &mut Self {
        self.put(key.clone(), Entry::One(value.into()))
    }

    /// As [`Context::set_absent`], with the key at hand.
    pub(crate) fn set_key_absent(&mut self, key: &Key) -> &mut Self {
        self.put(key.clone(), Entry::Absent)
    }

    /// Says that the request carries `key` with these values.
    pub fn set_all<I, S>(&mut self, key: &str, values: I) -> &mut Self
    where
        I: IntoIterator<Item = S>,
        S: Into<Arc<str>>,
    {
        self.put(
            Key::new(key),
            Entry::Many(values.into_iter().map(Into::into).collect()),
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
        self.numbers = self.entries.iter().map(|(key, _)| key.number).collect();
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
        match self.numbers.iter().position(|number| *number == key.number) {
            Some(at) => self.entries[at].1 = entry,
            None => {
                self.numbers.push(key.number);
                self.entries.push((key, entry));
            }
        }
        self
    }

    /// Puts one possible state of a key: its values, or `None` for absent.
    pub(crate) fn put_state(&mut self, key: &Key, state: Option<&[Arc<str>]>) {
        let entry = match state {
            Some([value]) => Entry::One(Arc::clone(value)),
            Some(values) => Entry::Many(values.into()),
            None => Entry::Absent,
        };
        self.put(key.clone(), entry);
    }

    /// What is known of a key.
    #[inline]
    pub fn get(&self, key: &Key) -> Knowledge<'_> {
        if let Some(at) = self.numbers.iter().position(|number| *number == key.number) {
            return match &self.entries[at].1 {
                Entry::One(value) => Knowledge::Known(std::slice::from_ref(value)),
                // A key without any value is null, like one that is not there.
                Entry::Many(values) if values.is_empty() => Knowledge::Absent,
                Entry::Many(values) => Knowledge::Known(values),
                Entry::Absent => Knowledge::Absent,
                Entry::Unknown => Knowledge::Unknown,
            };
        }
        let in_family = || {
            self.absent_families
                .iter()
                .any(|f| key.text.starts_with(&**f))
        };
        if !self.others_unknown || in_family() {
            return Knowledge::Absent;
        }
        Knowledge::Unknown
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_absent_but_for_its_known_members() {
        let mut context = Context::open();
        context
            .set("aws:PrincipalTag/Team", "web")
            .set_family_absent("aws:PrincipalTag/");
        let get = |key| context.get(&Key::new(key));
        assert_eq!(
            get("aws:principaltag/team"),
            Knowledge::Known(&["web".into()])
        );
        assert_eq!(get("aws:PrincipalTag/other"), Knowledge::Absent);
        assert_eq!(get("aws:SourceIp"), Knowledge::Unknown);
    }

    #[test]
    fn an_overlay_has_the_last_word() {
        let mut context = Context::open();
        context.set("aws:SourceIp", "10.0.0.1");
        let mut over = Context::closed();
        over.set_unknown("AWS:sourceip")
            .set_all("aws:TagKeys", Vec::<&str>::new());
        context.overlay(&over);
        assert_eq!(context.get(&Key::new("aws:SourceIp")), Knowledge::Unknown);
        assert_eq!(context.get(&Key::new("aws:TagKeys")), Knowledge::Absent);
        assert_eq!(context.get(&Key::new("aws:Referer")), Knowledge::Absent);
    }
}
