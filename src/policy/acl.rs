//! Access control lists of S3, as the policies they amount to.
//!
//! Source: "Access control list (ACL) overview", S3 User Guide: the predefined groups and the
//! "Mapping of ACL permissions and access policy permissions". An ACL only grants; where object
//! ownership is `BucketOwnerEnforced` it does not count at all ("Controlling ownership of
//! objects and disabling ACLs for your bucket").

use serde_json::{Value, json};

/// Everybody, signed in or not.
const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
/// Everybody with an AWS account, whosever it is.
pub(super) const AUTHENTICATED_USERS: &str =
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
/// Stands for an account that is not known, but for those named after it; no canonical user id
/// reads so.
pub(super) const ANY_ACCOUNT: &str = "some account";
/// The operator of a statement of which it is not known whether it counts; AWS has none such.
pub(super) const NOT_READ: &str = "NotRead";
/// The service that writes access logs.
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

/// What a list hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListOf {
    Bucket,
    Object,
}

/// One grant: to whom and what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Granted<'a> {
    /// A group's URI, a canonical user id, or the account behind one.
    pub(super) grantee: &'a str,
    /// `READ`, `WRITE`, `READ_ACP`, `WRITE_ACP` or `FULL_CONTROL`.
    pub(super) permission: &'a str,
}

impl Granted<'_> {
    /// Whether `IgnorePublicAcls` makes it void.
    pub(super) fn is_public(&self) -> bool {
        matches!(self.grantee, ALL_USERS | AUTHENTICATED_USERS)
    }
}

/// The statements a list amounts to; `None` when it grants nothing.
pub(super) fn statements(list: ListOf, grants: &[Granted<'_>]) -> Option<Vec<Value>> {
    let statements: Vec<Value> = grants
        .iter()
        .filter_map(|grant| {
            let actions = actions(list, grant.permission);
            let principal = principal(grant.grantee);
            (!actions.is_empty()).then(|| {
                json!({"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"})
            })
        })
        .collect();
    (!statements.is_empty()).then_some(statements)
}

/// The statement of a list that could not be read: it may grant anybody what a list can, or,
/// where public grants are ignored, any account.
pub(super) fn unread(list: ListOf, public: bool) -> Value {
    let principal = match public {
        true => json!("*"),
        false => json!({"CanonicalUser": ANY_ACCOUNT}),
    };
    not_read(
        json!({"Effect": "Allow", "Principal": principal, "Action": actions(list, "FULL_CONTROL"),
            "Resource": "*"}),
        "the list was not read",
    )
}

/// The same statement, of which it is not known whether it is there or counts, and why.
pub(super) fn not_read(mut statement: Value, why: &str) -> Value {
    if !statement["Condition"].is_object() {
        statement["Condition"] = json!({});
    }
    statement["Condition"][NOT_READ] = json!({"why": why});
    statement
}

/// A canonical user id whose account is not known: none of these, which have others.
pub(super) fn some_account<'a>(but: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = ANY_ACCOUNT.to_owned();
    for account in but {
        out.push(' ');
        out.push_str(account);
    }
    out
}

/// Whether a canonical user id is none, but a word of ours or a group.
pub(super) fn is_placeholder(id: &str) -> bool {
    id.starts_with(ANY_ACCOUNT) || id == AUTHENTICATED_USERS
}

/// Statements as the text of a policy.
pub(super) fn document(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn principal(grantee: &str) -> Value {
    match grantee {
        ALL_USERS => json!("*"),
        LOG_DELIVERY => json!({"Service": "logging.s3.amazonaws.com"}),
        account if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) => {
            json!({"AWS": account})
        }
        id => json!({"CanonicalUser": id}),
    }
}

fn actions(list: ListOf, permission: &str) -> Vec<&'static str> {
    let of = |one: &str| -> &'static [&'static str] {
        match (list, one) {
            (ListOf::Bucket, "READ") => &[
                "s3:ListBucket",
                "s3:ListBucketVersions",
                "s3:ListBucketMultipartUploads",
            ],
            (ListOf::Bucket, "WRITE") => &["s3:PutObject"],
            (ListOf::Bucket, "READ_ACP") => &["s3:GetBucketAcl"],
            (ListOf::Bucket, "WRITE_ACP") => &["s3:PutBucketAcl"],
            (ListOf::Object, "READ") => &["s3:GetObject", "s3:GetObjectVersion"],
            (ListOf::Object, "READ_ACP") => &["s3:GetObjectAcl", "s3:GetObjectVersionAcl"],
            (ListOf::Object, "WRITE_ACP") => &["s3:PutObjectAcl", "s3:PutObjectVersionAcl"],
            _ => &[],
        }
    };
    let all = ["READ", "WRITE", "READ_ACP", "WRITE_ACP"];
    let meant = all
        .iter()
        .filter(|one| permission == "FULL_CONTROL" || permission == **one);
    meant.flat_map(|one| of(one)).copied().collect()
}
