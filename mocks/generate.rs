//! Organizations of any size for benchmarks: made up, and the same for the same seed.
//!
//! The shape is that of estates as they grow: most principals are near copies of a few dozen
//! kinds and may do little, a few may do a lot, trusts stay within an account but for deployment
//! and audit roles, and one principal in some hundred has a way on.

use std::collections::BTreeMap;

use palisade_model::{
    AccessKey, Account, Arn, Function, LoginProfile, ManagedPolicy, Observed, OrgAccount,
    OrgPolicy, Organization, Partition, PolicyText, Region, Role, RootUser, Snapshot, Time, User,
};
use serde_json::json;

use crate::managed::managed_policy;
use crate::world::{access_key_id, unique_id};

const TAKEN_AT: Time = Time(1_793_491_200);
const REGION: &str = "us-east-1";

/// SplitMix64: a generator of numbers that needs no table and no crate.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// A number below `bound`, which must not be zero.
    fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound as u64) as usize
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// An organization of `accounts` accounts that share `principals` users and roles, one in five
/// of them a user. The same arguments give the same snapshot.
pub fn generate(seed: u64, accounts: usize, principals: usize) -> Snapshot {
    let accounts = accounts.clamp(1, 900_000);
    let mut dice = Dice(seed);
    let ids: Vec<String> = (0..accounts)
        .map(|index| format!("{:012}", 100_000_000_000 + index as u64 * 1_000_003))
        .collect();
    let mut snapshot = Snapshot {
        taken_at: TAKEN_AT,
        partition: Partition::Aws,
        organization: Observed::Value(organization(&ids)),
        ..Snapshot::default()
    };
    for (index, id) in ids.iter().enumerate() {
        let share = principals / accounts + usize::from(index < principals % accounts);
        let made = account(&mut dice, id, &ids[0], share);
        snapshot.accounts.insert(id.clone(), made);
    }
    snapshot
}

fn organization(ids: &[String]) -> Organization {
    let full = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}
    ]});
    let policy = OrgPolicy {
        name: "FullAWSAccess".to_owned(),
        aws_managed: true,
        document: Observed::Value(full.into()),
        ..OrgPolicy::default()
    };
    let root = "r-bnch".to_owned();
    let mut attachments = BTreeMap::from([(root.clone(), vec!["p-FullAWSAccess".to_owned()])]);
    let mut members = BTreeMap::new();
    for id in ids {
        attachments.insert(id.clone(), vec!["p-FullAWSAccess".to_owned()]);
        let member = OrgAccount {
            name: format!("account-{id}"),
            status: "ACTIVE".to_owned(),
            parent: root.clone(),
            joined: None,
        };
        members.insert(id.clone(), member);
    }
    Organization {
        id: "o-benchmarks".to_owned(),
        management_account: ids[0].clone(),
        feature_set: "ALL".to_owned(),
        root: Observed::Value(root),
        enabled_policy_types: Observed::Value(vec!["SERVICE_CONTROL_POLICY".to_owned()]),
        units: Observed::Value(BTreeMap::new()),
        accounts: Observed::Value(members),
        policies: Observed::Value(BTreeMap::from([("p-FullAWSAccess".to_owned(), policy)])),
        attachments: Observed::Value(attachments),
        delegated_administrators: Observed::Value(BTreeMap::new()),
        trusted_services: Observed::Value(Vec::new()),
        resource_policy: Observed::Absent,
        root_access_features: Observed::Value(Vec::new()),
    }
}

/// What a principal of some kind may do; the number makes near copies differ in their resources.
fn rights(dice: &mut Dice, account: &str) -> PolicyText {
    let team = dice.below(40);
    let (actions, resource) = match dice.below(300) {
        0 => (
            json!(["lambda:UpdateFunctionCode", "lambda:InvokeFunction"]),
            json!("*"),
        ),
        1 => (
            json!([
                "iam:PassRole",
                "lambda:CreateFunction",
                "lambda:InvokeFunction"
            ]),
            json!("*"),
        ),
        2 => (json!(["iam:CreateAccessKey"]), json!("*")),
        3 => (
            json!(["sts:AssumeRole"]),
            json!(format!("arn:aws:iam::{account}:role/*")),
        ),
        4..60 => (
            json!(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]),
            json!(format!(
                "arn:aws:dynamodb:{REGION}:{account}:table/team{team}-*"
            )),
        ),
        60..120 => (
            json!(["sqs:SendMessage", "sqs:ReceiveMessage"]),
            json!(format!("arn:aws:sqs:{REGION}:{account}:team{team}-*")),
        ),
        120..180 => (
            json!(["logs:CreateLogStream", "logs:PutLogEvents"]),
            json!("*"),
        ),
        _ => (
            json!(["s3:GetObject", "s3:PutObject"]),
            json!(format!("arn:aws:s3:::team{team}-{account}/*")),
        ),
    };
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": resource}
    ]})
    .into()
}

fn trust(principal: serde_json::Value) -> PolicyText {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    ]})
    .into()
}

fn account(dice: &mut Dice, id: &str, management: &str, principals: usize) -> Account {
    let mut account = Account::default();
    let mut users = BTreeMap::new();
    let mut roles = BTreeMap::new();
    let mut functions = BTreeMap::new();
    for index in 0..principals {
        if index % 5 == 4 {
            let name = format!("user-{index:05}");
            users.insert(name.clone(), user(dice, id, &name));
            continue;
        }
        let name = format!("role-{index:05}");
        let made = role(dice, id, management, &name);
        if dice.one_in(8) && made.trust.as_str().contains("lambda.amazonaws.com") {
            let function = Function {
                arn: Arn::new(format!("arn:aws:lambda:{REGION}:{id}:function:{name}")),
                role: made.arn.clone(),
                runtime: "python3.13".to_owned(),
                urls: Observed::Value(Vec::new()),
                aliases: Observed::Value(Vec::new()),
                event_sources: Observed::Value(Vec::new()),
                ..Function::default()
            };
            functions.insert(name.clone(), function);
        }
        roles.insert(name, made);
    }
    account.iam.policies = Observed::Value(managed(&users, &roles));
    account.iam.users = Observed::Value(users);
    account.iam.roles = Observed::Value(roles);
    account.iam.groups = Observed::Value(BTreeMap::new());
    account.iam.root = Observed::Value(RootUser {
        mfa: true,
        ..RootUser::default()
    });
    let region = Region {
        functions: Observed::Value(functions),
        ..Region::default()
    };
    account.regions = Observed::Value(BTreeMap::from([(REGION.to_owned(), region)]));
    account
}

/// The AWS-managed policies in use.
fn managed(
    users: &BTreeMap<String, User>,
    roles: &BTreeMap<String, Role>,
) -> BTreeMap<Arn, ManagedPolicy> {
    let of_users = users.values().flat_map(|user| &user.attached);
    let of_roles = roles.values().flat_map(|role| &role.attached);
    let mut found = BTreeMap::new();
    for arn in of_users.chain(of_roles) {
        if let (Some(policy), false) = (managed_policy(arn.name()), found.contains_key(arn)) {
            let document = PolicyText::from(policy.document.clone());
            let versions = BTreeMap::from([(policy.version.clone(), document)]);
            let entry = ManagedPolicy {
                name: policy.name.clone(),
                default_version: policy.version.clone(),
                versions,
            };
            found.insert(arn.clone(), entry);
        }
    }
    found
}

/// One in a hundred is an administrator, one in ten reads everything.
fn attached(dice: &mut Dice) -> Vec<Arn> {
    let name = match dice.below(100) {
        0 => "AdministratorAccess",
        1..11 => "ReadOnlyAccess",
        _ => return Vec::new(),
    };
    vec![Arn::iam(Partition::Aws, "aws", "policy", "/", name)]
}

fn user(dice: &mut Dice, account: &str, name: &str) -> User {
    let key = AccessKey {
        id: access_key_id("AKIA", account, &[name, "1"]),
        created: Some(Time(TAKEN_AT.0 - dice.below(400) as i64 * 86_400)),
        ..AccessKey::default()
    };
    let keys = if dice.one_in(2) {
        vec![key]
    } else {
        Vec::new()
    };
    User {
        arn: Arn::iam(Partition::Aws, account, "user", "/", name),
        id: unique_id("AIDA", &[account, "user", name]),
        created: Some(Time(TAKEN_AT.0 - 30 * 86_400)),
        inline: BTreeMap::from([("work".to_owned(), rights(dice, account))]),
        attached: attached(dice),
        access_keys: Observed::Value(keys),
        login_profile: match dice.one_in(3) {
            true => Observed::Value(LoginProfile::default()),
            false => Observed::Absent,
        },
        mfa_devices: Observed::Value(Vec::new()),
        ..User::default()
    }
}

fn role(dice: &mut Dice, account: &str, management: &str, name: &str) -> Role {
    let trusted = match dice.below(20) {
        0 => json!({"AWS": format!("arn:aws:iam::{management}:root")}),
        1..4 => json!({"AWS": format!("arn:aws:iam::{account}:root")}),
        4..8 => json!({"Service": "ec2.amazonaws.com"}),
        8..11 => json!({"Service": "ecs-tasks.amazonaws.com"}),
        _ => json!({"Service": "lambda.amazonaws.com"}),
    };
    Role {
        arn: Arn::iam(Partition::Aws, account, "role", "/", name),
        id: unique_id("AROA", &[account, "role", name]),
        created: Some(Time(TAKEN_AT.0 - 30 * 86_400)),
        trust: trust(trusted),
        inline: BTreeMap::from([("work".to_owned(), rights(dice, account))]),
        attached: attached(dice),
        ..Role::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_organization() {
        let one = generate(7, 3, 100);
        assert_eq!(one, generate(7, 3, 100));
        assert_ne!(one, generate(8, 3, 100));
        let principals: usize = one
            .accounts
            .values()
            .map(|account| {
                let users = account.iam.users.value().map_or(0, BTreeMap::len);
                users + account.iam.roles.value().map_or(0, BTreeMap::len)
            })
            .sum();
        assert_eq!((one.accounts.len(), principals), (3, 100));
    }
}
