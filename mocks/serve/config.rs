//! AWS Config: recorders, what they do, where they deliver.

use palisade_model::{ConfigRecorder, ConfigService};
use serde_json::{Value, json};

use super::answer::Answer;
use super::{Desk, Outcome};

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    let config = match desk.region()? {
        Some(region) => desk.fact(&region.config)?,
        None => None,
    };
    match desk.call.operation.as_str() {
        "DescribeConfigurationRecorders" => {
            let all = recorders(config).map(|(name, recorder)| describe(name, recorder));
            Ok(Answer::of(
                json!({"ConfigurationRecorders": all.collect::<Vec<_>>()}),
            ))
        }
        "DescribeConfigurationRecorderStatus" => {
            let mut all = Vec::new();
            for (name, recorder) in recorders(config) {
                let recording = desk.fact(&recorder.recording)?.copied().unwrap_or_default();
                let mut value = json!({"name": name, "recording": recording});
                if let Some(status) = desk.fact(&recorder.last_status)? {
                    // The status is spelled in capitals on the wire.
                    value["lastStatus"] = status.to_ascii_uppercase().into();
                    value["lastStatusChangeTime"] = desk.world.snapshot.taken_at.0.into();
                }
                all.push(value);
            }
            Ok(Answer::of(json!({ "ConfigurationRecordersStatus": all })))
        }
        "DescribeDeliveryChannels" => {
            let channels = match config {
                Some(config) => desk.fact(&config.delivery_channels)?,
                None => None,
            };
            let all: Vec<Value> = channels
                .into_iter()
                .flatten()
                .map(|(name, channel)| {
                    let mut value = json!({"name": name, "s3BucketName": channel.bucket});
                    if let Some(topic) = &channel.topic {
                        value["snsTopicARN"] = topic.as_str().into();
                    }
                    value
                })
                .collect();
            Ok(Answer::of(json!({ "DeliveryChannels": all })))
        }
        "DescribeConfigurationAggregators" | "DescribeConfigurationAggregatorSourcesStatus" => {
            aggregators(desk)
        }
        _ => Err(desk.unknown()),
    }
}

fn aggregators(desk: &Desk<'_>) -> Outcome {
    let known = match desk.region()? {
        Some(region) => desk.fact(&region.config_aggregators)?,
        None => None,
    };
    if desk.call.operation == "DescribeConfigurationAggregators" {
        let all = known.into_iter().flatten().map(|(name, aggregator)| {
            let reach = json!({
                "AllAwsRegions": aggregator.all_regions,
                "AwsRegions": (!aggregator.all_regions).then_some(&aggregator.regions),
            });
            match aggregator.organization {
                true => {
                    json!({"ConfigurationAggregatorName": name, "OrganizationAggregationSource": reach})
                }
                false => {
                    json!({"ConfigurationAggregatorName": name, "AccountAggregationSources": [reach]})
                }
            }
        });
        let page = desk.page(all.collect(), "NextToken", "Limit")?;
        return Ok(Answer::of(
            json!({"ConfigurationAggregators": page.items, "NextToken": page.next}),
        ));
    }
    let name = desk.call.need("ConfigurationAggregatorName")?;
    let sources = match known.and_then(|known| known.get(&name)) {
        Some(aggregator) => desk.fact(&aggregator.sources)?,
        None => None,
    };
    let mut all = Vec::new();
    for (id, regions) in sources.into_iter().flatten() {
        for (region, status) in regions {
            all.push(json!({
                "SourceId": id,
                "SourceType": "ACCOUNT",
                "AwsRegion": region,
                "LastUpdateStatus": status,
            }));
        }
    }
    let page = desk.page(all, "NextToken", "Limit")?;
    Ok(Answer::of(
        json!({"AggregatedSourceStatusList": page.items, "NextToken": page.next}),
    ))
}

fn recorders(config: Option<&ConfigService>) -> impl Iterator<Item = (&String, &ConfigRecorder)> {
    config.into_iter().flat_map(|config| &config.recorders)
}

/// Source: "RecordingGroup", AWS Config API Reference.
fn describe(name: &str, recorder: &ConfigRecorder) -> Value {
    let strategy = match (recorder.all_supported, recorder.excluded_types.is_empty()) {
        (true, _) => "ALL_SUPPORTED_RESOURCE_TYPES",
        (false, false) => "EXCLUSION_BY_RESOURCE_TYPES",
        (false, true) => "INCLUSION_BY_RESOURCE_TYPES",
    };
    json!({
        "name": name,
        "roleARN": recorder.role,
        "recordingGroup": {
            "allSupported": recorder.all_supported,
            "includeGlobalResourceTypes": recorder.include_global,
            "resourceTypes": recorder.resource_types,
            "exclusionByResourceTypes": {"resourceTypes": recorder.excluded_types},
            "recordingStrategy": {"useOnly": strategy},
        },
        "recordingMode": {"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": []},
    })
}
