//! One request: who asks for what on what, and what is known beside.

use super::context::Context;
use super::principal::Caller;
use super::resource::Resource;
use super::ruling::needs_resource_policy;

/// A request to decide.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub(crate) caller: Caller,
    /// The action in lower case: `s3:getobject`.
    pub(crate) action: Box<str>,
    /// The resource.
    pub resource: Resource,
    /// The account that owns the resource; `None` is the caller's own.
    pub(crate) resource_account: Option<Box<str>>,
    /// The condition keys.
    pub context: Context,
    /// The beginning of the action's name: see [`super::compile::name_head`].
    pub(crate) name_head: u64,
    /// Caller and resource belong to one account.
    same_account: bool,
    /// The caller is a service-linked role.
    pub(crate) linked: bool,
    /// The action's service as a bit: see [`super::compile::service_bit`].
    pub(crate) service: u64,
    /// The resource's own policy must have its say even inside one account.
    pub(crate) strict: bool,
    /// It is the call that lists all buckets.
    pub(crate) names_all_buckets: bool,
}

impl Request {
    /// A request by `principal` (see [`Caller::new`]). Without a `resource_account` the account
    /// in the resource's ARN owns it, or else the caller's.
    pub fn new(
        principal: &str,
        action: &str,
        resource: &str,
        resource_account: Option<&str>,
        context: Context,
    ) -> Self {
        let caller = Caller::new(principal, &context);
        Self::by(caller, action, resource, resource_account, context)
    }

    /// A request by a caller already known.
    pub fn by(
        caller: Caller,
        action: &str,
        resource: &str,
        resource_account: Option<&str>,
        context: Context,
    ) -> Self {
        let action = action.trim().to_ascii_lowercase().into_boxed_str();
        let resource = Resource::new(resource);
        let resource_account = resource_account
            .or_else(|| resource.account())
            .map(Box::<str>::from);
        let service = super::compile::service_bit(action.split(':').next().unwrap_or_default());
        let strict = needs_resource_policy(action.split(':').next().unwrap_or_default(), &resource);
        let names_all_buckets = &*action == "s3:listallmybuckets" && resource.is_star();
        let same_account = match (caller.account(), &resource_account) {
            (Some(own), Some(owner)) => own == &**owner,
            (Some(_), None) => true,
            (None, _) => false,
        };
        Self {
            name_head: super::compile::name_head(&action),
            same_account,
            linked: caller.is_service_linked(),
            caller,
            action,
            resource,
            resource_account,
            context,
            service,
            strict,
            names_all_buckets,
        }
    }

    /// The action in lower case.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The action's service prefix.
    pub fn service(&self) -> &str {
        self.action.split(':').next().unwrap_or_default()
    }

    /// The account that owns the resource.
    pub fn resource_account(&self) -> Option<&str> {
        self.resource_account
            .as_deref()
            .or_else(|| self.caller.account())
    }

    /// Whether caller and resource belong to one account.
    pub fn is_same_account(&self) -> bool {
        self.same_account
    }
}
