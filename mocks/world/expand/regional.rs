//! One region: ARNs of its functions, buses, rules, topics, alarms and resources.

use serde_json::{Map, Value, json};

use super::{Outcome, Scope, document, each, fill, rename_keys};
use crate::world::hash_text;

pub(super) fn expand(scope: &Scope<'_>, name: &str, region: &mut Map<String, Value>) -> Outcome {
    let at = Here {
        scope,
        region: name,
    };
    each(region.get_mut("functions"), |name, function| {
        at.function(name, function)
    })?;
    at.detectors(region);
    each(region.get_mut("analyzers"), |name, analyzer| {
        fill(
            analyzer,
            "arn",
            at.arn("access-analyzer", &format!("analyzer/{name}")),
        );
        fill(analyzer, "kind", "ACCOUNT");
        fill(analyzer, "status", "ACTIVE");
        fill(analyzer, "archive_rules", json!({}));
        Ok(())
    })?;
    if let Some(config) = region.get_mut("config").and_then(Value::as_object_mut) {
        each(config.get_mut("recorders"), |_, recorder| {
            at.role(recorder, "role");
            Ok(())
        })?;
    }
    if let Some(hub) = region
        .get_mut("security_hub")
        .and_then(Value::as_object_mut)
    {
        at.hub(hub);
    }
    each(region.get_mut("buses"), |bus, entry| at.bus(bus, entry))?;
    each(region.get_mut("topics"), |name, topic| {
        at.topic(name, topic)
    })?;
    rename_keys(region.get_mut("topics"), |name| at.own("sns", name));
    each(region.get_mut("alarms"), |name, alarm| {
        fill(alarm, "arn", at.arn("cloudwatch", &format!("alarm:{name}")));
        fill(alarm, "actions_enabled", true);
        if alarm.get("rule").is_none() {
            fill(alarm, "evaluation_periods", 1);
        }
        for action in alarm
            .get_mut("actions")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(topic) = action.as_str() {
                *action = at.own("sns", topic).into();
            }
        }
        Ok(())
    })?;
    resources(scope, name, region.get_mut("resources"))
}

struct Here<'a> {
    scope: &'a Scope<'a>,
    region: &'a str,
}

impl Here<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        self.scope.arn(service, self.region, resource)
    }

    /// A name as an ARN of the service; an ARN as itself.
    fn own(&self, service: &str, name: &str) -> String {
        if name.starts_with("arn:") {
            name.to_owned()
        } else {
            self.arn(service, name)
        }
    }

    /// A role by name; one that the account does not have stands without a path.
    fn role(&self, entry: &mut Map<String, Value>, key: &str) {
        if let Some(Value::String(role)) = entry.get_mut(key)
            && !role.starts_with("arn:")
        {
            *role = match self.scope.roles.get(role) {
                Some(arn) => arn.clone(),
                None => self.scope.arn("iam", "", &format!("role/{role}")),
            };
        }
    }

    fn function(&self, name: &str, function: &mut Map<String, Value>) -> Outcome {
        let arn = self.arn("lambda", &format!("function:{name}"));
        fill(function, "arn", arn.as_str());
        fill(function, "modified", self.scope.made.as_str());
        self.role(function, "role");
        if let Some(policy) = function.get_mut("policy") {
            document::policy(policy);
        }
        if let Some(Value::String(auth)) = function.get("urls") {
            let urls = json!([{ "auth": auth }]);
            function.insert("urls".to_owned(), urls);
        }
        for (index, source) in function
            .get_mut("event_sources")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .enumerate()
        {
            if let Value::String(source_arn) = source {
                *source = json!({ "source": source_arn });
            }
            if let Value::Object(source) = source {
                let hash = hash_text(32, &[&arn, &index.to_string()]);
                let parts = [
                    &hash[..8],
                    &hash[8..12],
                    &hash[12..16],
                    &hash[16..20],
                    &hash[20..],
                ];
                fill(source, "id", parts.join("-"));
                fill(source, "state", "Enabled");
                fill(source, "function", arn.as_str());
            }
        }
        Ok(())
    }

    /// `guardduty: on`, or detectors by id with their defaults.
    fn detectors(&self, region: &mut Map<String, Value>) {
        let id = hash_text(32, &[self.scope.account, self.region, "detector"]);
        match region.get_mut("guardduty") {
            Some(detectors @ Value::String(_)) => {
                let status = detectors.as_str().unwrap_or_default().to_owned();
                *detectors = json!({ id: { "status": status } });
            }
            Some(Value::Object(detectors)) => {
                if let Some(detector) = detectors.shift_remove("detector") {
                    detectors.insert(id, detector);
                }
            }
            _ => return,
        }
        let filled = each(region.get_mut("guardduty"), |_, detector| {
            fill(detector, "status", "ENABLED");
            fill(detector, "publishing_frequency", "SIX_HOURS");
            fill(
                detector,
                "features",
                json!({
                    "CLOUD_TRAIL": "ENABLED", "DNS_LOGS": "ENABLED", "FLOW_LOGS": "ENABLED"
                }),
            );
            Ok(())
        });
        debug_assert!(filled.is_ok(), "filling a detector cannot fail");
    }

    fn hub(&self, hub: &mut Map<String, Value>) {
        if hub.contains_key("$gap") || hub.contains_key("$not-applicable") {
            return;
        }
        fill(hub, "arn", self.arn("securityhub", "hub/default"));
        for standard in hub
            .get_mut("standards")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Value::String(name) = standard {
                let arn = if name.starts_with("arn:") {
                    name.clone()
                } else {
                    let (partition, region) = (self.scope.partition, self.region);
                    format!("arn:{partition}:securityhub:{region}::standards/{name}")
                };
                *standard = json!({"arn": arn, "status": "READY"});
            }
        }
    }

    fn bus(&self, bus: &str, entry: &mut Map<String, Value>) -> Outcome {
        fill(
            entry,
            "arn",
            self.arn("events", &format!("event-bus/{bus}")),
        );
        if let Some(policy) = entry.get_mut("policy") {
            document::policy(policy);
        }
        each(entry.get_mut("rules"), |name, rule| {
            let place = if bus == "default" {
                format!("rule/{name}")
            } else {
                format!("rule/{bus}/{name}")
            };
            fill(rule, "arn", self.arn("events", &place));
            fill(rule, "state", "ENABLED");
            self.role(rule, "role");
            let targets = rule.get_mut("targets").and_then(Value::as_array_mut);
            for (index, target) in targets.into_iter().flatten().enumerate() {
                if let Value::String(arn) = target {
                    *target = json!({ "arn": arn });
                }
                if let Value::Object(target) = target {
                    fill(target, "id", format!("target-{}", index + 1));
                    if let Some(Value::String(arn)) = target.get_mut("arn") {
                        *arn = match arn.split_once(':') {
                            Some(("topic", name)) => self.own("sns", name),
                            Some(("function", _)) => self.arn("lambda", arn),
                            _ => std::mem::take(arn),
                        };
                    }
                    self.role(target, "role");
                }
            }
            Ok(())
        })
    }

    fn topic(&self, name: &str, topic: &mut Map<String, Value>) -> Outcome {
        if let Some(policy) = topic.get_mut("policy") {
            document::policy(policy);
        } else {
            // Every topic is made with a policy for its owner.
            let arn = self.own("sns", name);
            let account = self.scope.account;
            let policy = json!({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [{
                "Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"},
                "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission",
                    "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe",
                    "SNS:ListSubscriptionsByTopic", "SNS:Publish"],
                "Resource": arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": account}}
            }]});
            topic.insert("policy".to_owned(), policy);
        }
        for subscription in topic
            .get_mut("subscriptions")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Value::String(protocol) = subscription {
                *subscription = json!({"protocol": protocol, "confirmed": true});
            }
        }
        Ok(())
    }
}

/// Resources by kind: roles by name, policies in short, ARNs where the world states none.
pub(super) fn resources(scope: &Scope<'_>, region: &str, kinds: Option<&mut Value>) -> Outcome {
    let at = Here { scope, region };
    let Some(Value::Object(kinds)) = kinds else {
        return Ok(());
    };
    for (kind, entries) in kinds.iter_mut() {
        each(Some(entries), |name, entry| {
            let (service, kind) = kind.split_once('.').unwrap_or((kind, "resource"));
            fill(entry, "arn", at.arn(service, &format!("{kind}/{name}")));
            at.role(entry, "role");
            if let Some(policy) = entry.get_mut("policy") {
                document::policy(policy);
            }
            Ok(())
        })?;
    }
    Ok(())
}
