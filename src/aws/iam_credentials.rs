//! What each user of an account holds to sign in or sign with: never the values.

use std::collections::BTreeMap;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::StatusType;
use palisade_model::{AccessKey, KeyStatus, LoginProfile, Observed, Time, User};

use crate::engine::Place;
use crate::iam::{more, sorted};
use crate::s3::or_absent;
use crate::tasks::each;

/// Fills in the credentials of each user.
pub(crate) async fn credentials_of(
    place: &Place,
    client: &Client,
    users: &mut BTreeMap<String, User>,
) {
    let names: Vec<String> = users.keys().cloned().collect();
    let read = each(names, |name| async move {
        let read = tokio::join!(
            access_keys(place, client, &name),
            login_profile(place, client, &name),
            mfa_devices(place, client, &name),
            service_credentials(place, client, &name),
            ssh_keys(place, client, &name),
        );
        (name, read)
    });
    for (name, (keys, login, devices, service_credentials, ssh_keys)) in read.await {
        if let Some(user) = users.get_mut(&name) {
            user.access_keys = keys;
            user.login_profile = login;
            user.mfa_devices = devices;
            user.service_credentials = service_credentials;
            user.ssh_keys = ssh_keys;
        }
    }
}

/// Counted by service, as the quota does. The answer holds no password.
async fn service_credentials(place: &Place, client: &Client, user: &str) -> Observed<u64> {
    let answer = place.ask("iam:ListServiceSpecificCredentials", || {
        client
            .list_service_specific_credentials()
            .user_name(user)
            .send()
    });
    match answer.await {
        Observed::Value(answer) => {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for credential in answer.service_specific_credentials.unwrap_or_default() {
                *counts.entry(credential.service_name).or_default() += 1;
            }
            or_absent(counts.into_values().max())
        }
        other => other.map(|_| 0),
    }
}

async fn ssh_keys(place: &Place, client: &Client, user: &str) -> Observed<u64> {
    let keys = place.pages(
        "iam:ListSSHPublicKeys",
        |marker| {
            client
                .list_ssh_public_keys()
                .user_name(user)
                .set_marker(marker)
                .send()
        },
        |page| {
            let next = more(page.marker, page.is_truncated);
            (page.ssh_public_keys.unwrap_or_default(), next)
        },
    );
    match keys.await {
        Observed::Value(keys) => or_absent(Some(keys.len() as u64).filter(|count| *count > 0)),
        other => other.map(|_| 0),
    }
}

async fn access_keys(place: &Place, client: &Client, user: &str) -> Observed<Vec<AccessKey>> {
    let keys = place.pages(
        "iam:ListAccessKeys",
        |marker| {
            client
                .list_access_keys()
                .user_name(user)
                .set_marker(marker)
                .send()
        },
        |page| {
            let next = more(page.marker, page.is_truncated);
            (page.access_key_metadata, next)
        },
    );
    keys.await.map(|keys| {
        let mut keys: Vec<AccessKey> = keys
            .into_iter()
            .map(|key| AccessKey {
                id: key.access_key_id.unwrap_or_default(),
                status: match key.status {
                    Some(StatusType::Inactive) => KeyStatus::Inactive,
                    Some(status) if status.as_str() == "Expired" => KeyStatus::Expired,
                    _ => KeyStatus::Active,
                },
                created: key.create_date.map(|date| Time(date.secs())),
            })
            .collect();
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        keys
    })
}

async fn login_profile(place: &Place, client: &Client, user: &str) -> Observed<LoginProfile> {
    let answer = place.ask("iam:GetLoginProfile", || {
        client.get_login_profile().user_name(user).send()
    });
    answer.await.map(|answer| LoginProfile {
        created: answer
            .login_profile
            .map(|profile| Time(profile.create_date.secs())),
    })
}

async fn mfa_devices(place: &Place, client: &Client, user: &str) -> Observed<Vec<String>> {
    let devices = place.pages(
        "iam:ListMFADevices",
        |marker| {
            client
                .list_mfa_devices()
                .user_name(user)
                .set_marker(marker)
                .send()
        },
        |page| {
            let next = more(page.marker, page.is_truncated);
            (page.mfa_devices, next)
        },
    );
    devices.await.map(|devices| {
        sorted(
            devices
                .into_iter()
                .map(|device| device.serial_number)
                .collect(),
        )
    })
}
