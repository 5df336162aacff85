//! Laws of the policy engine, on requests nobody wrote down: it agrees with a second evaluator,
//! and it moves only in the directions it may.

mod generate;
mod reference;
mod told;

use std::sync::Arc;

use palisade::policy::simulate::{Case, result as word};
use palisade::policy::{
    Attached, CompiledPolicy, Context, Decision, Document, Layers, Request, decide,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn decided(case: &Value) -> Decision {
    let case = Case::read(&case.to_string()).expect("it is a request");
    decide(&case.request, &case.layers())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 20..260)
}

/// Calls `change` on every policy of a request.
fn each_policy(case: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    match case {
        Value::Object(map) if map.contains_key("Statement") => change(case),
        Value::Object(map) => map.values_mut().for_each(|v| each_policy(v, change)),
        Value::Array(list) => list.iter_mut().for_each(|v| each_policy(v, change)),
        _ => {}
    }
}

fn toggled(value: &mut Value) {
    *value = match value.take() {
        Value::Array(mut one) if one.len() == 1 => one.remove(0),
        text @ Value::String(_) => json!([text]),
        other => other,
    };
}

/// Single values become lists and lists of one single values; statements turn round.
fn respelled(policy: &mut Value) {
    let statements = match policy["Statement"].take() {
        Value::Array(mut list) => {
            list.reverse();
            list
        }
        one => vec![one],
    };
    let respell = |mut statement: Value| {
        for element in ["Action", "NotAction", "Resource", "NotResource"] {
            if let Some(value) = statement.get_mut(element) {
                toggled(value);
            }
        }
        for element in ["Principal", "NotPrincipal"] {
            if let Some(names) = statement.get_mut(element).and_then(|p| p.get_mut("AWS")) {
                toggled(names);
            }
        }
        let operators = statement
            .get_mut("Condition")
            .and_then(Value::as_object_mut);
        for keys in operators.into_iter().flat_map(|block| block.values_mut()) {
            keys.as_object_mut()
                .into_iter()
                .flat_map(|k| k.values_mut())
                .for_each(toggled);
        }
        statement
    };
    policy["Statement"] = statements.into_iter().map(respell).collect();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_agrees_with_the_reference(bytes in bytes()) {
        let case = generate::case(&bytes);
        prop_assert_eq!(word(&decided(&case)), reference::result(&case), "{}", case);
    }

    #[test]
    fn a_deny_more_never_allows(bytes in bytes(), deny in bytes(), place in 0..5_usize) {
        let case = generate::case(&bytes);
        let named = place > 2;
        let mut policy = generate::policy(&mut generate::Choices(&deny), named);
        for statement in policy["Statement"].as_array_mut().expect("a list") {
            statement["Effect"] = json!("Deny");
        }
        let mut more = case.clone();
        let field = ["identityPolicies", "boundary", "scps", "resourcePolicy", "rcps"][place];
        match (field, more.get_mut(field)) {
            // A boundary or SCP that was not there would change more than a deny does.
            ("boundary" | "scps", None) => return Ok(()),
            ("scps" | "rcps", Some(levels)) => {
                levels[0].as_array_mut().expect("a level").push(policy);
            }
            ("rcps", None) => more[field] = json!([[policy]]),
            (_, Some(Value::Array(list))) => list.push(policy),
            (_, Some(one)) => *one = json!([one.clone(), policy]),
            (_, None) => more[field] = policy,
        }
        // A resource-based policy that is new may be needed, but a deny grants nothing.
        if !decided(&case).is_allowed() {
            prop_assert!(!decided(&more).is_allowed(), "{} with {}", case, more);
        }
    }

    #[test]
    fn a_boundary_never_widens_what_identity_grants(bytes in bytes(), boundary in bytes()) {
        let mut case = generate::case(&bytes);
        case.as_object_mut().expect("an object").remove("boundary");
        let mut bounded = case.clone();
        bounded["boundary"] = generate::policy(&mut generate::Choices(&boundary), false);
        if !decided(&case).is_allowed() {
            prop_assert!(!decided(&bounded).is_allowed(), "{}", bounded);
        }
    }

    #[test]
    fn accounts_are_only_names(bytes in bytes()) {
        let case = generate::case(&bytes);
        let renamed = case.to_string()
            .replace("111122223333", "999988887777")
            .replace("222233334444", "666655554444");
        let renamed: Value = serde_json::from_str(&renamed).expect("it is JSON");
        prop_assert_eq!(word(&decided(&case)), word(&decided(&renamed)), "{}", case);
    }

    #[test]
    fn spelling_and_order_change_nothing(bytes in bytes()) {
        let case = generate::case(&bytes);
        let mut other = case.clone();
        each_policy(&mut other, &mut respelled);
        prop_assert_eq!(word(&decided(&case)), word(&decided(&other)), "{}", case);
    }

    #[test]
    fn a_full_context_leaves_nothing_open(bytes in bytes()) {
        let decision = decided(&generate::case(&bytes));
        prop_assert!(!matches!(decision, Decision::Conditional(_) | Decision::Unknown(_)));
    }

    #[test]
    fn learning_a_key_only_narrows(bytes in bytes(), open in 1..512_u32) {
        let full = generate::case(&bytes);
        let mut partial = full.clone();
        let unknown: Vec<&str> = generate::key_names()
            .into_iter()
            .enumerate()
            .filter(|(at, _)| open >> at & 1 == 1)
            .map(|(_, key)| key)
            // Who asks is known; only what he carries is not.
            .filter(|key| *key != "aws:PrincipalArn")
            .take(3)
            .collect();
        partial["unknownKeys"] = json!(unknown);
        let read = Case::read(&full.to_string()).expect("it is a request");
        let allowed = decide(&read.request, &read.layers()).is_allowed();
        match decided(&partial) {
            Decision::Allowed(_) => prop_assert!(allowed, "{}", partial),
            Decision::Denied(_) => prop_assert!(!allowed, "{}", partial),
            Decision::Conditional(conditional) if conditional.residual.imprecise => {}
            Decision::Conditional(conditional) => prop_assert_eq!(
                conditional.residual.holds(&read.request.context), allowed.into(),
                "{}\n{}", conditional.residual, partial
            ),
            Decision::Unknown(_) => prop_assert!(false, "nothing was unread: {}", partial),
        }
    }

    #[test]
    fn reading_a_gap_only_narrows(bytes in bytes(), which in 0..8_usize) {
        let full = generate::case(&bytes);
        let mut count = 0;
        each_policy(&mut full.clone(), &mut |_| count += 1);
        let mut unread = full.clone();
        let mut at = 0;
        each_policy(&mut unread, &mut |policy| {
            if at == which % count {
                *policy = json!("{\"Statement\": [");
            }
            at += 1;
        });
        let real = decided(&full);
        match decided(&unread) {
            Decision::Unknown(unknown) => prop_assert!(!unknown.gaps.is_empty()),
            certain => prop_assert_eq!(certain.is_allowed(), real.is_allowed(), "{}", unread),
        }
    }

    #[test]
    fn any_text_is_a_policy_or_an_error_with_a_place(
        bytes in bytes(),
        wounds in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut text = generate::policy(&mut generate::Choices(&bytes), true).to_string().into_bytes();
        for (at, byte) in wounds {
            let at = at.index(text.len());
            match byte % 3 {
                0 => text[at] = byte,
                1 => text.truncate(at + 1),
                _ => text.insert(at, br#"{}[]",:\$*u0e-"#[usize::from(byte / 3) % 14]),
            }
        }
        let text = String::from_utf8_lossy(&text);
        let parsed = serde_json::from_str::<Value>(&text).is_ok();
        match Document::parse(&text) {
            Err(error) => prop_assert!(error.line > 0 && error.column > 0),
            Ok(document) => {
                prop_assert!(parsed, "a general reader refuses {}", text);
                for statement in &document.statements {
                    let whole = document.quote(statement).starts_with('{');
                    prop_assert!(whole, "{}", text);
                }
                let policies = [Attached::new("p", Arc::new(CompiledPolicy::compile(document)))];
                let layers = Layers { identity: &policies, resource: Some(&policies), ..Layers::default() };
                for context in [Context::closed(), Context::open()] {
                    let what = "arn:aws:s3:::data-a/in/x";
                    let who = "arn:aws:iam::111122223333:user/eng/ana";
                    let _ = decide(&Request::new(who, "s3:GetObject", what, None, context), &layers);
                }
            }
        }
    }
}

#[test]
fn the_opposite_of_several_bounds_is_past_all_of_them() {
    let case = json!({
        "id": 1, "principal": "arn:aws:iam::111122223333:user/u", "action": "s3:GetObject",
        "resource": "arn:aws:s3:::b/k", "unknownKeys": ["aws:MultiFactorAuthAge"],
        "identityPolicies": [{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition":
                {"NumericLessThanEquals": {"aws:MultiFactorAuthAge": ["60", "300"]}}}]}],
    });
    let Decision::Conditional(conditional) = decided(&case) else {
        panic!("the age decides")
    };
    let holds = |age: &str| {
        let mut context = Context::closed();
        context.set("aws:MultiFactorAuthAge", age);
        conditional.residual.holds(&context)
    };
    let ages = ["60", "100", "300", "301"].map(holds);
    assert_eq!(
        ages,
        [false, false, false, true].map(palisade::policy::Tri::from)
    );
}
