//! Lambda: functions and everything that hangs on them.

use std::collections::BTreeMap;

use palisade_model::{Arn, Function, Region, Time};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::{Desk, Outcome};
use crate::world::hash_text;

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    let region = desk.region()?;
    if desk.call.operation == "ListCodeSigningConfigs" {
        return super::generic::answer(desk); // whatever the functions say
    }
    let functions = match region {
        Some(region) => desk.fact(&region.functions)?,
        None => None,
    };
    match desk.call.operation.as_str() {
        "ListFunctions" => {
            let all = functions.into_iter().flatten();
            let all = all.map(|(name, function)| configuration(desk, name, function));
            paged(desk, "Functions", all.collect())
        }
        "ListEventSourceMappings" => event_sources(desk, region),
        "ListTags" => {
            let arn = Arn::new(desk.call.need("Resource")?);
            let function = functions.and_then(|all| all.get(arn.name()));
            let function = function.ok_or_else(|| not_found(arn.as_str()))?;
            let tags = desk.fact(&function.tags)?;
            Ok(Answer::of(
                json!({ "Tags": tags.cloned().unwrap_or_default() }),
            ))
        }
        "GetAccountSettings" => {
            let all = functions.map_or(0, BTreeMap::len);
            Ok(Answer::of(json!({
                "AccountLimit": {"ConcurrentExecutions": 1000},
                "AccountUsage": {"FunctionCount": all},
            })))
        }
        _ => one(desk, functions),
    }
}

fn not_found(what: &str) -> Failure {
    let message = format!("The resource you requested does not exist: {what}");
    Failure::new(404, "ResourceNotFoundException", message)
}

fn paged(desk: &Desk<'_>, name: &str, all: Vec<Value>) -> Outcome {
    let page = desk.page(all, "Marker", "MaxItems")?;
    Ok(Answer::of(
        json!({name: page.items, "NextMarker": page.next}),
    ))
}

/// Lambda's own spelling: `2026-10-02T06:00:00.000+0000`.
fn stamp(time: Time) -> String {
    time.to_string().replace('Z', ".000+0000")
}

fn configuration(desk: &Desk<'_>, name: &str, function: &Function) -> Value {
    let modified = function.modified.unwrap_or(desk.world.snapshot.taken_at);
    // Values are nobody's business here: every variable reads the same.
    let variables: Map<String, Value> = function
        .environment
        .iter()
        .map(|name| (name.clone(), "-".into()))
        .collect();
    let mut value = json!({
        "FunctionName": name,
        "FunctionArn": function.arn,
        "Role": function.role,
        "Handler": "main.handler",
        "CodeSize": 1024,
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "LastModified": stamp(modified),
        "CodeSha256": hash_text(43, &[function.arn.as_str()]),
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": hash_text(36, &[function.arn.as_str(), "revision"]),
        "PackageType": if function.runtime.is_empty() { "Image" } else { "Zip" },
        "Architectures": ["x86_64"],
    });
    if !function.state.is_empty() {
        value["State"] = function.state.as_str().into();
    }
    if let Some(queue) = &function.dead_letter {
        value["DeadLetterConfig"] = json!({ "TargetArn": queue });
    }
    if !function.runtime.is_empty() {
        value["Runtime"] = function.runtime.as_str().into();
    }
    if let Some(gap) = function.environment_read.gap() {
        let code = match gap.code.as_str() {
            "" => "AccessDeniedException",
            code => code,
        };
        value["Environment"] =
            json!({ "Error": { "ErrorCode": code, "Message": gap.message.as_str() } });
    } else if !variables.is_empty() {
        value["Environment"] = json!({ "Variables": variables });
    }
    if !function.layers.is_empty() {
        let layers = function
            .layers
            .iter()
            .map(|arn| json!({"Arn": arn, "CodeSize": 1}));
        value["Layers"] = layers.collect();
    }
    value
}

fn event_sources(desk: &Desk<'_>, region: Option<&Region>) -> Outcome {
    let wanted = desk.call.text("FunctionName");
    let mut all = Vec::new();
    let functions = region.and_then(|region| region.functions.value());
    for (name, function) in functions.into_iter().flatten() {
        if wanted
            .as_ref()
            .is_some_and(|wanted| Arn::new(wanted.as_str()).name() != name)
        {
            continue;
        }
        for source in desk.fact(&function.event_sources)?.into_iter().flatten() {
            all.push(json!({
                "UUID": source.id,
                "EventSourceArn": source.source,
                "FunctionArn": source.function,
                "State": source.state,
                "BatchSize": 10,
                "LastModified": function.modified.unwrap_or_default().0,
            }));
        }
    }
    paged(desk, "EventSourceMappings", all)
}

/// Calls about one function, by name or ARN.
fn one(desk: &Desk<'_>, functions: Option<&BTreeMap<String, Function>>) -> Outcome {
    let Some(given) = desk.call.text("FunctionName") else {
        return Err(desk.unknown());
    };
    let name = match given.strip_prefix("arn:") {
        Some(rest) => rest.splitn(6, ':').nth(5).unwrap_or_default().to_owned(),
        None => given.clone(),
    };
    let name = name.split(':').next().unwrap_or_default().to_owned();
    let function = functions.and_then(|all| all.get(&name)).ok_or_else(|| {
        let region = &desk.call.region;
        let account = &desk.call.account;
        let arn = format!(
            "arn:{}:lambda:{region}:{account}:function:{name}",
            desk.call.partition
        );
        Failure::new(
            404,
            "ResourceNotFoundException",
            format!("Function not found: {arn}"),
        )
    })?;
    match desk.call.operation.as_str() {
        "GetFunctionConfiguration" => {
            desk.fact(&function.state_read)?;
            Ok(Answer::of(configuration(desk, &name, function)))
        }
        "GetFunction" => {
            let mut value = json!({ "Configuration": configuration(desk, &name, function) });
            match desk.fact(&function.tags) {
                Ok(tags) => value["Tags"] = json!(tags.cloned().unwrap_or_default()),
                // The answer holds what stopped the tags beside the rest.
                Err(failure) => {
                    value["TagsError"] =
                        json!({ "ErrorCode": failure.code, "Message": failure.message });
                }
            }
            Ok(Answer::of(value))
        }
        "GetPolicy" => match desk.fact(&function.policy)? {
            Some(text) if desk.call.text("Qualifier").is_none() => Ok(Answer::of(json!({
                "Policy": text.as_str(),
                "RevisionId": hash_text(36, &[&name, text.as_str()]),
            }))),
            _ => Err(not_found(
                "no policy is associated with the given resource.",
            )),
        },
        "ListFunctionUrlConfigs" => {
            let urls = desk.fact(&function.urls)?.into_iter().flatten();
            let all = urls.map(|url| url_config(desk, function, url));
            paged(desk, "FunctionUrlConfigs", all.collect())
        }
        "GetFunctionUrlConfig" => {
            let wanted = desk.call.text("Qualifier").unwrap_or_default();
            let urls = desk.fact(&function.urls)?;
            let url = urls.and_then(|urls| urls.iter().find(|url| url.qualifier == wanted));
            match url {
                Some(url) => Ok(Answer::of(url_config(desk, function, url))),
                None => Err(not_found("function URL configuration")),
            }
        }
        "ListAliases" => {
            let aliases = desk
                .fact(&function.aliases)?
                .into_iter()
                .flatten()
                .map(|alias| {
                    json!({
                        "AliasArn": format!("{}:{}", function.arn, alias.name),
                        "Name": alias.name,
                        "FunctionVersion": alias.version,
                        "Description": "",
                    })
                });
            paged(desk, "Aliases", aliases.collect())
        }
        "ListVersionsByFunction" => {
            paged(desk, "Versions", vec![configuration(desk, &name, function)])
        }
        "GetFunctionCodeSigningConfig" => {
            let config = desk.fact(&function.code_signing)?;
            let mut value = json!({ "FunctionName": name });
            if let Some(arn) = config {
                value["CodeSigningConfigArn"] = arn.as_str().into();
            }
            Ok(Answer::of(value))
        }
        "GetFunctionConcurrency" => {
            let mut value = json!({});
            if let Some(number) = desk.fact(&function.reserved_concurrency)? {
                value["ReservedConcurrentExecutions"] = (*number).into();
            }
            Ok(Answer::of(value))
        }
        _ => Err(desk.unknown()),
    }
}

fn url_config(desk: &Desk<'_>, function: &Function, url: &palisade_model::FunctionUrl) -> Value {
    let arn = match url.qualifier.is_empty() {
        true => function.arn.to_string(),
        false => format!("{}:{}", function.arn, url.qualifier),
    };
    let id = hash_text(32, &[&arn, "url"]);
    let made = stamp(function.modified.unwrap_or_default());
    json!({
        "FunctionUrl": format!("https://{id}.lambda-url.{}.on.aws/", desk.call.region),
        "FunctionArn": arn,
        "AuthType": url.auth,
        "CreationTime": made,
        "LastModifiedTime": made,
        "InvokeMode": "BUFFERED",
    })
}
