//! The condition keys that follow from what the estate holds.
//!
//! Source: "AWS global condition context keys" and "IAM and AWS STS condition context keys", IAM
//! User Guide.

use super::resources::Target;
use super::{Engine, Principal, PrincipalKind};
use crate::policy::context::{Context, Key};
use crate::policy::facts;
use crate::policy::principal::Caller;

/// Keys that are filled in for every request, looked up once.
#[derive(Debug)]
pub(super) struct Keys {
    principal_arn: Key,
    principal_account: Key,
    principal_type: Key,
    caller_account: Key,
    username: Key,
    userid: Key,
    is_service: Key,
    pub(super) source_vpce: Key,
    /// Keys that only calls by services carry.
    of_services: [Key; 6],
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            principal_arn: Key::new("aws:PrincipalArn"),
            principal_account: Key::new("aws:PrincipalAccount"),
            principal_type: Key::new("aws:PrincipalType"),
            caller_account: Key::new("kms:CallerAccount"),
            username: Key::new("aws:username"),
            userid: Key::new("aws:userid"),
            is_service: Key::new("aws:PrincipalIsAWSService"),
            source_vpce: Key::new("aws:SourceVpce"),
            of_services: [
                "aws:SourceArn",
                "aws:SourceAccount",
                "aws:SourceOrgID",
                "aws:SourceOrgPaths",
                "aws:PrincipalServiceName",
                "aws:PrincipalServiceNamesList",
            ]
            .map(Key::new),
        }
    }
}

impl Engine {
    /// What is known of every request to a resource, whoever makes it.
    pub(super) fn common(&self, action: &str, resource: &str) -> Context {
        let mut known = Context::open();
        // Anybody can sign and encrypt his requests.
        known.set("aws:SecureTransport", "true");
        if let Some(now) = &self.now {
            known.set("aws:CurrentTime", now.as_str());
        }
        let service = action.split(':').next().unwrap_or_default();
        let region = resource.split(':').nth(3).unwrap_or_default();
        let plain = !region.is_empty() && !region.contains(['*', '?']);
        let only = facts::only_region(&service.to_ascii_lowercase(), resource);
        if let Some(region) = only.or(plain.then_some(region)) {
            known.set("aws:RequestedRegion", region);
        }
        known
    }

    pub(super) fn describe_principal(&self, principal: &Principal, known: &mut Context) {
        known.set_key(&self.keys.principal_arn, principal.arn.clone());
        for (key, value) in &principal.tags {
            known.set(&format!("aws:PrincipalTag/{key}"), &**value);
        }
        if !principal.session_tags {
            known.set_family_absent("aws:PrincipalTag/");
        }
        match principal.kind {
            PrincipalKind::User => {
                let name = principal.arn.rsplit('/').next().unwrap_or_default();
                known
                    .set_key(&self.keys.username, name)
                    .set_key(&self.keys.userid, &*principal.id)
                    .set_key(&self.keys.principal_type, "User");
            }
            // `aws:userid` is the role's id and the session's name.
            PrincipalKind::Role => {
                known
                    .set_key_absent(&self.keys.username)
                    .set_key(&self.keys.principal_type, "AssumedRole");
            }
        }
    }

    /// What the name of a session tells.
    pub(super) fn describe_session(&self, caller: &Caller, role: Option<u32>, known: &mut Context) {
        let (Caller::Session { arn, .. }, Some(role)) = (caller, role) else {
            return;
        };
        let role = &self.principals[role as usize];
        if let Some(session) = arn.rsplit('/').next().filter(|_| !role.id.is_empty()) {
            known.set_key(&self.keys.userid, format!("{}:{session}", role.id));
        }
    }

    pub(super) fn describe_caller(&self, caller: &Caller, known: &mut Context) {
        let service = matches!(caller, Caller::Service(_));
        let word = if service { "true" } else { "false" };
        known.set_key(&self.keys.is_service, word);
        if !service {
            for key in &self.keys.of_services {
                known.set_key_absent(key);
            }
        }
        let Some(account) = caller.account() else {
            let nobody = ["Arn", "Account", "OrgID", "OrgPaths", "Type"];
            for key in nobody {
                known.set_absent(&format!("aws:Principal{key}"));
            }
            known
                .set_key_absent(&self.keys.username)
                .set_family_absent("aws:PrincipalTag/");
            return;
        };
        known
            .set_key(&self.keys.principal_account, account)
            .set_key(&self.keys.caller_account, account);
        if let Caller::Root { arn, .. } = caller {
            known
                .set_key(&self.keys.principal_arn, &**arn)
                .set_key(&self.keys.principal_type, "Account")
                .set_key(&self.keys.userid, account)
                .set_key_absent(&self.keys.username);
        }
        let Some(at) = self.by_account.get(account) else {
            return;
        };
        self.accounts[*at as usize]
            .ceilings
            .describe("aws:Principal", known);
    }

    pub(super) fn describe_target(&self, target: &Target<'_>, action: &str, known: &mut Context) {
        if let Some(account) = target.place {
            known
                .set("aws:ResourceAccount", account)
                .set("s3:ResourceAccount", account);
            if let Some(at) = self.by_account.get(account) {
                self.accounts[*at as usize]
                    .ceilings
                    .describe("aws:Resource", known);
            }
        }
        if let Some(tags) = target.tags {
            let service = action.split(':').next().unwrap_or_default();
            for (key, value) in tags {
                known.set(&format!("aws:ResourceTag/{key}"), &**value);
                known.set(&format!("{service}:ResourceTag/{key}"), &**value);
            }
            known.set_family_absent("aws:ResourceTag/");
            known.set_family_absent(&format!("{service}:ResourceTag/"));
        }
    }
}
