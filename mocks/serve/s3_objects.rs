//! Objects: their bytes in ranges, their headers, their ACLs.

use http::{Request, Response};
use palisade_model::{ObjectEntry, Observed};

use super::answer::{Answer, Reply, response};
use super::failure::Failure;
use super::s3::{Place, access_control, denied};
use super::s3_listing::etag;
use super::{Desk, Outcome};
use crate::world::hash_text;

pub(super) fn answer(
    desk: &Desk<'_>,
    request: &Request<Vec<u8>>,
    place: &Place<'_>,
    key: &str,
) -> Outcome<Reply> {
    let entry = find(desk, place, key)?;
    match desk.call.operation.as_str() {
        "GetObject" | "HeadObject" => bytes(desk, request, place, entry),
        "GetObjectAcl" => access_control(desk, place.owner, &entry.acl).map(Reply::from),
        "GetObjectTagging" => {
            let none = serde_json::json!({"TagSet": {}});
            Ok(Answer::xml("Tagging", none).into())
        }
        _ => Err(desk.unknown()),
    }
}

/// The object, in the version asked for. Only those who may list are told that there is none.
fn find<'a>(desk: &Desk<'a>, place: &Place<'a>, key: &str) -> Outcome<&'a ObjectEntry> {
    let listing = match desk.fact(&place.bucket.objects) {
        Ok(listing) => listing,
        Err(_) => return Err(denied()),
    };
    let version = desk
        .call
        .text("versionId")
        .filter(|version| version != "null");
    let current = hash_text(32, &["version", place.name, key]);
    let wanted = version.filter(|version| *version != current);
    listing
        .into_iter()
        .flat_map(|listing| &listing.objects)
        .find(|entry| entry.key == key && entry.version == wanted)
        .ok_or_else(|| {
            Failure::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
        })
}

/// The world's bytes, or as many zeros as the object is long.
fn content(desk: &Desk<'_>, place: &Place<'_>, entry: &ObjectEntry) -> Vec<u8> {
    let at = (
        place.owner.to_owned(),
        place.name.to_owned(),
        entry.key.clone(),
        entry.version.clone().unwrap_or_default(),
    );
    match desk.world.content.get(&at) {
        Some(bytes) => bytes.clone(),
        None => vec![0; entry.size.min(1 << 20) as usize],
    }
}

fn bytes(
    desk: &Desk<'_>,
    request: &Request<Vec<u8>>,
    place: &Place<'_>,
    entry: &ObjectEntry,
) -> Outcome<Reply> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|text| text.to_str().ok())
    };
    if desk.call.operation == "GetObject"
        && let Observed::Gap(gap) = &entry.matches
    {
        return Err(Failure::of_gap(desk.call, gap));
    }
    let tag = etag(place, entry);
    if header("if-match").is_some_and(|wanted| wanted != tag && wanted != "*") {
        return Err(Failure::new(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
        )
        .with("Condition", "If-Match"));
    }
    if ["GLACIER", "DEEP_ARCHIVE"].contains(&entry.storage_class.as_str())
        && desk.call.operation == "GetObject"
    {
        return Err(Failure::new(
            403,
            "InvalidObjectState",
            "The operation is not valid for the object's storage class",
        )
        .with("StorageClass", entry.storage_class.as_str()));
    }
    let encrypted = entry
        .encryption
        .value()
        .is_some_and(|kind| kind.starts_with("aws:kms"));
    if encrypted && !desk.call.signed {
        return Err(Failure::new(
            400,
            "InvalidArgument",
            "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS \
             Signature Version 4.",
        ));
    }
    let all = content(desk, place, entry);
    let total = all.len();
    let (status, from, until) = match header("range") {
        None => (200, 0, total),
        Some(range) => match wanted_range(range, total) {
            Some((from, until)) => (206, from, until),
            None => {
                return Err(Failure::new(
                    416,
                    "InvalidRange",
                    "The requested range is not satisfiable",
                )
                .with("ActualObjectSize", total.to_string()));
            }
        },
    };
    let body = match desk.call.operation.as_str() {
        "HeadObject" => Vec::new(),
        _ => all[from..until].to_vec(),
    };
    let mut answer = response(status, "binary/octet-stream", body);
    let mut put = |name: &'static str, value: String| insert(&mut answer, name, &value);
    put("etag", tag);
    put("accept-ranges", "bytes".to_owned());
    put("content-length", (until - from).to_string());
    put(
        "last-modified",
        http_date(entry.modified.unwrap_or(desk.world.snapshot.taken_at)),
    );
    if status == 206 {
        put(
            "content-range",
            format!("bytes {from}-{}/{total}", until - 1),
        );
    }
    // The bucket's default says nothing about objects that are older than it.
    let encryption = entry.encryption.value();
    put(
        "x-amz-server-side-encryption",
        encryption.map_or("AES256", String::as_str).to_owned(),
    );
    if !entry.storage_class.is_empty() && entry.storage_class != "STANDARD" {
        put("x-amz-storage-class", entry.storage_class.clone());
    }
    if let Some(version) = &entry.version {
        put("x-amz-version-id", version.clone());
    }
    Ok(Reply::Http(answer))
}

fn insert(answer: &mut Response<Vec<u8>>, name: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        answer.headers_mut().insert(name, value);
    }
}

/// First byte and one past the last of `bytes=a-b`, `bytes=a-` or `bytes=-n`.
fn wanted_range(range: &str, total: usize) -> Option<(usize, usize)> {
    let (from, until) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, until) = match (from.parse::<usize>(), until.parse::<usize>()) {
        (Ok(from), Ok(last)) => (from, last.saturating_add(1).min(total)),
        (Ok(from), Err(_)) => (from, total),
        (Err(_), Ok(length)) => (total.saturating_sub(length), total),
        (Err(_), Err(_)) => return None,
    };
    (from < until).then_some((from, until))
}

/// A time as HTTP headers write it: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(time: palisade_model::Time) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = time.to_string();
    let day = DAYS[time.0.div_euclid(86_400).rem_euclid(7) as usize];
    let month = text
        .get(5..7)
        .and_then(|month| month.parse::<usize>().ok())
        .unwrap_or(1);
    format!(
        "{day}, {} {} {} {} GMT",
        text.get(8..10).unwrap_or("01"),
        MONTHS[(month - 1).min(11)],
        text.get(..4).unwrap_or("1970"),
        text.get(11..19).unwrap_or("00:00:00")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_object() {
        assert_eq!(wanted_range("bytes=0-3", 10), Some((0, 4)));
        assert_eq!(wanted_range("bytes=8-99", 10), Some((8, 10)));
        assert_eq!(wanted_range("bytes=-4", 10), Some((6, 10)));
        assert_eq!(wanted_range("bytes=10-", 10), None);
    }

    #[test]
    fn times_read_as_http_writes_them() {
        let time = palisade_model::Time(784_111_777);
        assert_eq!(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
