//! Lambda functions of one region: who may call them, how they are triggered, as whom they run.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::{EventSourceMappingConfiguration, FunctionConfiguration};
use palisade_model::{
    Alias, Arn, EventSource, Function, FunctionUrl, Gap, GapKind, Observed, PolicyText, Time,
};

use crate::clients::sdk;
use crate::engine::Place;
use crate::outcome::one_line;
use crate::s3::or_absent;
use crate::tasks::each;

/// The functions by name.
pub(crate) async fn functions(place: &Place) -> Observed<BTreeMap<String, Function>> {
    let client = sdk!(aws_sdk_lambda, place, "lambda");
    let client = &client;
    let listed = place.pages(
        "lambda:ListFunctions",
        |marker| {
            client
                .list_functions()
                .max_items(50)
                .set_marker(marker)
                .send()
        },
        |page| (page.functions.unwrap_or_default(), page.next_marker),
    );
    let (listed, sources) = tokio::join!(listed, event_sources(place, client));
    let listed = match listed {
        Observed::Value(listed) => listed,
        other => return other.map(|_| BTreeMap::new()),
    };
    let sources = &sources;
    let read = each(listed, |entry| async move {
        let mut function = of(&entry);
        let name = entry.function_name.unwrap_or_default();
        let (policy, urls, aliases, signing, concurrency, tags) = tokio::join!(
            policy(place, client, &name),
            urls(place, client, &name),
            aliases(place, client, &name),
            code_signing(place, client, &name),
            reserved_concurrency(place, client, &name),
            tags(place, client, &function.arn),
        );
        function.policy = policy;
        function.urls = urls;
        function.aliases = aliases;
        function.code_signing = signing;
        function.reserved_concurrency = concurrency;
        function.tags = tags;
        function.event_sources = sources.as_ref().map(|sources| {
            let own = sources.iter();
            own.filter(|source| is_of(&source.function, &name))
                .cloned()
                .collect()
        });
        (name, function)
    });
    Observed::Value(read.await.into_iter().collect())
}

/// Whether a function ARN, qualified or not, is of the function of that name.
fn is_of(arn: &Arn, name: &str) -> bool {
    let rest = arn.resource().strip_prefix("function:").unwrap_or_default();
    rest == name
        || rest
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(':'))
}

/// What the list says; the rest is unread yet.
fn of(entry: &FunctionConfiguration) -> Function {
    let variables = entry
        .environment
        .as_ref()
        .and_then(|all| all.variables.as_ref());
    let mut environment: Vec<String> = variables
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    environment.sort();
    let values = variables
        .into_iter()
        .flatten()
        .map(|(_, value)| value.as_str());
    let key_ids: BTreeSet<String> = values.flat_map(key_ids).collect();
    let package = entry.package_type.as_ref().map(|package| package.as_str());
    let layers = entry.layers.iter().flatten();
    let runtime = entry
        .runtime
        .as_ref()
        .map(|runtime| runtime.as_str().to_owned());
    Function {
        arn: entry.function_arn.clone().unwrap_or_default().into(),
        role: entry.role.clone().unwrap_or_default().into(),
        runtime: runtime.unwrap_or_default(),
        modified: entry.last_modified.as_deref().and_then(modified),
        environment,
        key_ids: key_ids.into_iter().collect(),
        package_type: package
            .filter(|package| *package != "Zip")
            .unwrap_or_default()
            .to_owned(),
        layers: layers
            .filter_map(|layer| Some(layer.arn.clone()?.into()))
            .collect(),
        policy: Observed::not_collected("lambda:GetPolicy"),
        urls: Observed::not_collected("lambda:ListFunctionUrlConfigs"),
        aliases: Observed::not_collected("lambda:ListAliases"),
        event_sources: Observed::not_collected("lambda:ListEventSourceMappings"),
        code_signing: Observed::not_collected("lambda:GetFunctionCodeSigningConfig"),
        reserved_concurrency: Observed::not_collected("lambda:GetFunctionConcurrency"),
        dead_letter: entry
            .dead_letter_config
            .as_ref()
            .and_then(|queue| queue.target_arn.clone())
            .filter(|arn| !arn.is_empty())
            .map(Arn::from),
        runs: Observed::Absent,
        state_read: Observed::Absent,
        state: entry
            .state
            .as_ref()
            .map(|state| state.as_str().to_owned())
            .unwrap_or_default(),
        handler: None,
        tags: Observed::not_collected("lambda:ListTags"),
        environment_read: environment_read(entry),
    }
}

/// Where the caller may not use the key of the environment, the list holds an error in place of
/// the variables. Source: "EnvironmentResponse", Lambda API Reference.
fn environment_read(entry: &FunctionConfiguration) -> Observed<()> {
    let error = entry.environment.as_ref().and_then(|all| all.error());
    match error {
        None => Observed::Absent,
        Some(error) => Gap {
            code: error.error_code().unwrap_or_default().to_owned(),
            message: one_line(error.message().unwrap_or_default()),
            ..Gap::new("lambda:ListFunctions", GapKind::Denied)
        }
        .into(),
    }
}

/// Access key ids in a value: a kind of four letters and sixteen characters of base 32. Source:
/// "IAM identifiers", IAM User Guide. The value itself is not kept.
pub(crate) fn key_ids(value: &str) -> Vec<String> {
    let is_body = |byte: u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
    value
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() == 20 && (word.starts_with("AKIA") || word.starts_with("ASIA")))
        .filter(|word| word.bytes().all(is_body))
        .map(str::to_owned)
        .collect()
}

/// Lambda writes the offset without a colon: `2026-01-02T03:04:05.678+0000`.
fn modified(text: &str) -> Option<Time> {
    let text = match text.strip_suffix("+0000") {
        Some(head) => format!("{head}Z"),
        None => text.to_owned(),
    };
    text.parse().ok()
}

async fn event_sources(place: &Place, client: &Client) -> Observed<Vec<EventSource>> {
    let listed = place.pages(
        "lambda:ListEventSourceMappings",
        |marker| {
            client
                .list_event_source_mappings()
                .set_marker(marker)
                .send()
        },
        |page| {
            (
                page.event_source_mappings.unwrap_or_default(),
                page.next_marker,
            )
        },
    );
    listed.await.map(|mappings| {
        let mut sources: Vec<EventSource> = mappings.into_iter().map(event_source).collect();
        sources.sort();
        sources
    })
}

fn event_source(mapping: EventSourceMappingConfiguration) -> EventSource {
    EventSource {
        id: mapping.uuid.unwrap_or_default(),
        source: mapping.event_source_arn.unwrap_or_default().into(),
        state: mapping.state.unwrap_or_default(),
        function: mapping.function_arn.unwrap_or_default().into(),
    }
}

async fn policy(place: &Place, client: &Client, name: &str) -> Observed<PolicyText> {
    let answer = place.ask("lambda:GetPolicy", || {
        client.get_policy().function_name(name).send()
    });
    match answer.await {
        Observed::Value(answer) => or_absent(answer.policy.map(PolicyText::new)),
        other => other.map(|_| PolicyText::default()),
    }
}

async fn urls(place: &Place, client: &Client, name: &str) -> Observed<Vec<FunctionUrl>> {
    let listed = place.pages(
        "lambda:ListFunctionUrlConfigs",
        |marker| {
            client
                .list_function_url_configs()
                .function_name(name)
                .set_marker(marker)
                .send()
        },
        |page| (page.function_url_configs, page.next_marker),
    );
    listed.await.map(|urls| {
        let mut urls: Vec<FunctionUrl> = urls
            .into_iter()
            .map(|url| {
                // `…:function:name` or `…:function:name:alias`
                let qualifier = url.function_arn.split(':').nth(7).unwrap_or_default();
                FunctionUrl {
                    qualifier: qualifier.to_owned(),
                    auth: url.auth_type.as_str().to_owned(),
                }
            })
            .collect();
        urls.sort();
        urls
    })
}

async fn aliases(place: &Place, client: &Client, name: &str) -> Observed<Vec<Alias>> {
    let listed = place.pages(
        "lambda:ListAliases",
        |marker| {
            client
                .list_aliases()
                .function_name(name)
                .set_marker(marker)
                .send()
        },
        |page| (page.aliases.unwrap_or_default(), page.next_marker),
    );
    listed.await.map(|aliases| {
        let mut aliases: Vec<Alias> = aliases
            .into_iter()
            .map(|alias| Alias {
                name: alias.name.unwrap_or_default(),
                version: alias.function_version.unwrap_or_default(),
            })
            .collect();
        aliases.sort();
        aliases
    })
}

async fn code_signing(place: &Place, client: &Client, name: &str) -> Observed<Arn> {
    let answer = place.ask("lambda:GetFunctionCodeSigningConfig", || {
        client
            .get_function_code_signing_config()
            .function_name(name)
            .send()
    });
    match answer.await {
        Observed::Value(answer) if answer.code_signing_config_arn.is_empty() => Observed::Absent,
        other => other.map(|answer| answer.code_signing_config_arn.into()),
    }
}

async fn reserved_concurrency(place: &Place, client: &Client, name: &str) -> Observed<u32> {
    let answer = place.ask("lambda:GetFunctionConcurrency", || {
        client.get_function_concurrency().function_name(name).send()
    });
    match answer.await {
        Observed::Value(answer) => {
            let reserved = answer.reserved_concurrent_executions;
            or_absent(reserved.and_then(|reserved| u32::try_from(reserved).ok()))
        }
        other => other.map(|_| 0),
    }
}

async fn tags(place: &Place, client: &Client, arn: &Arn) -> Observed<BTreeMap<String, String>> {
    let answer = place.ask("lambda:ListTags", || {
        client.list_tags().resource(arn.as_str()).send()
    });
    answer
        .await
        .map(|answer| answer.tags.unwrap_or_default().into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_belongs_to_the_function_it_names() {
        let arn = |tail: &str| Arn::from(format!("arn:aws:lambda:r:1:function:{tail}"));
        assert!(is_of(&arn("deploy"), "deploy"));
        assert!(is_of(&arn("deploy:live"), "deploy"));
        assert!(!is_of(&arn("deploy-two"), "deploy"));
    }

    #[test]
    fn key_ids_are_found_and_nothing_else_is_kept() {
        let id = format!("AKIA{}", "RTX3GSDSQERUKZ4J");
        assert_eq!(key_ids(&format!("id={id};rest")), std::slice::from_ref(&id));
        assert_eq!(key_ids(&format!("x{id}")), [""; 0]);
        assert_eq!(key_ids(&id.to_lowercase()), [""; 0]);
    }

    #[test]
    fn lambdas_own_time_format_is_read() {
        assert_eq!(
            modified("2026-01-02T03:04:05.678+0000"),
            "2026-01-02T03:04:05Z".parse().ok()
        );
    }
}
