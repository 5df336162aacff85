//! What was seen of an AWS, and what was not.
//!
//! A [`Snapshot`] is the one value that leaves the collectors and feeds everything after them.
//! It holds facts as AWS states them and judges nothing. Whatever a collector could not read is
//! a [`Gap`] in the place where the fact would stand: see [`Observed`].
//!
//! Three conventions hold for every type here:
//!
//! - **Maps are ordered** (`BTreeMap`), so that the same facts give the same bytes.
//! - **A default is an observation**: `Default` means "read, and there was nothing". Only worlds
//!   lean on it, for brevity. Collectors start from [`Account::unread`] and
//!   [`Region::unread`], where every fact is a gap until a call has answered.
//! - **No secrets**: environment variables are kept as names, matches as place and fingerprint.

mod actions;
mod arn;
mod calls;
mod events;
mod file;
mod gaad;
mod iam;
mod lambda;
pub mod listing;
mod managed;
mod observed;
mod organization;
mod policy_text;
mod public_proof;
mod regions;
mod resource;
mod s3;
mod scan_policy;
mod security;
mod snapshot;
mod time;

pub use actions::{Access, Action, ActionService, ActionTable, KeyKind, KeyType, actions};
pub use arn::{Arn, Partition};
pub use calls::{CALLS, Call, Per, calls, code_is_among, find_call};
pub use events::{Alarm, Bus, EventTarget, MetricFilter, Rule, Subscription, Topic};
pub use file::{FileError, read_snapshot, write_snapshot};
pub use gaad::{GaadError, read_gaad};
pub use iam::{
    AccessKey, CredentialReport, Group, Iam, InstanceProfile, KeyStatus, LoginProfile,
    ManagedPolicy, OidcProvider, ReportRow, Role, RootUser, SamlProvider, User,
};
pub use lambda::{AlarmBranch, AlarmHandler, Alias, EventSource, Function, FunctionUrl, Runs};
pub use managed::{AwsManaged, aws_managed};
pub use observed::{DeniedBy, Gap, GapKind, NotApplicable, Observed, Why};
pub use organization::{OrgAccount, OrgPolicy, OrgPolicyKind, Organization, OrganizationalUnit};
pub use policy_text::PolicyText;
pub use public_proof::{ProofAnswer, ProofAsk, ProofRequest, ProofResult};
pub use resource::{Listed, Resource};
pub use s3::{
    AccessPoint, Acl, Bucket, Grant, ObjectEntry, ObjectListing, ObjectMatch, PublicAccessBlock,
    S3, Website,
};
pub use scan_policy::{SessionPolicy, scan_actions, scan_policy, session_policies};
pub use security::{
    Aggregator, AnalyzerState, ConfigRecorder, ConfigService, DeliveryChannel, Detector,
    FirewallManager, FirewallPolicy, Inspector, Macie, SecurityHub, ShieldState, Standard, Trail,
    TrailSelectors,
};
pub use snapshot::{Account, AccountId, Region, RegionName, RegionState, Snapshot};
pub use time::Time;
