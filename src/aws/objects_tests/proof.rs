//! Proof: two unsigned reads at most, to buckets of the scan alone.

use super::*;
use palisade_model::{ProofAnswer, ProofAsk, ProofRequest, Snapshot};

fn request(account: &str, bucket: &str, ask: ProofAsk) -> ProofRequest {
    ProofRequest {
        account: account.to_owned(),
        bucket: bucket.to_owned(),
        region: REGION.to_owned(),
        ask,
    }
}

fn estate() -> Snapshot {
    let mut snapshot = Snapshot::default();
    let account = snapshot.accounts.entry(ACCOUNT.to_owned()).or_default();
    let bucket = (BUCKET.to_owned(), enforced());
    account.s3.buckets = Observed::Value(BTreeMap::from([bucket]));
    snapshot
}

#[tokio::test]
async fn proof_is_two_unsigned_reads_of_an_own_bucket() {
    let get = ProofAsk::Get {
        key: "a b/\u{1f511}\n.env".to_owned(),
        version: None,
    };
    let planned = vec![
        request(ACCOUNT, BUCKET, ProofAsk::List),
        request(ACCOUNT, BUCKET, get),
        request("999988887777", BUCKET, ProofAsk::List),
        request(ACCOUNT, "somebody-elses", ProofAsk::List),
    ];
    let served = Served::by(|ask| match ask.is_list() {
        true => Reply::xml(page(&[(".env", 1)], &[], None)),
        false => Reply::error(403, "AccessDenied"),
    });
    let plan = planned.clone();
    let options = Options {
        proof: Some(Arc::new(move |_| plan.clone())),
        ..Options::default()
    };
    let visit = served.visit(options);
    let mut snapshot = estate();
    crate::prove::prove(&visit.engine, &mut snapshot).await;
    let seen = served.seen();
    assert_eq!(seen.len(), 2, "{seen:?}");
    for ask in &seen {
        assert_eq!(
            (ask.method.as_str(), ask.host.as_str()),
            ("GET", "acme-data.s3.eu-central-1.amazonaws.com")
        );
        let names: Vec<&str> = ask.headers.keys().map(String::as_str).collect();
        let range = ["range", "user-agent", "x-amz-expected-bucket-owner"];
        assert_eq!(
            names,
            if ask.is_list() {
                &range[1..]
            } else {
                &range[..]
            }
        );
        assert_eq!(ask.headers["x-amz-expected-bucket-owner"], ACCOUNT);
    }
    assert_eq!(seen[0].text("max-keys"), "1");
    assert_eq!(seen[1].headers["range"], "bytes=0-0");
    assert_eq!(seen[1].key, "a b/\u{1f511}\n.env");
    let bucket = &snapshot.accounts[ACCOUNT].s3.buckets.value().unwrap()[BUCKET];
    let answers: Vec<_> = bucket
        .proofs
        .iter()
        .map(|proof| proof.answer.clone())
        .collect();
    assert_eq!(
        answers,
        [
            Observed::Value(ProofAnswer::Served),
            Observed::Value(ProofAnswer::Refused("AccessDenied".to_owned())),
        ]
    );
    // What is known is not asked again.
    crate::prove::prove(&visit.engine, &mut snapshot).await;
    assert_eq!(served.seen().len(), 2);
}

#[tokio::test]
async fn nothing_is_proven_unless_asked() {
    let served = Served::by(|_| panic!("nobody asked"));
    let visit = served.visit(Options::default());
    crate::prove::prove(&visit.engine, &mut estate()).await;
    assert!(served.seen().is_empty());
}
