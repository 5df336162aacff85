//! A call as CloudTrail records it and EventBridge delivers it, before anybody makes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use palisade_model::{Access, Arn, Partition, actions};
use serde::Deserialize;
use serde_json::{Value, json};

use super::heard::{ANY_VALUE, Subject};

/// A kind of call, by the names CloudTrail gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The event source, such as `config.amazonaws.com`.
    pub source: String,
    /// The event name, such as `UpdateFunctionCode20150331v2`.
    pub name: String,
    /// What CloudTrail counts it among.
    pub category: Category,
    /// Whether CloudTrail marks it read-only.
    pub read_only: bool,
    /// Whether its events arrive in the partition's home region, wherever it is called.
    pub global: bool,
}

/// What CloudTrail counts an event among.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Management events.
    Management,
    /// Management events that EventBridge delivers as console sign-ins.
    SignIn,
    /// Data events of this resource type, such as `AWS::S3::Object`.
    Data(String),
    /// CloudTrail never records it.
    Never,
}

/// The identity types of an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// A session of a role.
    AssumedRole,
    /// A user with an access key.
    IamUser,
    /// The root user.
    Root,
}

impl Identity {
    /// As CloudTrail writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Identity::AssumedRole => "AssumedRole",
            Identity::IamUser => "IAMUser",
            Identity::Root => "Root",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    #[serde(rename = "checked")]
    _checked: String,
    global: BTreeSet<String>,
    sources: BTreeMap<String, String>,
    names: BTreeMap<String, String>,
    data: BTreeMap<String, String>,
    never: BTreeSet<String>,
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        // The file is part of the build, and a test reads it.
        serde_yaml_ng::from_str(include_str!("facts/events.yaml")).expect("the file is well formed")
    })
}

impl Call {
    /// The call that needs `action` (`service:Name`).
    pub fn of_action(action: &str) -> Self {
        let names = names();
        let known = actions().find(action);
        let full = known.map_or_else(|| action.to_owned(), |action| action.full_name());
        let (prefix, name) = full.split_once(':').unwrap_or((&full, ""));
        let source = names.sources.get(prefix).map_or(prefix, String::as_str);
        let read_only = known.is_some_and(|a| matches!(a.access, Access::Read | Access::List));
        Call {
            source: format!("{source}.amazonaws.com"),
            name: names
                .names
                .get(&full)
                .map_or(name, String::as_str)
                .to_owned(),
            category: match names.data.get(&full) {
                _ if names.never.contains(&full) => Category::Never,
                Some(kind) => Category::Data(kind.clone()),
                None => Category::Management,
            },
            read_only,
            global: names.global.contains(prefix),
        }
    }

    /// The action whose call CloudTrail records under this source or prefix and this name, where
    /// the two differ: `s3:PutBucketLifecycle` is `s3:PutLifecycleConfiguration`.
    pub fn action_of(source: &str, name: &str) -> Option<&'static str> {
        let names = names();
        let source = source.split('.').next().unwrap_or_default();
        let prefix = names.sources.iter().find(|(_, event)| *event == source);
        let prefix = prefix.map_or(source, |(prefix, _)| prefix);
        names
            .names
            .iter()
            .find(|(action, event)| *event == name && action.split(':').next() == Some(prefix))
            .map(|(action, _)| action.as_str())
    }

    /// A console sign-in event of the root user.
    pub fn sign_in(name: &str) -> Self {
        Call {
            source: "signin.amazonaws.com".to_owned(),
            name: name.to_owned(),
            category: Category::SignIn,
            read_only: false,
            global: true,
        }
    }

    /// Where the event arrives when the call is made in `region`.
    pub fn delivered_in<'a>(&self, partition: Partition, region: &'a str) -> &'a str {
        match self.global {
            true => partition.home_region(),
            false => region,
        }
    }
}

/// One record, as far as it is known beforehand.
#[derive(Clone, Debug)]
pub struct Event {
    /// As EventBridge delivers it; the CloudTrail record stands under `detail`.
    pub json: Value,
    /// Where more fields may stand.
    pub open: Vec<String>,
}

/// Branches of a record whose content depends on the call.
const OPEN: [&str; 9] = [
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "resources",
    "tlsDetails",
    "serviceEventDetails",
    "apiVersion",
    "vpcEndpointId",
    "sessionCredentialFromConsole",
];

impl Event {
    /// The event of `call` by somebody of that type in an account and region. The call succeeds:
    /// it has no error code.
    pub fn new(
        call: &Call,
        partition: Partition,
        account: &str,
        region: &str,
        identity: Identity,
    ) -> Self {
        let any = ANY_VALUE;
        let sign_in = call.category == Category::SignIn;
        let data = matches!(call.category, Category::Data(_));
        let service = call.source.split('.').next().unwrap_or_default();
        let mut detail = json!({
            "eventVersion": any, "eventTime": any, "requestID": any, "eventID": any,
            "eventSource": call.source, "eventName": call.name, "awsRegion": region,
            "sourceIPAddress": any, "userAgent": any, "readOnly": call.read_only,
            "eventType": if sign_in { "AwsConsoleSignIn" } else { "AwsApiCall" },
            "managementEvent": !data, "recipientAccountId": account,
            "eventCategory": if data { "Data" } else { "Management" },
            "userIdentity": user_identity(partition, account, identity),
        });
        let mut open: Vec<String> = OPEN.iter().map(|field| format!("detail.{field}")).collect();
        if sign_in && call.name == "ConsoleLogin" {
            detail["responseElements"] = json!({"ConsoleLogin": "Success"});
            open.retain(|field| field != "detail.responseElements");
        }
        if identity != Identity::Root {
            open.push("detail.userIdentity.sessionContext".to_owned());
        }
        // Whoever may use CloudFormation lets it make the call on his behalf.
        if identity != Identity::Root && !sign_in {
            open.push("detail.userIdentity.invokedBy".to_owned());
        }
        let detail_type = match sign_in {
            true => "AWS Console Sign In via CloudTrail",
            false => "AWS API Call via CloudTrail",
        };
        let json = json!({
            "version": "0", "id": any, "detail-type": detail_type,
            "source": format!("aws.{service}"), "account": account, "time": any,
            "region": region, "resources": [], "detail": detail,
        });
        Event { json, open }
    }

    /// The whole event, for rules.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            json: &self.json,
            open: &self.open,
        }
    }

    /// The CloudTrail record alone, as it stands in a log group, and its open branches.
    pub fn record(&self) -> (&Value, Vec<String>) {
        let open = self
            .open
            .iter()
            .filter_map(|path| path.strip_prefix("detail.").map(str::to_owned))
            .collect();
        (&self.json["detail"], open)
    }
}

fn user_identity(partition: Partition, account: &str, identity: Identity) -> Value {
    let any = ANY_VALUE;
    match identity {
        Identity::Root => json!({
            "type": "Root", "principalId": account, "accountId": account, "accessKeyId": any,
            "arn": Arn::root(partition, account).as_str(),
        }),
        Identity::IamUser => json!({
            "type": "IAMUser", "principalId": any, "accountId": account, "accessKeyId": any,
            "arn": any, "userName": any,
        }),
        Identity::AssumedRole => json!({
            "type": "AssumedRole", "principalId": any, "accountId": account, "accessKeyId": any,
            "arn": any,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": any, "arn": any, "accountId": account,
                    "userName": any,
                },
                "attributes": {"creationDate": any, "mfaAuthenticated": any},
            },
        }),
    }
}
