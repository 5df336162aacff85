//! Questions about credentials that lie somewhere.
//!
//! Only access key ids that were found tell whose credential it is. What the user did not ask
//! for (content of objects, values of secrets) is not asked, and no answer here: see
//! `checks/SCHEMA.md`.

use palisade_model::{Arn, Observed, User};
use serde_json::Value;

use super::super::bind::Truth;
use super::Question;

impl<'a> Question<'_, 'a> {
    /// Whether what is stored at `place` holds a credential of the user `whose`.
    pub(super) fn credential_in(&self, place: &Arn, whose: &Arn) -> Truth {
        let Observed::Value(user) = self.look.user(whose) else {
            return Truth::No;
        };
        if let Some(function) = self.look.function(place) {
            let found = any_of(user, |id| function.key_ids.iter().any(|found| found == id));
            return match function.environment_read.gap() {
                Some(gap) if found == Truth::No => Truth::gap(gap),
                _ => found,
            };
        }
        if place.service() == "s3" {
            return match self.look.object(place).map(|object| &object.matches) {
                Some(Observed::Value(matches)) => any_of(user, |id| {
                    matches
                        .iter()
                        .any(|found| found.key_id.as_deref() == Some(id))
                }),
                Some(Observed::Gap(gap)) => Truth::gap(gap),
                _ => Truth::No,
            };
        }
        match self
            .look
            .resource(place)
            .map(|resource| resource.attributes.get("key_ids"))
        {
            Some(Some(Observed::Value(Value::Array(ids)))) => any_of(user, |id| {
                ids.iter().any(|found| found.as_str() == Some(id))
            }),
            Some(Some(Observed::Gap(gap))) => Truth::gap(gap),
            _ => Truth::No,
        }
    }

    /// Whether a key of the user was found in any object.
    pub(super) fn leaked_key(&self, whose: &Arn) -> Truth {
        let Observed::Value(user) = self.look.user(whose) else {
            return Truth::No;
        };
        let mut answer = Truth::No;
        for account in self.look.snapshot.accounts.values() {
            let buckets = account
                .s3
                .buckets
                .value()
                .into_iter()
                .flat_map(|all| all.values());
            for object in buckets
                .filter_map(|b| b.objects.value())
                .flat_map(|l| &l.objects)
            {
                match &object.matches {
                    Observed::Value(matches) => {
                        let found = any_of(user, |id| {
                            matches.iter().any(|one| one.key_id.as_deref() == Some(id))
                        });
                        answer = answer.or(found);
                    }
                    Observed::Gap(gap) if object.pattern.is_some() => {
                        answer = answer.or(Truth::gap(gap));
                    }
                    _ => {}
                }
            }
        }
        answer
    }
}

/// Whether one of the user's keys passes; unknown where its keys were not listed.
fn any_of(user: &User, test: impl Fn(&str) -> bool) -> Truth {
    match &user.access_keys {
        Observed::Value(keys) => keys.iter().any(|key| test(&key.id)).into(),
        Observed::Gap(gap) => Truth::gap(gap),
        Observed::Absent | Observed::NotApplicable(_) => Truth::No,
    }
}
