//! Answers about Cognito.

use super::{Estate, Evaluate, Evidence, Findings, Outcome};

/// Checks of this folder, by id.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[("cognito-guest-role", guest_role)];

/// `cognito-guest-role`: an identity pool hands a role to whoever asks, without signing in.
fn guest_role(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for place in estate.resources("cognito-identity.identity-pool") {
        let pool = match place.item {
            Ok((_, pool)) => pool,
            Err(gap) => {
                found.unread(place.account, place.region, gap);
                continue;
            }
        };
        let Some(exposure) = estate.exposure.pools.get(&pool.arn) else {
            continue;
        };
        let outcome = match (exposure.takes_guests, &exposure.guest_role) {
            (Some(false), _) => Outcome::Pass,
            (_, Some(role)) if role.is_empty() => Outcome::Pass,
            (Some(true), Some(role)) => {
                let how = match exposure.classic_flow {
                    Some(true) => "with all that the role may do, by the classic flow",
                    Some(false) => "narrowed by the enhanced flow to some services",
                    None => "whether narrowed or not was not read",
                };
                let says = format!("guests get `{role}`, {how}");
                Outcome::Fail {
                    evidence: vec![Evidence::from(says).naming(role.clone())],
                }
            }
            (None, _) => Outcome::Unknown {
                missing: vec!["whether it takes guests was not read".to_owned()],
            },
            (_, None) => Outcome::Unknown {
                missing: vec!["which role guests get was not read".to_owned()],
            },
        };
        found.at(place.account, place.region, pool.arn.as_str(), outcome);
    }
}
