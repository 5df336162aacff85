//! What the scanner may do: one policy, and the session policies it is cut into, made from the
//! table of calls.

use std::collections::BTreeSet;

use serde_json::json;

use crate::calls;

/// The actions of the scan policy, sorted. `content` adds those that read objects.
pub fn scan_actions(content: bool) -> BTreeSet<&'static str> {
    calls()
        .filter(|call| !call.action.is_empty() && (content || !call.content))
        .map(|call| call.action)
        .collect()
}

/// The exact read-only policy that a scan needs, as JSON. `content` adds reading objects.
pub fn scan_policy(content: bool) -> String {
    let text = serde_json::to_string_pretty(&policy(scan_actions(content).into_iter()));
    text.expect("a policy of strings always serialises")
}

fn policy<'a>(actions: impl Iterator<Item = &'a str>) -> serde_json::Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "PalisadeScan",
            "Effect": "Allow",
            "Action": actions.collect::<Vec<_>>(),
            "Resource": "*",
        }],
    })
}

/// A session policy and the services it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// IAM service prefixes whose calls go through such a session.
    pub services: BTreeSet<&'static str>,
    /// The policy, compact.
    pub document: String,
}

/// The longest inline session policy. AWS takes 2,048 characters and also limits a packed,
/// binary form of them; the margin leaves room for the latter.
/// Source: "AssumeRole", AWS STS API Reference.
const SESSION_POLICY_LIMIT: usize = 1_900;

/// The scan policy cut into as few session policies as fit, each holding whole services. Their
/// union is the scan policy: an assumed role can do nothing through them that it does not list.
pub fn session_policies(content: bool) -> Vec<SessionPolicy> {
    let mut services: Vec<(&str, Vec<&str>)> = Vec::new();
    for action in scan_actions(content) {
        let service = action.split(':').next().unwrap_or_default();
        match services.last_mut() {
            Some((last, actions)) if *last == service => actions.push(action),
            _ => services.push((service, vec![action])),
        }
    }
    let mut groups: Vec<(BTreeSet<&str>, Vec<&str>)> = Vec::new();
    for (service, actions) in services {
        let fits = |group: &Vec<&str>| {
            let all = group.iter().chain(&actions).copied();
            session_document(all).len() <= SESSION_POLICY_LIMIT
        };
        match groups.last_mut().filter(|(_, group)| fits(group)) {
            Some((names, group)) => {
                names.insert(service);
                group.extend(actions);
            }
            None => groups.push((BTreeSet::from([service]), actions)),
        }
    }
    groups
        .into_iter()
        .map(|(services, actions)| SessionPolicy {
            services,
            document: session_document(actions.into_iter()),
        })
        .collect()
}

fn session_document<'a>(actions: impl Iterator<Item = &'a str>) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": actions.collect::<Vec<_>>(),
            "Resource": "*",
        }],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_policy_reads_objects_only_when_asked() {
        assert!(!scan_policy(false).contains("\"s3:GetObject\""));
        assert!(scan_policy(true).contains("\"s3:GetObject\""));
        assert!(scan_policy(false).len() < 6_144 * 2);
    }

    #[test]
    fn session_policies_fit_and_add_up_to_the_scan_policy() {
        for content in [false, true] {
            let mut all = BTreeSet::new();
            for policy in session_policies(content) {
                assert!(policy.document.len() <= 2_048, "{}", policy.document.len());
                let value: serde_json::Value = serde_json::from_str(&policy.document).unwrap();
                for action in value["Statement"][0]["Action"].as_array().unwrap() {
                    let action = action.as_str().unwrap().to_owned();
                    assert!(policy.services.contains(action.split(':').next().unwrap()));
                    all.insert(action);
                }
            }
            let wanted = scan_actions(content)
                .into_iter()
                .map(str::to_owned)
                .collect();
            assert_eq!(all, wanted);
        }
    }
}
