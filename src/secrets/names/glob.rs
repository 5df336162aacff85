//! Globs over keys: `*` and `?` stay inside a folder, `**` crosses them, `[0-9]` is a set.
//!
//! Most globs ask for a whole last part or for its extension; two maps answer those, so that
//! a listing of millions of keys is not held up by four hundred globs.

use std::collections::HashMap;

/// One glob over a lower-case key.
pub(crate) struct Glob {
    text: Vec<u8>,
    /// Its longest part without wildcards: no key without it fits.
    part: Vec<u8>,
}

impl Glob {
    pub(crate) fn new(text: &str) -> Self {
        let text = text.to_lowercase().into_bytes();
        let literal = text.split(|&b| b == b'[').next().unwrap_or_default();
        let parts = literal.split(|b| b"*?".contains(b));
        // `/**/` may stand for one slash, so slashes at the ends of a part do not count.
        let trim = |part: &[u8]| {
            let from = part.iter().position(|&b| b != b'/').unwrap_or(part.len());
            let to = part
                .iter()
                .rposition(|&b| b != b'/')
                .map_or(from, |i| i + 1);
            part[from..to].to_vec()
        };
        let part = parts.map(trim).max_by_key(Vec::len).unwrap_or_default();
        Self { text, part }
    }

    /// Does the glob fit the whole key?
    pub(crate) fn fits(&self, key: &[u8]) -> bool {
        if memchr::memmem::find(key, &self.part).is_none() {
            return false;
        }
        let pattern = &self.text[..];
        match pattern.strip_prefix(b"**/") {
            // `**/x` also means `x` at the root.
            Some(rest) if fit(rest, key) => true,
            _ => fit(pattern, key),
        }
    }

    fn last(&self) -> &[u8] {
        let from = self
            .text
            .iter()
            .rposition(|&b| b == b'/')
            .map_or(0, |i| i + 1);
        &self.text[from..]
    }

    /// No wildcard in the last part: the name is meant exactly.
    fn is_exact(&self) -> bool {
        let last = self.last();
        !last.is_empty() && !last.iter().any(|b| b"*?[".contains(b))
    }

    /// The name of `**/name`.
    fn any_folder(&self) -> Option<&[u8]> {
        let name = self.text.strip_prefix(b"**/")?;
        (self.is_exact() && !name.contains(&b'/')).then_some(name)
    }

    /// The ending of `**/*.ending`.
    fn extension(&self) -> Option<&[u8]> {
        let ending = self.text.strip_prefix(b"**/*.")?;
        let plain = !ending.is_empty() && !ending.iter().any(|b| b"*?[/.".contains(b));
        plain.then_some(ending)
    }
}

/// Matches with backtracking over the last star of each kind: linear in practice, bounded by
/// the product of the lengths.
fn fit(pattern: &[u8], key: &[u8]) -> bool {
    let (mut p, mut k) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut deep: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p..].starts_with(b"**") {
            // `/**/` may stand for a single slash.
            p += 2;
            if p < pattern.len() && pattern[p] == b'/' && (p < 3 || pattern[p - 3] == b'/') {
                p += 1;
                if fit(&pattern[p..], &key[k..]) {
                    return true;
                }
                p -= 1;
            }
            deep = Some((p, k));
            star = None;
            continue;
        }
        if p < pattern.len() && pattern[p] == b'*' {
            p += 1;
            star = Some((p, k));
            continue;
        }
        if p == pattern.len() && k == key.len() {
            return true;
        }
        if k < key.len()
            && let Some(width) = one(&pattern[p..], key[k])
        {
            p += width;
            k += 1;
            continue;
        }
        if let Some((sp, sk)) = star
            && sk < key.len()
            && key[sk] != b'/'
        {
            star = Some((sp, sk + 1));
            (p, k) = (sp, sk + 1);
            continue;
        }
        if let Some((dp, dk)) = deep
            && dk < key.len()
        {
            deep = Some((dp, dk + 1));
            star = None;
            (p, k) = (dp, dk + 1);
            continue;
        }
        return false;
    }
}

/// Width of the pattern element that takes `byte`.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern.first()? {
        b'?' => (byte != b'/').then_some(1),
        b'[' => {
            let close = pattern.iter().position(|&b| b == b']')?;
            let class = &pattern[1..close];
            let ranged = class.len() == 3 && class[1] == b'-';
            let fits = if ranged {
                (class[0]..=class[2]).contains(&byte)
            } else {
                class.contains(&byte)
            };
            fits.then_some(close + 1)
        }
        &literal => (literal == byte).then_some(1),
    }
}

/// Globs with their owners, sorted into the cheap ones and the rest.
#[derive(Default)]
pub(crate) struct Index {
    names: HashMap<Vec<u8>, Vec<usize>>,
    extensions: HashMap<Vec<u8>, Vec<usize>>,
    rest: Vec<(Glob, usize, bool)>,
}

impl Index {
    pub(crate) fn add(&mut self, glob: Glob, owner: usize) {
        if let Some(name) = glob.any_folder() {
            self.names.entry(name.to_vec()).or_default().push(owner);
        } else if let Some(ending) = glob.extension() {
            self.extensions
                .entry(ending.to_vec())
                .or_default()
                .push(owner);
        } else {
            let exact = glob.is_exact();
            self.rest.push((glob, owner, exact));
        }
    }

    /// Calls `found` with the owner of every glob that fits, and whether it meant the name
    /// exactly.
    pub(crate) fn each(&self, key: &str, mut found: impl FnMut(usize, bool)) {
        let key = key.as_bytes();
        let name = &key[key.iter().rposition(|&b| b == b'/').map_or(0, |i| i + 1)..];
        for &owner in self.names.get(name).into_iter().flatten() {
            found(owner, true);
        }
        if let Some(dot) = name.iter().rposition(|&b| b == b'.') {
            for &owner in self.extensions.get(&name[dot + 1..]).into_iter().flatten() {
                found(owner, false);
            }
        }
        for (glob, owner, exact) in &self.rest {
            if glob.fits(key) {
                found(*owner, *exact);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn stars_stay_in_folders_unless_doubled() {
        let rows = [
            ("**/.env", ".env", true),
            ("**/.env", "a/b/.env", true),
            ("**/.env", "a/b/x.env", false),
            ("**/*.csv", "x/y.csv", true),
            ("**/rag/**/config*.json", "rag/config.json", true),
            ("**/rag/**/config*.json", "x/rag/a/b/config-1.json", true),
            ("**/rag/**/config*.json", "x/drag/config.json", false),
            ("**/env:/*/**", "env:/prod/network.tfstate", true),
            ("awslogs/**", "awslogs/1/2", true),
            ("**/core.[0-9]*", "x/core.123", true),
            ("**/core.[0-9]*", "x/core.py", false),
            ("**/*.mp[34]", "a.mp4", true),
            ("**/", "a/b/", true),
            ("**/", "a/b", false),
            ("a*b", "a/b", false),
        ];
        for (glob, key, expected) in rows {
            assert_eq!(
                Glob::new(glob).fits(key.as_bytes()),
                expected,
                "{glob} on {key}"
            );
        }
    }
}
