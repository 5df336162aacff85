//! AWS Config of one region.

use std::collections::BTreeMap;

use palisade_model::{
    Aggregator, ConfigRecorder, ConfigService, DeliveryChannel, Gap, GapKind, Observed,
};
use serde_json::{Value, json};

use crate::engine::Place;
use crate::generic::Rows;
use crate::pages::half_a_row;
use crate::path;
use crate::s3::or_absent;
use crate::services::CONFIG;
use crate::tasks::each;

/// Recorders and channels. Neither of them reads as absent.
pub(crate) async fn config(place: &Place) -> Observed<ConfigService> {
    let ask = |operation| place.json(&CONFIG, operation, "", json!({}));
    let (recorders, status, channels) = tokio::join!(
        ask("DescribeConfigurationRecorders"),
        ask("DescribeConfigurationRecorderStatus"),
        ask("DescribeDeliveryChannels"),
    );
    let status = listed(
        status,
        "DescribeConfigurationRecorderStatus",
        "ConfigurationRecordersStatus",
    );
    let channels = listed(channels, "DescribeDeliveryChannels", "DeliveryChannels");
    let recorders = listed(
        recorders,
        "DescribeConfigurationRecorders",
        "ConfigurationRecorders",
    );
    let recorders = match recorders {
        Observed::Value(answer) => answer,
        other => return other.map(|_| ConfigService::default()),
    };
    let recorders: BTreeMap<String, ConfigRecorder> =
        path::all(&recorders, "ConfigurationRecorders[]")
            .into_iter()
            .map(|entry| recorder(entry, &status))
            .collect();
    let channels = channels.map(|answer| {
        path::all(&answer, "DeliveryChannels[]")
            .into_iter()
            .map(|entry| {
                let channel = DeliveryChannel {
                    bucket: path::text(entry, "s3BucketName").unwrap_or_default(),
                    topic: path::text(entry, "snsTopicARN").map(Into::into),
                };
                (path::text(entry, "name").unwrap_or_default(), channel)
            })
            .collect::<BTreeMap<_, _>>()
    });
    if recorders.is_empty() && channels.value().is_some_and(BTreeMap::is_empty) {
        return Observed::Absent;
    }
    Observed::Value(ConfigService {
        recorders,
        delivery_channels: channels,
    })
}

/// Aggregators by name, in accounts that may gather from their organization.
pub(crate) async fn aggregators(place: &Place) -> Observed<BTreeMap<String, Aggregator>> {
    if !place.may_gather("config.amazonaws.com") {
        return Observed::Absent;
    }
    let listed = place.json_pages(
        &CONFIG,
        "DescribeConfigurationAggregators",
        "",
        json!({"Limit": 100}),
        Rows::new(
            "ConfigurationAggregators[]",
            &[],
            ("NextToken", "NextToken"),
        ),
    );
    let read = |entry: &Value| {
        let wide = "OrganizationAggregationSource";
        let all = |name: &str| path::texts(entry, name);
        let organization = path::first(entry, wide).is_some();
        let of = match organization {
            true => format!("{wide}."),
            false => "AccountAggregationSources[].".to_owned(),
        };
        let aggregator = Aggregator {
            organization,
            all_regions: path::flag(entry, &format!("{of}AllAwsRegions")).unwrap_or_default(),
            regions: all(&format!("{of}AwsRegions[]")),
            sources: Observed::Absent,
        };
        Some((
            path::text(entry, "ConfigurationAggregatorName")?,
            aggregator,
        ))
    };
    let operation = "config:DescribeConfigurationAggregators";
    let listed: Vec<(String, Aggregator)> = match path::rows(listed.await, operation, read) {
        Observed::Value(listed) => listed,
        other => return other.map(|_: Vec<_>| BTreeMap::new()),
    };
    let read = each(listed, |(name, mut aggregator)| async move {
        aggregator.sources = sources(place, &name).await;
        (name, aggregator)
    });
    let read: BTreeMap<String, Aggregator> = read.await.into_iter().collect();
    or_absent((!read.is_empty()).then_some(read))
}

/// How an aggregator's last updates went, by account and region.
async fn sources(
    place: &Place,
    name: &str,
) -> Observed<BTreeMap<String, BTreeMap<String, String>>> {
    let operation = "config:DescribeConfigurationAggregatorSourcesStatus";
    let listed = place.json_pages(
        &CONFIG,
        "DescribeConfigurationAggregatorSourcesStatus",
        "",
        json!({"ConfigurationAggregatorName": name, "Limit": 100}),
        Rows::new(
            "AggregatedSourceStatusList[]",
            &[],
            ("NextToken", "NextToken"),
        ),
    );
    // The organization itself is a source too, and of no region.
    let read = |entry: &Value| {
        let status = path::text(entry, "LastUpdateStatus")?;
        let region = path::text(entry, "AwsRegion").unwrap_or_default();
        Some((path::text(entry, "SourceId")?, region, status))
    };
    let rows = path::rows(listed.await, operation, read);
    let rows = rows.map(|rows: Vec<(String, String, String)>| {
        let mut sources: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (id, region, status) in rows.into_iter().filter(|(_, region, _)| !region.is_empty()) {
            sources.entry(id).or_default().insert(region, status);
        }
        sources
    });
    match rows {
        Observed::Value(sources) => or_absent((!sources.is_empty()).then_some(sources)),
        other => other,
    }
}

/// An answer that does not speak of the list is none, nor is one with a row without a name.
fn listed(answer: Observed<Value>, operation: &str, list: &str) -> Observed<Value> {
    let other = answer.value().and_then(Value::as_object);
    if other.is_some_and(|members| !members.contains_key(list)) {
        return Gap::new(format!("config:{operation}"), GapKind::Unparsable).into();
    }
    let rows = answer
        .value()
        .map(|answer| path::all(answer, &format!("{list}[]")));
    let is_named = |row: &&Value| path::text(row, "name").is_some();
    if rows.is_some_and(|rows| !rows.iter().all(is_named)) {
        return half_a_row(&format!("config:{operation}")).into();
    }
    answer
}

fn recorder(entry: &Value, status: &Observed<Value>) -> (String, ConfigRecorder) {
    let name = path::text(entry, "name").unwrap_or_default();
    let own = status.as_ref().map(|answer| {
        path::all(answer, "ConfigurationRecordersStatus[]")
            .into_iter()
            .find(|status| path::text(status, "name").as_ref() == Some(&name))
    });
    let recorder = ConfigRecorder {
        role: path::text(entry, "roleARN").unwrap_or_default().into(),
        all_supported: path::flag(entry, "recordingGroup.allSupported").unwrap_or_default(),
        include_global: path::flag(entry, "recordingGroup.includeGlobalResourceTypes")
            .unwrap_or_default(),
        resource_types: path::texts(entry, "recordingGroup.resourceTypes[]"),
        excluded_types: path::texts(
            entry,
            "recordingGroup.exclusionByResourceTypes.resourceTypes[]",
        ),
        recording: match of(&own, |status| path::flag(status, "recording")) {
            Observed::Absent => half_a_row("config:DescribeConfigurationRecorderStatus").into(),
            told => told,
        },
        last_status: of(&own, |status| {
            path::text(status, "lastStatus").map(capitalised)
        }),
    };
    (name, recorder)
}

/// The reference says `Success`, the service also says `SUCCESS`.
fn capitalised(status: String) -> String {
    let lower = status.to_ascii_lowercase();
    let (head, tail) = lower.split_at(lower.len().min(1));
    head.to_ascii_uppercase() + tail
}

fn of<T>(own: &Observed<Option<&Value>>, read: impl Fn(&Value) -> Option<T>) -> Observed<T> {
    match own {
        Observed::Value(status) => or_absent(status.and_then(read)),
        Observed::Absent => Observed::Absent,
        Observed::NotApplicable(why) => Observed::NotApplicable(why.clone()),
        Observed::Gap(gap) => Observed::Gap(gap.clone()),
    }
}
