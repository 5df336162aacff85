//! The engine agrees with the slow evaluator on any request, and what it says of a request with
//! unknown keys holds of the request with those keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade::policy::simulate::{self, Case};
use palisade::policy::{Decision, decide};
use serde_json::json;

#[path = "../../tests/policy/generate.rs"]
mod generate;
#[path = "../../tests/policy/reference.rs"]
mod reference;

fuzz_target!(|bytes: &[u8]| {
    let Some((open, bytes)) = bytes.split_first() else {
        return;
    };
    let case = generate::case(bytes);
    let full = Case::read(&case.to_string()).expect("generated requests are well formed");
    let decision = decide(&full.request, &full.layers());
    let word = simulate::result(&decision);
    assert_eq!(word, reference::result(&case), "{case}");
    let keys = generate::key_names();
    let unknown: Vec<&str> = (0..8)
        .filter(|at| open >> at & 1 == 1)
        .map(|at| keys[at])
        .filter(|key| *key != "aws:PrincipalArn")
        .take(3)
        .collect();
    let mut partial = case.clone();
    partial["unknownKeys"] = json!(unknown);
    let partial = Case::read(&partial.to_string()).expect("generated requests are well formed");
    match decide(&partial.request, &partial.layers()) {
        Decision::Allowed(_) => assert!(decision.is_allowed(), "{case} without {unknown:?}"),
        Decision::Denied(_) => assert!(!decision.is_allowed(), "{case} without {unknown:?}"),
        Decision::Conditional(conditional) => {
            let holds = conditional.residual.holds(&full.request.context);
            assert!(
                conditional.residual.imprecise || holds == decision.is_allowed().into(),
                "{case} without {unknown:?}: {}",
                conditional.residual
            );
        }
        Decision::Unknown(_) => panic!("nothing was unread: {case}"),
    }
});
