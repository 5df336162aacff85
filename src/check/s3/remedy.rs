//! The single setting that closes an opening, and what else it would cut off.

use std::collections::BTreeSet;

use crate::exposure::{Audience, BucketExposure, Path};

/// What to change so that `path` is closed, in words, with what else would stop working.
pub(super) fn closes(exposure: &BucketExposure, path: &Path) -> String {
    let name = exposure.arn.name();
    let (setting, by_policy) = match path {
        Path::Policy { .. } if exposure.aws_public_policy == Some(true) => (
            format!("RestrictPublicBuckets in the public access block of `{name}` closes it"),
            true,
        ),
        // S3 does not call such a policy public, so that no block stops it.
        Path::Policy { statement, .. } => (
            format!("only removing or narrowing {statement} closes it: no block does"),
            false,
        ),
        Path::BucketAcl { grantee, .. } | Path::ObjectAcl { grantee, .. }
            if grantee.contains("/groups/global/") =>
        {
            (
                format!("IgnorePublicAcls in the public access block of `{name}` closes it"),
                false,
            )
        }
        Path::BucketAcl { .. } | Path::ObjectAcl { .. } => (
            format!("BucketOwnerEnforced as object ownership of `{name}` closes it"),
            false,
        ),
        Path::AccessPoint { arn, .. } => (
            format!("removing the policy of `{arn}` closes it: its own block cannot be changed"),
            false,
        ),
        Path::Cdn { distribution, .. } => (
            format!("asking for signed URLs in `{distribution}` closes it"),
            false,
        ),
        Path::Setting { field, .. } => (format!("changing `{field}` closes it"), false),
        Path::Unread { operation } => (format!("allow {operation} to the scanner first"), false),
    };
    let mut breaks = broken(exposure, path, by_policy);
    if exposure.website && matches!(path, Path::Policy { .. } | Path::ObjectAcl { .. }) {
        breaks.insert("the website it hosts".to_owned());
    }
    if breaks.is_empty() {
        return setting;
    }
    let list = breaks.into_iter().collect::<Vec<_>>().join(", ");
    format!("{setting}, and would also cut off {list}")
}

/// What else stands on the same setting.
fn broken(exposure: &BucketExposure, path: &Path, by_policy: bool) -> BTreeSet<String> {
    let openings = exposure
        .verdicts
        .values()
        .flat_map(|verdict| verdict.proven());
    openings
        .filter(|opening| opening.path != *path)
        .filter(|opening| by_policy && matches!(opening.path, Path::Policy { .. }))
        .filter(|opening| !matches!(opening.audience, Audience::Private))
        .map(|opening| opening.audience.to_string())
        .collect()
}
