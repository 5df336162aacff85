//! Which calls work across accounts at all, whatever the policies say.

/// Calls on a queue that its policy cannot open to other accounts. Sorted.
///
/// Source: "Limitations of Amazon SQS custom policies", SQS Developer Guide, 2026-10:
/// "Cross-account permissions don't apply to the following actions".
const SQS_OWN_ONLY: [&str; 12] = [
    "addpermission",
    "cancelmessagemovetask",
    "createqueue",
    "deletequeue",
    "listmessagemovetasks",
    "listqueues",
    "listqueuetags",
    "removepermission",
    "setqueueattributes",
    "startmessagemovetask",
    "tagqueue",
    "untagqueue",
];

/// Calls on a KMS key that other accounts can be allowed. Sorted.
///
/// Source: "Allowing users in other accounts to use a KMS key", KMS Developer Guide, 2026-10:
/// permission for any other operation "has no effect".
const KMS_SHARED: [&str; 20] = [
    "creategrant",
    "decrypt",
    "derivesharedsecret",
    "describekey",
    "encrypt",
    "generatedatakey",
    "generatedatakeypair",
    "generatedatakeypairwithoutplaintext",
    "generatedatakeywithoutplaintext",
    "generatemac",
    "getkeyrotationstatus",
    "getpublickey",
    "listgrants",
    "reencryptfrom",
    "reencryptto",
    "retiregrant",
    "revokegrant",
    "sign",
    "verify",
    "verifymac",
];

/// Calls on a bucket's own policy. Sorted.
///
/// Source: "PutBucketPolicy", "GetBucketPolicy" and "DeleteBucketPolicy", S3 API Reference: with
/// the permission but without an identity of the owner's account, S3 answers 405.
const S3_OWN_ONLY: [&str; 3] = ["deletebucketpolicy", "getbucketpolicy", "putbucketpolicy"];

/// Whether a call (in lower case) can be allowed to a principal of another account.
///
/// IAM has no resource-based policies but trust policies, which speak of `sts` calls ("AWS
/// services that work with IAM", IAM User Guide). Of services that are not listed here nothing
/// is claimed.
pub(crate) fn crosses_accounts(action: &str) -> bool {
    let (service, name) = action.split_once(':').unwrap_or((action, ""));
    match service {
        "iam" => false,
        "kms" => KMS_SHARED.binary_search(&name).is_ok(),
        "s3" => S3_OWN_ONLY.binary_search(&name).is_err(),
        "sqs" => SQS_OWN_ONLY.binary_search(&name).is_err(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_name_documented_actions() {
        for (service, table) in [
            ("kms", &KMS_SHARED[..]),
            ("s3", &S3_OWN_ONLY[..]),
            ("sqs", &SQS_OWN_ONLY[..]),
        ] {
            assert!(table.is_sorted(), "{service}");
            for name in table {
                let full = format!("{service}:{name}");
                assert!(palisade_model::actions().is_known_action(&full), "{full}");
            }
        }
    }
}
