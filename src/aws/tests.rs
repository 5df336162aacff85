//! Whole scans against responders in this process.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use palisade_model::{GapKind, Observed, RegionState, Snapshot, calls};
use serde_json::Value;

use crate::{Cancel, CollectError, Observer, Options, Responder, Silent, Transport, collect};

const ACCOUNT: &str = "111122223333";

/// STS answers; everything else is left to `rest`.
fn responder(
    rest: impl Fn(&http::Request<Bytes>) -> http::Response<Bytes> + Send + Sync + 'static,
) -> Responder {
    Arc::new(move |request| {
        if request.body().starts_with(b"Action=GetCallerIdentity") {
            return answer(
                200,
                &format!(
                    "<GetCallerIdentityResponse><GetCallerIdentityResult>\
                     <Arn>arn:aws:iam::{ACCOUNT}:user/scan</Arn><UserId>AIDAEXAMPLE</UserId>\
                     <Account>{ACCOUNT}</Account></GetCallerIdentityResult>\
                     </GetCallerIdentityResponse>"
                ),
            );
        }
        rest(&request)
    })
}

fn answer(status: u16, body: &str) -> http::Response<Bytes> {
    http::Response::builder()
        .status(status)
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

async fn scan(options: Options, responder: Responder) -> Result<Snapshot, CollectError> {
    let transport = Transport::InProcess(responder);
    collect(options, transport, Arc::new(Silent), Cancel::default()).await
}

fn refuse_all() -> Responder {
    responder(|_| {
        answer(
            403,
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>\
             </ErrorResponse>",
        )
    })
}

/// Every fact of the snapshot that is no gap, by path.
fn facts(value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(members) = value.as_object() else {
        return found.push(at.to_owned());
    };
    // That a service is not offered in a region is no fact about the account.
    let elsewhere = members
        .get("$not-applicable")
        .is_some_and(|why| why["why"] == "not-offered");
    if members.contains_key("$gap") || elsewhere {
        return;
    }
    for (name, inner) in members {
        if name != "regions_gap" && name != "state" {
            facts(inner, &format!("{at}/{name}"), found);
        }
    }
}

#[tokio::test]
async fn when_every_call_is_refused_nothing_is_known() {
    let snapshot = scan(Options::default(), refuse_all()).await.unwrap();
    assert!(snapshot.organization.gap().is_some());
    let account = &snapshot.accounts[ACCOUNT];
    assert!(account.regions_gap.is_some(), "the regions are a guess");
    assert!(account.enabled_regions().count() > 10);
    let mut found = Vec::new();
    facts(&serde_json::to_value(account).unwrap(), "", &mut found);
    assert_eq!(found, [""; 0]);
    let users = account.iam.users.gap().unwrap();
    assert_eq!(
        (users.kind, users.code.as_str()),
        (GapKind::Denied, "AccessDenied")
    );
}

#[tokio::test]
async fn junk_is_unknown_too() {
    let bodies = [
        "<html><body>captive portal</body></html>",
        "{\"a\": ",
        "{\"hello\": \"world\"}",
        "",
    ];
    for body in bodies {
        let options = Options {
            regions: vec!["eu-central-1".to_owned()],
            ..Options::default()
        };
        let responder = responder(move |_| answer(200, body));
        let snapshot = scan(options, responder).await.unwrap();
        let account = &snapshot.accounts[ACCOUNT];
        for kind in [
            account.iam.users.gap().map(|gap| gap.kind),
            account.iam.root.gap().map(|gap| gap.kind),
            account.trails.gap().map(|gap| gap.kind),
            account
                .enabled_regions()
                .next()
                .unwrap()
                .1
                .analyzers
                .gap()
                .map(|gap| gap.kind),
        ] {
            assert_eq!(kind, Some(GapKind::Unparsable), "{body}");
        }
    }
}

#[tokio::test]
async fn regions_left_out_are_not_asked() {
    let options = Options {
        regions: vec!["eu-*".to_owned()],
        exclude_regions: vec!["eu-west-3".to_owned()],
        ..Options::default()
    };
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let hosts = seen.clone();
    let inner = refuse_all();
    let responder: Responder = Arc::new(move |request: http::Request<Bytes>| {
        let host = request.uri().host().unwrap_or_default().to_owned();
        hosts.lock().unwrap().insert(host);
        inner(request)
    });
    let snapshot = scan(options, responder).await.unwrap();
    let regions = snapshot.accounts[ACCOUNT].regions.value().unwrap();
    assert_eq!(regions["eu-central-1"].state, RegionState::Enabled);
    assert_eq!(regions["eu-west-3"].state, RegionState::NotAsked);
    assert_eq!(regions["us-west-1"].state, RegionState::NotAsked);
    let seen = seen.lock().unwrap();
    assert!(
        seen.contains("lambda.eu-central-1.amazonaws.com"),
        "{seen:?}"
    );
    assert!(
        !seen
            .iter()
            .any(|host| host.contains("eu-west-3") || host.contains("us-west-1"))
    );
}

#[derive(Default)]
struct Counted {
    planned: AtomicI64,
    finished: Mutex<Vec<String>>,
}

impl Counted {
    fn done(&self) -> i64 {
        self.finished.lock().unwrap().len() as i64
    }
}

impl Observer for Counted {
    fn planned(&self, calls: u64) {
        self.planned.fetch_add(calls as i64, Ordering::SeqCst);
    }

    fn spared(&self, calls: u64) {
        let planned = self.planned.fetch_sub(calls as i64, Ordering::SeqCst) - calls as i64;
        assert!(self.done() <= planned, "spared too much");
    }

    fn finished(&self, operation: &str) {
        self.finished.lock().unwrap().push(operation.to_owned());
        assert!(self.done() <= self.planned.load(Ordering::SeqCst));
    }
}

#[tokio::test]
async fn only_calls_of_the_table_are_made_and_the_total_is_known() {
    let counted = Arc::new(Counted::default());
    let options = Options {
        regions: vec!["us-east-1".to_owned(), "eu-west-1".to_owned()],
        ..Options::default()
    };
    let transport = Transport::InProcess(refuse_all());
    collect(options, transport, counted.clone(), Cancel::default())
        .await
        .unwrap();
    let known: BTreeSet<&str> = calls().map(|call| call.operation).collect();
    for operation in counted.finished.lock().unwrap().iter() {
        assert!(known.contains(operation.as_str()), "{operation}");
    }
    assert_eq!(counted.done(), counted.planned.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_stopped_scan_ends_at_once_and_goes_on_later() {
    let cancel = Cancel::default();
    let stop = cancel.clone();
    let inner = refuse_all();
    let responder: Responder = Arc::new(move |request: http::Request<Bytes>| {
        if request
            .uri()
            .host()
            .is_some_and(|host| host.starts_with("iam."))
        {
            stop.cancel();
        }
        inner(request)
    });
    let options = Options {
        regions: vec!["us-east-1".to_owned()],
        ..Options::default()
    };
    let transport = Transport::InProcess(responder.clone());
    let partial = collect(options.clone(), transport, Arc::new(Silent), cancel)
        .await
        .unwrap();
    let text = serde_json::to_string(&partial).unwrap();
    assert!(text.contains("Interrupted"), "{text}");
    let options = Options {
        resume: Some(partial.clone()),
        ..options
    };
    let whole = scan(options, refuse_all()).await.unwrap();
    assert_eq!(whole.taken_at, partial.taken_at);
    assert!(
        !serde_json::to_string(&whole)
            .unwrap()
            .contains("Interrupted")
    );
}

#[tokio::test]
async fn reasons_not_to_start_are_told_apart() {
    let refused = |code: &'static str| -> Responder {
        Arc::new(move |_: http::Request<Bytes>| {
            answer(
                403,
                &format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>"),
            )
        })
    };
    let expired = scan(Options::default(), refused("ExpiredToken")).await;
    assert_eq!(
        expired,
        Err(CollectError::ExpiredCredentials { profile: None })
    );
    let invalid = scan(Options::default(), refused("InvalidClientTokenId")).await;
    assert!(
        matches!(invalid, Err(CollectError::InvalidCredentials { .. })),
        "{invalid:?}"
    );
    let html: Responder =
        Arc::new(|_: http::Request<Bytes>| answer(200, "<html><body>hello</body></html>"));
    let html = scan(Options::default(), html).await;
    assert!(matches!(html, Err(CollectError::NotAws { .. })), "{html:?}");
    let options = Options {
        role_arn: Some(format!("arn:aws:iam::{ACCOUNT}:role/scan")),
        ..Options::default()
    };
    let role = scan(options, refuse_all()).await;
    assert!(
        matches!(role, Err(CollectError::RoleRefused { .. })),
        "{role:?}"
    );
    let options = Options {
        regions: vec!["eu-centrall-1".to_owned()],
        ..Options::default()
    };
    let region = scan(options, refuse_all()).await;
    assert!(
        matches!(region, Err(CollectError::UnknownRegion { .. })),
        "{region:?}"
    );
}

#[tokio::test]
async fn throttles_are_asked_again_and_server_faults_not_for_ever() {
    let tries = Arc::new(Mutex::new((0, 0)));
    let counted = tries.clone();
    let throttling = responder(move |request| {
        let host = request.uri().host().unwrap_or_default();
        let mut tries = counted.lock().unwrap();
        if request.body().starts_with(b"Action=GetAccountSummary") {
            tries.0 += 1;
            if tries.0 < 5 {
                return answer(
                    400,
                    "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>",
                );
            }
            return answer(
                200,
                "<GetAccountSummaryResponse><GetAccountSummaryResult><SummaryMap>\
                 <entry><key>AccountMFAEnabled</key><value>1</value></entry>\
                 <entry><key>AccountAccessKeysPresent</key><value>0</value></entry>\
                 </SummaryMap></GetAccountSummaryResult></GetAccountSummaryResponse>",
            );
        }
        if host.starts_with("shield.") {
            tries.1 += 1;
            return answer(500, "<!doctype html><html></html>");
        }
        answer(403, "")
    });
    let options = Options {
        regions: vec!["us-east-1".to_owned()],
        ..Options::default()
    };
    let snapshot = scan(options, throttling).await.unwrap();
    let account = &snapshot.accounts[ACCOUNT];
    assert!(matches!(&account.iam.root, Observed::Value(root) if root.mfa && !root.access_keys));
    assert_eq!(account.shield.gap().unwrap().kind, GapKind::Unreachable);
    assert_eq!(*tries.lock().unwrap(), (5, 3));
}
