//! `ec2-instance-metadata-exposed`: an instance faces the internet, holds a role, and hands its
//! credentials to any forged request.

use super::super::{Estate, Evidence, Findings, Outcome};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for place in estate.resources("ec2.instance") {
        let instance = match place.item {
            Ok((_, instance)) => instance,
            Err(gap) => {
                found.unread(place.account, place.region, gap);
                continue;
            }
        };
        let Some(exposure) = estate.exposure.instances.get(&instance.arn) else {
            continue;
        };
        let role = match (&exposure.role, instance.role.gap()) {
            (Some(role), _) => role.to_string(),
            (None, Some(gap)) => {
                found.unknown(&instance.arn, gap);
                continue;
            }
            (None, None) => {
                found.pass(&instance.arn);
                continue;
            }
        };
        match (exposure.faces_internet, exposure.metadata_v1) {
            (Some(false), _) | (_, Some(false)) => found.pass(&instance.arn),
            (Some(true), Some(true)) => {
                let says = format!(
                    "it has a public address, a security group lets every address in, it runs as \
                     `{role}`, and its metadata service answers without a session token"
                );
                found.fail(&instance.arn, Evidence::from(says).naming(role));
            }
            (faces, metadata) => {
                let mut missing = Vec::new();
                if faces.is_none() {
                    missing.push("its state, address or security groups were not read".to_owned());
                }
                if metadata.is_none() {
                    missing.push("its metadata options were not read".to_owned());
                }
                let arn = &instance.arn;
                found.at(
                    arn.account(),
                    arn.region(),
                    arn.as_str(),
                    Outcome::Unknown { missing },
                );
            }
        }
    }
}
