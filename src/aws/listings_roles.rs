//! The roles that listed things run as: instance profiles and bare names lead to what IAM knows.

use palisade_model::{Arn, Iam, Observed};

use crate::listings::{Kinds, last};
use crate::s3::or_absent;

/// How an instance profile of the account is written.
pub(crate) const PROFILE: &str = "instance-profile/";

/// Replaces instance profiles and bare role names by the roles that IAM knows.
pub(crate) fn resolve_roles<'a>(iam: &Iam, kinds: impl Iterator<Item = &'a mut Kinds>) {
    for kinds in kinds {
        let resources = kinds.values_mut().filter_map(Observed::value_mut).flatten();
        for (_, resource) in resources {
            if let Observed::Value(text) = &resource.role {
                resource.role = resolve(iam, text);
            }
        }
    }
}

fn resolve(iam: &Iam, text: &Arn) -> Observed<Arn> {
    let profile = text.as_str().strip_prefix(PROFILE).or_else(|| {
        let is_profile = text.service() == "iam" && text.resource().starts_with(PROFILE);
        is_profile.then(|| text.as_str())
    });
    let roles = match (&iam.roles, profile) {
        (_, None) if text.as_str().starts_with("arn:") => return Observed::Value(text.clone()),
        (Observed::Value(roles), _) => roles,
        (other, _) => return other.as_ref().map(|_| Arn::default()),
    };
    let role = match profile {
        Some(profile) => roles.values().find(|role| {
            let profiles = &role.instance_profiles;
            profiles
                .iter()
                .any(|own| own.name == profile || own.arn.as_str() == profile)
        }),
        None => roles.get(last(text.as_str()).as_str()),
    };
    or_absent(role.map(|role| role.arn.clone()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use palisade_model::{InstanceProfile, Role};

    use super::*;

    fn iam() -> Iam {
        let role = Role {
            arn: "arn:aws:iam::111122223333:role/app/web".into(),
            instance_profiles: vec![InstanceProfile {
                name: "web".to_owned(),
                arn: "arn:aws:iam::111122223333:instance-profile/web".into(),
            }],
            ..Role::default()
        };
        Iam {
            roles: Observed::Value(BTreeMap::from([("web".to_owned(), role)])),
            ..Iam::unread()
        }
    }

    #[test]
    fn profiles_and_names_lead_to_roles() {
        let web = Observed::Value(Arn::from("arn:aws:iam::111122223333:role/app/web"));
        for text in [
            "arn:aws:iam::111122223333:instance-profile/web",
            "instance-profile/web",
            "web",
        ] {
            assert_eq!(resolve(&iam(), &text.into()), web, "{text}");
        }
        let other = "arn:aws:iam::999988887777:role/other";
        assert_eq!(
            resolve(&iam(), &other.into()),
            Observed::Value(other.into())
        );
    }

    #[test]
    fn an_unread_iam_leaves_the_role_unknown() {
        let outcome = resolve(&Iam::unread(), &"instance-profile/web".into());
        assert!(outcome.gap().is_some());
    }
}
