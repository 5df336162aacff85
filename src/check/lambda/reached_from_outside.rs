//! `lambda-function-url-public` and `lambda-function-policy-public`: strangers can run a
//! function.

use super::super::{Estate, Evidence, Findings, missing};
use crate::exposure::{Audience, FunctionExposure, Verdict};

pub(super) fn by_url(estate: &Estate<'_>, found: &mut Findings<'_>) {
    everywhere(estate, found, |function| &function.url, "call its URL");
}

pub(super) fn by_policy(estate: &Estate<'_>, found: &mut Findings<'_>) {
    everywhere(estate, found, |function| &function.invoke, "invoke it");
}

fn everywhere(
    estate: &Estate<'_>,
    found: &mut Findings<'_>,
    verdict: fn(&FunctionExposure) -> &Verdict,
    deed: &str,
) {
    for place in estate.functions() {
        let function = match place.item {
            Ok((_, function)) => function,
            Err(gap) => {
                found.unread(place.account, place.region, gap);
                continue;
            }
        };
        let Some(exposure) = estate.exposure.functions.get(&function.arn) else {
            continue;
        };
        let verdict = verdict(exposure);
        let wide = verdict.is(Audience::is_everybody);
        match wide {
            Some(true) if exposure.never_runs => {
                found.not_applicable(&function.arn, "reserved concurrency is zero: it never runs");
            }
            Some(true) => {
                let opening = verdict
                    .proven()
                    .iter()
                    .find(|opening| opening.audience.is_everybody());
                let (who, source) = opening
                    .map(|opening| (opening.audience.to_string(), opening.path.source()))
                    .unwrap_or_default();
                let says = format!(
                    "{who} can {deed}, and it runs as `{}`",
                    exposure.role.name()
                );
                let evidence = Evidence::from(says)
                    .from_source(source)
                    .naming(exposure.role.as_str());
                found.fail(&function.arn, evidence);
            }
            Some(false) => found.pass(&function.arn),
            None => {
                let arn = &function.arn;
                found.at(
                    arn.account(),
                    arn.region(),
                    arn.as_str(),
                    missing(&verdict.gaps),
                );
            }
        }
    }
}
