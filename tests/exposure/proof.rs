//! What would be asked, unsigned, to prove that a bucket is public.

use super::*;
use palisade_model::{ProofAnswer, ProofAsk, ProofResult};

#[test]
fn proof_takes_two_unsigned_requests_and_never_more() {
    let row = json!({"bucket": {
        "policy": {"Statement": {"Effect": "Allow", "Principal": "*",
            "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"], "Resource": "*"}},
        "objects": {"seen": 2, "complete": true, "objects": [
            {"key": ".env", "pattern": "dotenv", "size": 1}, {"key": "index.html", "size": 9}]},
    }});
    let snapshot = snapshot(&row);
    let exposure = Exposure::of(&snapshot);
    let plan = palisade::exposure::proof::plan(&snapshot, &exposure);
    let asks: Vec<&ProofAsk> = plan.iter().map(|request| &request.ask).collect();
    let get = ProofAsk::Get {
        key: "index.html".to_owned(),
        version: None,
    };
    assert_eq!(asks, [&ProofAsk::List, &get]);
    for (code, served, contradicts) in [(200, true, false), (403, false, true)] {
        let answer = plan[0].answer(code, "AccessDenied");
        assert_eq!(answer == ProofAnswer::Served, served);
        let result = ProofResult {
            request: plan[0].clone(),
            answer: Observed::Value(answer),
        };
        let says = palisade::exposure::proof::contradiction(&exposure, &result);
        assert_eq!(says.is_some(), contradicts, "{says:?}");
    }
}

#[test]
fn nothing_is_asked_of_what_is_not_said_to_be_public() {
    for row in rows() {
        let snapshot = snapshot(&row);
        let exposure = Exposure::of(&snapshot);
        let open = judge(&row)
            .verdicts
            .values()
            .any(|v| v.at_most == Audience::Public);
        let plan = palisade::exposure::proof::plan(&snapshot, &exposure);
        assert!(plan.len() <= 2, "{}", row["name"]);
        assert!(open || plan.is_empty(), "{}", row["name"]);
    }
}
