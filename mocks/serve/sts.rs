//! STS: who am I, and sessions of roles whose trust policies let the caller in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use palisade_model::{Arn, Observed, Role};
use serde_json::{Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::{Desk, Outcome};
use crate::world::{access_key_id, secret_text, unique_id, zone_of_key};

/// The role that scans use. It stands in every account of a world that does not say otherwise.
const SCANNER: &str = "palisade-scan";

const MARK: &str = "palisade-session:";

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    match desk.call.operation.as_str() {
        "GetCallerIdentity" => Ok(caller_identity(desk)),
        "AssumeRole" => assume_role(desk),
        "GetAccessKeyInfo" => access_key_info(desk),
        _ => Err(desk.unknown()),
    }
}

/// The session that a token minted here stands for: the assumed role's ARN.
pub(super) fn session_of(token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.strip_prefix(MARK).map(str::to_owned)
}

fn caller_identity(desk: &Desk<'_>) -> Answer {
    let arn = &desk.call.caller;
    let id = unique_id("AROA", &[&desk.call.account, arn]);
    let session = arn.rsplit('/').next().unwrap_or_default();
    Answer::of(json!({
        "Arn": arn,
        "UserId": format!("{id}:{session}"),
        "Account": desk.call.account,
    }))
}

fn access_key_info(desk: &Desk<'_>) -> Outcome {
    let id = desk.call.need("AccessKeyId")?;
    match zone_of_key(&id) {
        Some(account) => Ok(Answer::of(json!({ "Account": account }))),
        None => Err(Failure::new(
            400,
            "ValidationError",
            "The access key id is not valid",
        )),
    }
}

fn assume_role(desk: &Desk<'_>) -> Outcome {
    let arn = Arn::new(desk.call.need("RoleArn")?);
    let session = desk.call.need("RoleSessionName")?;
    let refused = || {
        let caller = &desk.call.caller;
        Failure::new(
            403,
            "AccessDenied",
            format!(
                "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            ),
        )
    };
    let account = desk
        .world
        .snapshot
        .accounts
        .get(arn.account())
        .ok_or_else(refused)?;
    let name = arn.name();
    let roles = match &account.iam.roles {
        Observed::Gap(gap) if gap.kind == palisade_model::GapKind::NotReached => {
            return Err(refused());
        }
        roles => roles.value(),
    };
    match roles.and_then(|roles| roles.get(name)) {
        Some(role) if role.arn == arn && lets_in(desk, role) => {}
        None if name == SCANNER => {}
        _ => return Err(refused()),
    }
    let assumed = format!(
        "arn:{}:sts::{}:assumed-role/{name}/{session}",
        desk.call.partition,
        arn.account()
    );
    let seconds = desk.call.number("DurationSeconds").unwrap_or(3600);
    // Sessions last until long after any test: the world's clock stands still, a client's does not.
    let expires = palisade_model::Time(4_102_444_800 + seconds as i64);
    let parts = [assumed.as_str()];
    Ok(Answer::of(json!({
        "Credentials": {
            "AccessKeyId": access_key_id("ASIA", arn.account(), &parts),
            "SecretAccessKey": secret_text(&parts),
            "SessionToken": URL_SAFE_NO_PAD.encode(format!("{MARK}{assumed}")),
            "Expiration": expires.to_string(),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": format!("{}:{session}", unique_id("AROA", &[arn.account(), "role", name])),
            "Arn": assumed,
        },
        "PackedPolicySize": desk.call.text("Policy").map(|policy| policy.len() * 100 / 2048),
    })))
}

/// Whether a trust policy lets the caller in. Only what a scanner meets is judged: principals by
/// account, role or session, `sts:ExternalId` and the organization. Anything else refuses.
fn lets_in(desk: &Desk<'_>, role: &Role) -> bool {
    let Ok(trust) = serde_json::from_str::<Value>(role.trust.as_str()) else {
        return false;
    };
    let one = std::slice::from_ref(&trust["Statement"]);
    let statements = trust["Statement"].as_array().map_or(one, Vec::as_slice);
    let meets = |effect: &str| {
        statements.iter().any(|statement| {
            statement["Effect"] == effect
                && texts(&statement["Action"])
                    .iter()
                    .any(|action| ["sts:AssumeRole", "sts:*", "*"].contains(&action.as_str()))
                && (statement["Principal"] == "*"
                    || texts(&statement["Principal"]["AWS"])
                        .iter()
                        .any(|who| is_caller(desk, who)))
                && condition_holds(desk, &statement["Condition"])
        })
    };
    meets("Allow") && !meets("Deny")
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

fn is_caller(desk: &Desk<'_>, who: &str) -> bool {
    let account = &desk.call.account;
    let caller = Arn::new(desk.call.caller.clone());
    let root = Arn::root(desk.call.partition, account);
    if who == "*" || who == account || who == root.as_str() || who == caller.as_str() {
        return true;
    }
    // A session is also its role: `assumed-role/name/session` is `role/…/name`.
    let mut parts = caller.resource().split('/');
    parts.next() == Some("assumed-role")
        && Arn::new(who).account() == account
        && Arn::new(who).resource().starts_with("role/")
        && parts.next() == Some(Arn::new(who).name())
}

fn condition_holds(desk: &Desk<'_>, condition: &Value) -> bool {
    let Some(blocks) = condition.as_object() else {
        return true;
    };
    blocks.iter().all(|(operator, keys)| {
        operator == "StringEquals"
            && keys.as_object().into_iter().flatten().all(|(key, values)| {
                let actual = match key.to_ascii_lowercase().as_str() {
                    "sts:externalid" => desk.call.text("ExternalId"),
                    "aws:principalorgid" => desk
                        .world
                        .snapshot
                        .organization
                        .value()
                        .map(|organization| organization.id.clone()),
                    "aws:principalaccount" => Some(desk.call.account.clone()),
                    _ => None,
                };
                actual.is_some_and(|actual| texts(values).contains(&actual))
            })
    })
}
