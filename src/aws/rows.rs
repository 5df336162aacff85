//! What the rows of a list must say: one without it was not read, and then the list was not.
//!
//! The SDK's readers leave out what an answer lacks, and a row without a name would be dropped or
//! stand under an empty one. Source of what is always there: the services' API references.

use aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput;
use aws_sdk_iam::types::{AccessKeyMetadata, MfaDevice, SshPublicKeyMetadata};
use aws_sdk_lambda::types::{
    AliasConfiguration, EventSourceMappingConfiguration, FunctionConfiguration, FunctionUrlConfig,
};
use aws_sdk_organizations::types as organizations;
use aws_sdk_s3::types::Bucket;
use aws_sdk_s3control::types::{AccessPoint, MultiRegionAccessPointReport};

/// A row of a list.
pub(crate) trait Row {
    /// Whether it says what every such row says.
    fn is_whole(&self) -> bool;
}

/// A field that may lack: the SDK gives `None`, or an empty text where a field is required.
trait Field {
    fn is_there(&self) -> bool;
}

impl Field for String {
    fn is_there(&self) -> bool {
        !self.is_empty()
    }
}

impl<T> Field for Option<T> {
    fn is_there(&self) -> bool {
        self.is_some()
    }
}

macro_rules! rows {
    ($($row:ty: $($field:ident),+;)+) => {
        $(impl Row for $row {
            fn is_whole(&self) -> bool {
                $(self.$field.is_there())&&+
            }
        })+
    };
}

rows! {
    AccessKeyMetadata: access_key_id, status;
    MfaDevice: serial_number;
    SshPublicKeyMetadata: ssh_public_key_id;
    organizations::Root: id;
    organizations::OrganizationalUnit: id;
    organizations::Account: id;
    organizations::PolicySummary: id;
    organizations::PolicyTargetSummary: target_id;
    organizations::DelegatedAdministrator: id;
    organizations::DelegatedService: service_principal;
    organizations::EnabledServicePrincipal: service_principal;
    Bucket: name;
    AccessPoint: name, bucket;
    MultiRegionAccessPointReport: name;
    FunctionConfiguration: function_name, function_arn, role;
    EventSourceMappingConfiguration: uuid, function_arn;
    FunctionUrlConfig: function_url;
    AliasConfiguration: name;
}

/// A page of four lists, which `iam.rs` looks through itself.
impl Row for GetAccountAuthorizationDetailsOutput {
    fn is_whole(&self) -> bool {
        true
    }
}
