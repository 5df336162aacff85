//! The words policies use: which accounts, organizations, networks, addresses and values they
//! name. A request that no policy could tell from another need not be tried twice, so these are
//! all the requests worth trying.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::document::{PrincipalKind, Statement};

/// Everything that the policies around one resource tell apart.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Account ids.
    pub(super) accounts: BTreeSet<String>,
    /// Organization ids.
    pub(super) organizations: BTreeSet<String>,
    /// ARNs of principals named in `Principal` elements.
    pub(super) principals: BTreeSet<String>,
    /// Identity providers named there.
    pub(super) providers: BTreeSet<String>,
    /// Services named there.
    pub(super) services: BTreeSet<String>,
    /// Canonical user ids named there.
    pub(super) canonical: BTreeSet<String>,
    /// Condition values by key in lower case, with the operator.
    pub(super) values: BTreeMap<String, BTreeSet<(String, String)>>,
    /// Keys used as variables, in lower case.
    pub(super) variables: BTreeSet<String>,
    /// Resource patterns, in `Resource` and `NotResource`.
    pub(super) resources: BTreeSet<String>,
}

impl Words {
    /// Adds what one statement says.
    pub(super) fn read(&mut self, statement: &Statement) {
        let named = statement.principal.iter().chain(&statement.not_principal);
        for name in named.flatten() {
            let value = name.value.clone();
            match name.kind {
                PrincipalKind::Aws => {
                    self.find_ids(&value);
                    if value.starts_with("arn:") && !value.ends_with(":root") {
                        self.principals.insert(value);
                    }
                }
                PrincipalKind::Service => drop(self.services.insert(value)),
                PrincipalKind::Federated => drop(self.providers.insert(value)),
                PrincipalKind::CanonicalUser => drop(self.canonical.insert(value)),
            }
        }
        for condition in &statement.conditions {
            let key = condition.key.to_ascii_lowercase();
            let values = self.values.entry(key.clone()).or_default();
            for value in &condition.values {
                values.insert((condition.operator.clone(), value.clone()));
            }
            for value in &condition.values {
                self.find_variables(value);
                if names_accounts(&key) {
                    self.find_ids(value);
                }
            }
        }
        let patterns = statement.resources.iter().chain(&statement.not_resources);
        for pattern in patterns.flatten() {
            self.find_variables(pattern);
            self.resources.insert(pattern.clone());
        }
    }

    /// Every key that a decision could need.
    pub(super) fn mentions(&self, key: &str) -> bool {
        self.values.contains_key(key) || self.variables.contains(key)
    }

    /// The values written for a key.
    pub(super) fn of(&self, key: &str) -> impl Iterator<Item = &str> {
        self.values
            .get(key)
            .into_iter()
            .flatten()
            .map(|(_, value)| value.as_str())
    }

    fn find_variables(&mut self, text: &str) {
        self.variables
            .extend(variables(text).map(str::to_ascii_lowercase));
    }

    /// Account ids are twelve digits on their own, organization ids `o-` and 10 to 32 letters.
    fn find_ids(&mut self, text: &str) {
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
            if word.len() == 12 && word.bytes().all(|b| b.is_ascii_digit()) {
                self.accounts.insert(word.to_owned());
            }
            if word.len() >= 3 && word.starts_with("o-") {
                self.organizations.insert(word.to_owned());
            }
        }
    }
}

/// The names in `${…}`, without defaults.
pub(super) fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| {
        let name = rest.split(['}', ',']).next()?.trim();
        (name.len() > 1).then_some(name)
    })
}

/// Keys whose values say which account or organization is meant.
fn names_accounts(key: &str) -> bool {
    matches!(
        key,
        "aws:principalaccount"
            | "aws:principalarn"
            | "aws:principalorgid"
            | "aws:principalorgpaths"
            | "aws:sourceaccount"
            | "aws:sourcearn"
            | "aws:sourceowner"
            | "aws:sourceorgid"
            | "aws:sourceorgpaths"
            | "aws:userid"
            | "aws:vpceaccount"
            | "aws:vpceorgid"
            | "aws:vpceorgpaths"
            | "kms:calleraccount"
            | "s3:dataaccesspointaccount"
            | "s3:dataaccesspointarn"
    )
}

/// A text that a pattern with wildcards matches: `*` and `?` become plain letters.
pub(super) fn example(pattern: &str) -> String {
    pattern.replace('*', "palisade").replace('?', "p")
}
