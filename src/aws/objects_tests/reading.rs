//! Content: windows, budgets to the byte, objects that change or go, and going on later.

use super::*;
use crate::objects_read::WINDOW;

/// Serves these objects, and lists them.
fn shelf(objects: Vec<(&'static str, Vec<u8>)>) -> impl Fn(&Ask) -> Reply + Send + Sync + Clone {
    move |ask: &Ask| {
        if ask.is_list() {
            let keys: Vec<(&str, usize)> = objects
                .iter()
                .map(|(key, bytes)| (*key, bytes.len()))
                .collect();
            return Reply::xml(page(&keys, &[], None));
        }
        match objects.iter().find(|(key, _)| *key == ask.key) {
            Some((_, bytes)) => Reply::part(ask, bytes, "\"one\""),
            None => Reply::error(404, "NoSuchKey"),
        }
    }
}

/// So many bytes of text without anything in it, with the pair at `at`.
fn planted(size: usize, at: usize) -> Vec<u8> {
    let (id, secret) = pair();
    let text = format!("\nid={id}\nsecret_access_key={secret}\n");
    let mut bytes = "a plain line of text\n".repeat(size / 21 + 1).into_bytes();
    bytes.truncate(size);
    bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
    bytes
}

/// What comes of reading everything in a bucket whose objects have no access lists.
async fn read_all(served: &Served) -> ObjectListing {
    let options = reading(ObjectOptions::default());
    listed(served.look(enforced(), options).await)
}

fn bytes_asked(served: &Served) -> u64 {
    let ranges = served.seen().into_iter().filter_map(|ask| ask.range());
    ranges.map(|(from, until)| until - from).sum()
}

#[tokio::test]
async fn an_object_streams_by_in_windows_and_a_seam_hides_nothing() {
    let seam = WINDOW as usize - 30;
    let served = Served::by(shelf(vec![("terraform.tfstate", planted(5 << 20, seam))]));
    let listing = read_all(&served).await;
    let object = &listing.objects[0];
    let found = object.matches.value().unwrap();
    let secret = found
        .iter()
        .find(|found| found.rule == "aws-secret-access-key")
        .unwrap();
    let start = seam + "\nid=".len() + 20 + "\nsecret_access_key=".len();
    assert_eq!(
        (secret.start, secret.end),
        (start as u64, start as u64 + 40)
    );
    assert_eq!(secret.account.as_deref(), Some("111122223333"));
    assert!(secret.paired && object.unsearched.is_empty());
    let ranges: Vec<_> = served
        .seen()
        .into_iter()
        .filter(|ask| ask.range().is_some())
        .collect();
    assert_eq!(ranges.len(), 5);
    assert!(ranges.iter().all(|ask| {
        let (from, until) = ask.range().unwrap();
        until - from <= WINDOW && ask.headers["if-match"] == "\"one\""
    }));
}

#[tokio::test]
async fn the_budget_is_kept_to_the_byte() {
    let objects = vec![
        ("a/.env", planted(700_000, 5)),
        ("b/.env", planted(700_000, 5)),
        ("c/.env", planted(700_000, 5)),
    ];
    let served = Served::by(shelf(objects));
    let limits = ObjectOptions {
        max_bytes: 1_500_001,
        ..ObjectOptions::default()
    };
    let listing = listed(served.look(enforced(), reading(limits)).await);
    assert_eq!(bytes_asked(&served), 1_500_001);
    let cut = listing
        .objects
        .iter()
        .filter(|object| !object.unsearched.is_empty());
    let unread = listing
        .objects
        .iter()
        .filter(|object| object.matches.value().is_none());
    assert_eq!(cut.count() + unread.count(), 1);
}

#[tokio::test]
async fn a_cost_limit_ends_listing_and_reading() {
    let served = Served::by(shelf(vec![("a/.env", planted(700_000, 5))]));
    // One list and one range of 1,000 bytes.
    let limits = ObjectOptions {
        max_cost: Some(5.49e-6),
        ..ObjectOptions::default()
    };
    let listing = listed(served.look(enforced(), reading(limits.clone())).await);
    assert_eq!(
        (served.count(Ask::is_list), bytes_asked(&served)),
        (1, 1_000)
    );
    let object = &listing.objects[0];
    assert_eq!(object.matches.value().map(Vec::len), Some(1));
    assert!(
        object.unsearched[0].contains("cost limit"),
        "{:?}",
        object.unsearched
    );
    let nothing = ObjectOptions {
        max_cost: Some(0.0),
        ..limits
    };
    let served = Served::by(shelf(vec![("a/.env", planted(700_000, 5))]));
    let listing = listed(served.look(enforced(), reading(nothing)).await);
    assert_eq!(served.seen().len(), 0);
    assert!(!listing.complete && listing.limits == ["the cost limit is used up"]);
}

#[tokio::test]
async fn a_server_that_knows_no_ranges_sends_no_more_than_a_window_into_memory() {
    let inner = shelf(vec![("terraform.tfstate", planted(3 << 20, 5))]);
    let served = Served::by(move |ask| {
        let mut plain = ask.clone();
        plain.headers.remove("range");
        let mut reply = inner(&plain);
        if ask.range().is_some() {
            reply.status = 200;
            reply.headers.retain(|(name, _)| *name != "content-range");
        }
        reply
    });
    let listing = read_all(&served).await;
    assert_eq!(bytes_asked(&served), 3 << 20);
    assert!(listing.objects[0].matches.value().is_some());
}

#[tokio::test]
async fn sixteen_requests_are_in_flight_and_no_more() {
    let keys: Vec<String> = (0..64).map(|index| format!("{index}/.env")).collect();
    let served = Served {
        takes: Duration::from_millis(5),
        ..Served::by(move |ask| {
            let keys: Vec<(&str, usize)> = keys.iter().map(|key| (key.as_str(), 60)).collect();
            match ask.is_list() {
                true => Reply::xml(page(&keys, &[], None)),
                false => Reply::part(ask, &[b'x'; 60], "\"one\""),
            }
        })
    };
    let listing = read_all(&served).await;
    assert!(
        listing
            .objects
            .iter()
            .all(|object| object.matches.value().is_some())
    );
    assert_eq!(served.most.load(Ordering::SeqCst), 16);
}

#[tokio::test]
async fn an_object_that_changed_is_read_as_it_is_now() {
    let (new, calls) = (planted(300, 5), Arc::new(AtomicUsize::new(0)));
    let counted = calls.clone();
    let served = Served::by(move |ask| {
        if ask.is_list() {
            return Reply::xml(page(&[(".env", 280)], &[], None));
        }
        counted.fetch_add(1, Ordering::SeqCst);
        match ask.headers.get("if-match").map(String::as_str) {
            Some("\"one\"") => Reply::error(412, "PreconditionFailed"),
            _ => Reply::part(ask, &new, "\"two\""),
        }
    });
    let listing = read_all(&served).await;
    assert_eq!(listing.objects[0].matches.value().map(Vec::len), Some(1));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_changes_or_goes_under_the_reading_is_said_and_what_was_found_stays() {
    for (status, code, says) in [
        (412, "PreconditionFailed", "it changed while it was read"),
        (404, "NoSuchKey", "it is gone since it was listed"),
        (403, "AccessDenied", "s3:GetObject was denied"),
    ] {
        let old = planted(3 << 20, 5);
        let served = Served::by(move |ask| {
            if ask.is_list() {
                return Reply::xml(page(&[("x.tfstate", old.len())], &[], None));
            }
            match ask.range() {
                Some((0, _)) => Reply::part(ask, &old, "\"one\""),
                _ => Reply::error(status, code),
            }
        });
        let listing = read_all(&served).await;
        let object = &listing.objects[0];
        assert_eq!(object.matches.value().map(Vec::len), Some(1), "{code}");
        assert_eq!(object.unsearched.len(), 1);
        assert!(
            object.unsearched[0].contains(says),
            "{:?}",
            object.unsearched
        );
    }
}

#[tokio::test]
async fn an_object_that_is_gone_or_refused_stays_and_its_content_is_unknown() {
    for (status, code) in [
        (404, "NoSuchKey"),
        (403, "AccessDenied"),
        (500, "InternalError"),
    ] {
        let served = Served::by(move |ask| match ask.is_list() {
            true => Reply::xml(page(&[(".env", 10)], &[], None)),
            false => Reply::error(status, code),
        });
        let listing = read_all(&served).await;
        let gap = listing.objects[0].matches.gap().unwrap();
        assert_eq!(gap.code, code);
    }
}

#[tokio::test]
async fn archives_that_are_not_opened_are_said() {
    let packed = [&b"7z\xbc\xaf\x27\x1c"[..], &[1; 200]].concat();
    let served = Served::by(shelf(vec![("backup.zip", packed)]));
    let listing = read_all(&served).await;
    assert_eq!(listing.objects[0].unsearched, ["7z is not opened"]);
}

#[tokio::test]
async fn a_key_that_locks_objects_is_noted() {
    let inner = shelf(vec![(".env", planted(300, 5))]);
    let served = Served::by(move |ask| inner(ask).with("x-amz-server-side-encryption", "aws:kms"));
    let listing = read_all(&served).await;
    assert_eq!(
        listing.objects[0].encryption,
        Observed::Value("aws:kms".to_owned())
    );
}

#[tokio::test]
async fn a_refusal_tells_of_a_lock_what_it_can() {
    let denied = "User: x is not authorized to perform: kms:Decrypt on this resource";
    let customer = "The object was stored using a form of Server Side Encryption. The correct \
                    parameters must be provided to retrieve the object.";
    for (status, code, message, own) in [
        (403, "AccessDenied", denied, Some("aws:kms")),
        (
            400,
            "KMS.DisabledException",
            "the key is disabled",
            Some("aws:kms"),
        ),
        (400, "InvalidRequest", customer, Some("SSE-C")),
        (403, "AccessDenied", "Access Denied", None),
    ] {
        let served = Served::by(move |ask| match ask.is_list() {
            true => Reply::xml(page(&[(".env", 10)], &[], None)),
            false => Reply {
                status,
                ..Reply::xml(format!(
                    "<Error><Code>{code}</Code><Message>{message}</Message></Error>"
                ))
            },
        });
        let listing = read_all(&served).await;
        let object = &listing.objects[0];
        assert!(object.matches.gap().is_some(), "{message}");
        match own {
            Some(own) => assert_eq!(object.encryption, Observed::Value(own.to_owned())),
            None => assert!(object.encryption.gap().is_some(), "{:?}", object.encryption),
        }
    }
}

/// A zip of stored members as tools write it, its table of contents last.
fn zip_of(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut out, mut table) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let at = (out.len() as u32).to_le_bytes();
        let size = (bytes.len() as u32).to_le_bytes();
        let names = (name.len() as u16).to_le_bytes();
        let fixed = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &[0; 4],
            &size,
            &size,
            &names,
        ]
        .concat();
        out.extend([&b"PK\x03\x04"[..], &fixed, &[0; 2], name.as_bytes(), bytes].concat());
        let entry = [
            &b"PK\x01\x02\x14\x00"[..],
            &fixed,
            &[0; 12],
            &at,
            name.as_bytes(),
        ];
        table.extend(entry.concat());
    }
    let count = (members.len() as u16).to_le_bytes();
    let (size, at) = (
        (table.len() as u32).to_le_bytes(),
        (out.len() as u32).to_le_bytes(),
    );
    out.extend(table);
    out.extend(
        [
            &b"PK\x05\x06\0\0\0\0"[..],
            &count,
            &count,
            &size,
            &at,
            &[0; 2],
        ]
        .concat(),
    );
    out
}

#[tokio::test]
async fn a_member_at_the_far_end_of_a_large_zip_is_found() {
    let filler = |size: usize| vec![b'.'; size];
    let bytes = zip_of(&[
        ("video.bin", filler(20 << 20)),
        ("etc/.env", planted(300, 5)),
        ("more.bin", filler(3 << 20)),
    ]);
    let size = bytes.len() as u64;
    let served = Served::by(shelf(vec![("backup/site.zip", bytes)]));
    let listing = read_all(&served).await;
    let object = &listing.objects[0];
    let found = object.matches.value().expect("it was read");
    let secret = found
        .iter()
        .find(|found| found.rule == "aws-secret-access-key")
        .unwrap();
    assert_eq!(secret.inner.as_deref(), Some("etc/.env"));
    let start = 5 + "\nid=".len() + 20 + "\nsecret_access_key=".len();
    assert_eq!(secret.start, start as u64);
    // What was not read is said, and the object's budget is kept.
    assert!(
        object
            .unsearched
            .iter()
            .any(|text| text.contains("but for the members"))
    );
    assert!(
        !object
            .unsearched
            .iter()
            .any(|text| text.contains("damaged: the rest") && text.starts_with("etc/.env")),
        "{:?}",
        object.unsearched
    );
    assert!(bytes_asked(&served) <= 16 << 20 && size > 16 << 20);
}

#[tokio::test]
async fn both_ends_of_a_log_are_read() {
    let size = 6 << 20;
    let mut log = planted(size, 10);
    let tail = planted(4_096, 2_000);
    log[size - 4_096..].copy_from_slice(&tail);
    let served = Served::by(shelf(vec![("logs/app.log", log)]));
    let listing = read_all(&served).await;
    let object = &listing.objects[0];
    let found = object.matches.value().unwrap();
    let starts: Vec<u64> = found.iter().map(|found| found.start).collect();
    assert!(starts.iter().any(|start| *start < 100), "{starts:?}");
    assert!(
        starts.iter().any(|start| *start > size as u64 - 4_096),
        "{starts:?}"
    );
    assert!(
        object.unsearched[0].starts_with("bytes "),
        "{:?}",
        object.unsearched
    );
}

#[tokio::test]
async fn an_interrupted_reading_goes_on_where_it_was() {
    let objects = vec![("a/.env", planted(300, 5)), ("b/.env", planted(300, 9))];
    let first = Served::by(shelf(objects.clone()));
    let listing = read_all(&first).await;
    let mut half = listing.clone();
    let gap = crate::engine::interrupted("s3:GetObject");
    half.objects[1].matches = gap.into();
    let options = resumed(half, ObjectOptions::default());
    let again = Served::by(shelf(objects));
    let later = listed(again.look(enforced(), options).await);
    assert_eq!(later.objects, listing.objects);
    let asked: Vec<String> = again.seen().into_iter().map(|ask| ask.key).collect();
    assert_eq!(asked, ["b/.env"]);
}

/// A scan that goes on from what `before` left of the one bucket.
fn resumed(before: ObjectListing, limits: ObjectOptions) -> Options {
    let mut snapshot = palisade_model::Snapshot::default();
    let account = snapshot.accounts.entry(ACCOUNT.to_owned()).or_default();
    let bucket = Bucket {
        objects: Observed::Value(before),
        ..enforced()
    };
    account.s3.buckets = Observed::Value(BTreeMap::from([(BUCKET.to_owned(), bucket)]));
    Options {
        resume: Some(snapshot),
        ..reading(limits)
    }
}

#[tokio::test]
async fn what_a_budget_cut_is_read_when_there_is_more() {
    let objects = vec![
        ("a/.env", planted(300, 5)),
        ("b/.env", planted(300, 200)),
        ("c/.env", planted(300, 9)),
    ];
    let small = ObjectOptions {
        max_bytes: 450,
        ..ObjectOptions::default()
    };
    let first = Served::by(shelf(objects.clone()));
    let cut = listed(first.look(enforced(), reading(small)).await);
    let read = |listing: &ObjectListing| {
        let whole = |object: &&palisade_model::ObjectEntry| {
            object.matches.value().is_some() && object.unsearched.is_empty()
        };
        listing.objects.iter().filter(whole).count()
    };
    assert_eq!((read(&cut), bytes_asked(&first)), (1, 450));
    let again = Served::by(shelf(objects.clone()));
    let options = resumed(cut, ObjectOptions::default());
    let account = ACCOUNT.to_owned();
    // The account counts as unfinished, so that the scan comes here again.
    let done = crate::resume::done(options.resume.as_ref(), &account);
    assert!(matches!(done, crate::resume::Done::Regions(_)));
    let listing = listed(again.look(enforced(), options).await);
    assert_eq!((read(&listing), bytes_asked(&again)), (3, 600));
    let whole = Served::by(shelf(objects));
    assert_eq!(listing.objects, read_all(&whole).await.objects);
    assert_eq!(again.count(Ask::is_list), 0);
    let options = resumed(listing, ObjectOptions::default());
    let done = crate::resume::done(options.resume.as_ref(), &account);
    assert!(matches!(done, crate::resume::Done::Whole(_)));
}
