//! AWS Config of one region.

use std::collections::BTreeMap;

use palisade_model::{ConfigRecorder, ConfigService, DeliveryChannel, Gap, GapKind, Observed};
use serde_json::{Value, json};

use crate::engine::Place;
use crate::path;
use crate::s3::or_absent;
use crate::services::CONFIG;

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

/// An answer that speaks of something else than the list is none.
fn listed(answer: Observed<Value>, operation: &str, list: &str) -> Observed<Value> {
    let other = answer.value().and_then(Value::as_object);
    if other.is_some_and(|members| !members.is_empty() && !members.contains_key(list)) {
        return Gap::new(format!("config:{operation}"), GapKind::Unparsable).into();
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
        recording: of(&own, |status| path::flag(status, "recording")),
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
