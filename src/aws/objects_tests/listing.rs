//! Names: large buckets, odd keys, versions.

use super::*;

/// A page of up to 1,000 of `total` keys `data/000000000…`, from wherever it is asked.
fn flat(ask: &Ask, total: u64) -> Reply {
    let after = match (ask.text("continuation-token"), ask.text("start-after")) {
        ("", after) => after,
        (token, _) => token,
    };
    let key = |index: u64| format!("data/{index:010}");
    if ask.text("delimiter") == "/" && ask.text("prefix").is_empty() {
        return Reply::xml(page(&[], &["data/"], None));
    }
    let prefix = ask.text("prefix");
    if !"data/".starts_with(prefix) && !prefix.starts_with("data/") {
        return Reply::xml(page(&[], &[], None));
    }
    // The first key behind `after`: keys are numbers of ten digits.
    let digits: String = after.trim_start_matches("data/").chars().take(10).collect();
    let begin = match digits.len() {
        0 => 0,
        10 => digits.parse::<u64>().map_or(total, |index| index + 1),
        short => match format!("{digits}{}", "0".repeat(10 - short)).parse() {
            Ok(index) => index,
            Err(_) => total,
        },
    };
    let end = total.min(begin + 1_000);
    let keys: Vec<String> = (begin..end).map(key).collect();
    let keys: Vec<(&str, usize)> = keys.iter().map(|key| (key.as_str(), 1)).collect();
    let next = (end < total).then(|| key(end - 1));
    Reply::xml(page(&keys, &[], next.as_deref()))
}

#[tokio::test]
async fn a_billion_keys_cost_what_a_few_thousand_cost() {
    let mut asked = Vec::new();
    for total in [20_000, 1_000_000_000] {
        let served = Served::by(move |ask| match ask.has("versions") {
            true => Reply::error(403, "AccessDenied"),
            false => flat(ask, total),
        });
        let listing = listed(served.look(enforced(), tenth()).await);
        assert!(!listing.complete);
        assert!(
            listing.seen >= 10_000 && listing.seen <= 20_000,
            "{}",
            listing.seen
        );
        assert!(
            listing.limits[0].contains("then sampled"),
            "{:?}",
            listing.limits
        );
        assert!(listing.objects.len() <= ObjectOptions::default().max_named);
        asked.push(served.count(Ask::is_list));
    }
    assert_eq!(asked[0], asked[1]);
    assert!(asked[1] <= 35, "{asked:?}");
}

/// A tenth of the usual limits: the stand-in answers slowly in a debug build.
fn tenth() -> Options {
    let usual = ObjectOptions::default();
    Options {
        objects: ObjectOptions {
            max_keys: usual.max_keys / 10,
            max_pages: usual.max_pages / 10,
            ..usual
        },
        ..Options::default()
    }
}

#[tokio::test]
async fn what_fits_into_half_of_the_pages_is_listed_to_the_last() {
    let served = Served::by(|ask| flat(ask, 9_950));
    let listing = listed(served.look(enforced(), tenth()).await);
    assert!(listing.complete && listing.limits.is_empty() && listing.gaps.is_empty());
    assert_eq!((listing.seen, served.count(Ask::is_list)), (9_950, 10));
}

#[tokio::test]
async fn telling_names_are_kept_and_others_go() {
    let served = Served::by(|ask| {
        let mut keys: Vec<String> = (0..900).map(|index| format!("a/{index:03}.bin")).collect();
        keys.push("zz/.env".to_owned());
        keys.push("zz/backup.zip".to_owned());
        let keys: Vec<(&str, usize)> = keys.iter().map(|key| (key.as_str(), 10)).collect();
        match ask.is_list() {
            true => Reply::xml(page(&keys, &[], None)),
            false => Reply::error(404, "NoSuchKey"),
        }
    });
    let options = Options {
        objects: ObjectOptions {
            max_named: 5,
            ..ObjectOptions::default()
        },
        ..Options::default()
    };
    let listing = listed(served.look(enforced(), options).await);
    let keys: Vec<&str> = listing.objects.iter().map(|o| o.key.as_str()).collect();
    assert_eq!((keys.len(), listing.seen), (5, 902));
    assert!(
        keys.contains(&"zz/.env") && keys.contains(&"zz/backup.zip"),
        "{keys:?}"
    );
}

#[tokio::test]
async fn any_key_comes_back_as_it_is() {
    let emoji = "\u{1f511}".repeat(256);
    assert_eq!(emoji.len(), 1_024);
    let keys = [
        "line\nbreak/.env",
        "tab\tand\u{1}bell\u{7}/.env",
        "a b+c%2Fd/.env",
        "quote\"<&>'/.env",
        "deep//slashes/../.env",
        &emoji,
    ];
    let expected: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let body = page(&keys.map(|key| (key, 12)), &[], None);
    let served = Served::by(move |ask| match ask.is_list() {
        true => Reply::xml(body.clone()),
        false => Reply::part(ask, b"nothing here", "\"one\""),
    });
    let listing = listed(
        served
            .look(enforced(), reading(ObjectOptions::default()))
            .await,
    );
    let mut sorted = expected.clone();
    sorted.sort();
    let found: Vec<&str> = listing.objects.iter().map(|o| o.key.as_str()).collect();
    assert_eq!(found, sorted);
    // And what is then asked for is that key, not one that only looks like it.
    let read: BTreeSet<String> = served
        .seen()
        .into_iter()
        .filter(|ask| ask.range().is_some())
        .map(|ask| ask.key)
        .collect();
    let wanted: BTreeSet<String> = expected
        .into_iter()
        .filter(|k| k.ends_with(".env"))
        .collect();
    assert_eq!(read, wanted);
}

/// A page of versions.
fn versions(keys: &[(&str, &str, bool)], next: Option<&str>) -> String {
    let mut body = format!(
        "<ListVersionsResult><IsTruncated>{}</IsTruncated>",
        next.is_some()
    );
    for (key, id, latest) in keys {
        body += &format!(
            "<Version><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>{latest}</IsLatest>\
             <Size>9</Size></Version>"
        );
    }
    body += "<DeleteMarker><Key>gone/.env</Key><VersionId>m</VersionId>\
             <IsLatest>true</IsLatest></DeleteMarker>";
    if let Some(next) = next {
        body += &format!(
            "<NextKeyMarker>{next}</NextKeyMarker><NextVersionIdMarker>v</NextVersionIdMarker>"
        );
    }
    body + "</ListVersionsResult>"
}

#[tokio::test]
async fn what_lies_behind_a_delete_marker_is_seen() {
    let served = Served::by(|ask| match (ask.has("versions"), ask.text("key-marker")) {
        (false, _) => Reply::xml(page(&[("now/.env", 3)], &[], None)),
        (true, "") => Reply::xml(versions(
            &[("now/.env", "2", true), ("now/.env", "1", false)],
            Some("now%2F.env"),
        )),
        (true, "now/.env") => Reply::xml(versions(
            &[("gone/.env", "1", false), ("gone/x.bin", "1", false)],
            None,
        )),
        (true, other) => panic!("{other}"),
    });
    let bucket = Bucket {
        versioning: Observed::Value("Suspended".to_owned()),
        ..enforced()
    };
    let listing = listed(served.look(bucket, Options::default()).await);
    let found: Vec<(&str, Option<&str>)> = listing
        .objects
        .iter()
        .map(|object| (object.key.as_str(), object.version.as_deref()))
        .collect();
    let wanted = [
        ("gone/.env", Some("1")),
        ("now/.env", None),
        ("now/.env", Some("1")),
    ];
    assert_eq!(found, wanted);
    assert!(listing.complete && listing.gaps.is_empty());
}
