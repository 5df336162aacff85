//! Any text is a policy or an error with a place in it: no panic, no hang.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade::policy::document::{Document, read_json};
use palisade::policy::{CompiledPolicy, Context, Layers, Request, decide};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    // What a general reader takes, ours takes, and the other way round, but for what general
    // readers bound themselves: size of numbers, depth, lone surrogates.
    let ours = read_json(text).is_ok();
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    if theirs.is_ok() {
        assert!(ours || text.len() > 64, "refused: {text}");
    }
    match Document::parse(text) {
        Err(error) => assert!(error.line > 0 && error.column > 0),
        Ok(document) => {
            for statement in &document.statements {
                assert!(document.quote(statement).starts_with('{'));
            }
            let policy = CompiledPolicy::compile(document);
            for at in 0..policy.document().map_or(0, |d| d.statements.len()) {
                assert!(policy.quote(at).is_some_and(|quote| quote.starts_with('{')));
            }
            let policies = [palisade::policy::Attached::new("p", std::sync::Arc::new(policy))];
            let layers = Layers { identity: &policies, resource: Some(&policies), ..Layers::default() };
            for context in [Context::closed(), Context::open()] {
                let (who, what) = ("arn:aws:iam::111122223333:user/u", "arn:aws:s3:::b/k");
                let request = Request::new(who, "s3:GetObject", what, None, context);
                let _ = decide(&request, &layers);
            }
        }
    }
});
