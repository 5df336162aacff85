//! Methods and paths of the REST services. Source: the services' API references, 2026.

use http::Method;
use palisade_model::listing::{Ask, LISTINGS};
use serde_json::Value;

use super::call::decoded;

/// Service, method, path, operation. `{name}` takes one segment, `{name+}` the rest.
const ROUTES: &[(&str, &str, &str, &str)] = &[
    ("account", "POST", "/listRegions", "ListRegions"),
    (
        "account",
        "POST",
        "/getRegionOptStatus",
        "GetRegionOptStatus",
    ),
    (
        "account",
        "POST",
        "/getAlternateContact",
        "GetAlternateContact",
    ),
    (
        "account",
        "POST",
        "/getContactInformation",
        "GetContactInformation",
    ),
    ("lambda", "GET", "/2015-03-31/functions", "ListFunctions"),
    (
        "lambda",
        "GET",
        "/2015-03-31/functions/{FunctionName}/configuration",
        "GetFunctionConfiguration",
    ),
    (
        "lambda",
        "GET",
        "/2015-03-31/functions/{FunctionName}",
        "GetFunction",
    ),
    (
        "lambda",
        "GET",
        "/2015-03-31/functions/{FunctionName}/policy",
        "GetPolicy",
    ),
    (
        "lambda",
        "GET",
        "/2015-03-31/functions/{FunctionName}/aliases",
        "ListAliases",
    ),
    (
        "lambda",
        "GET",
        "/2015-03-31/functions/{FunctionName}/versions",
        "ListVersionsByFunction",
    ),
    (
        "lambda",
        "GET",
        "/2021-10-31/functions/{FunctionName}/urls",
        "ListFunctionUrlConfigs",
    ),
    (
        "lambda",
        "GET",
        "/2021-10-31/functions/{FunctionName}/url",
        "GetFunctionUrlConfig",
    ),
    (
        "lambda",
        "GET",
        "/2019-09-30/functions/{FunctionName}/concurrency",
        "GetFunctionConcurrency",
    ),
    (
        "lambda",
        "GET",
        "/2020-06-30/functions/{FunctionName}/code-signing-config",
        "GetFunctionCodeSigningConfig",
    ),
    (
        "lambda",
        "GET",
        "/2015-03-31/event-source-mappings",
        "ListEventSourceMappings",
    ),
    ("lambda", "GET", "/2017-03-31/tags/{Resource+}", "ListTags"),
    (
        "lambda",
        "GET",
        "/2016-08-19/account-settings",
        "GetAccountSettings",
    ),
    ("guardduty", "GET", "/detector", "ListDetectors"),
    ("guardduty", "GET", "/detector/{DetectorId}", "GetDetector"),
    (
        "guardduty",
        "GET",
        "/detector/{DetectorId}/administrator",
        "GetAdministratorAccount",
    ),
    (
        "guardduty",
        "GET",
        "/detector/{DetectorId}/admin",
        "DescribeOrganizationConfiguration",
    ),
    (
        "guardduty",
        "GET",
        "/detector/{DetectorId}/member",
        "ListMembers",
    ),
    (
        "inspector2",
        "POST",
        "/status/batch/get",
        "BatchGetAccountStatus",
    ),
    ("inspector2", "POST", "/members/list", "ListMembers"),
    ("securityhub", "GET", "/accounts", "DescribeHub"),
    (
        "securityhub",
        "POST",
        "/standards/get",
        "GetEnabledStandards",
    ),
    ("securityhub", "GET", "/hubv2", "DescribeSecurityHubV2"),
    ("securityhub", "GET", "/members", "ListMembers"),
    ("macie2", "GET", "/members", "ListMembers"),
    (
        "securityhub",
        "GET",
        "/organization/configuration",
        "DescribeOrganizationConfiguration",
    ),
    (
        "macie2",
        "GET",
        "/admin/configuration",
        "DescribeOrganizationConfiguration",
    ),
    ("macie2", "GET", "/macie", "GetMacieSession"),
    (
        "macie2",
        "GET",
        "/automated-discovery/configuration",
        "GetAutomatedDiscoveryConfiguration",
    ),
    ("access-analyzer", "GET", "/analyzer", "ListAnalyzers"),
    (
        "access-analyzer",
        "GET",
        "/analyzer/{analyzerName}/archive-rule",
        "ListArchiveRules",
    ),
    (
        "s3control",
        "GET",
        "/v20180820/configuration/publicAccessBlock",
        "GetPublicAccessBlock",
    ),
    (
        "s3control",
        "GET",
        "/v20180820/accesspoint",
        "ListAccessPoints",
    ),
    (
        "s3control",
        "GET",
        "/v20180820/accesspoint/{Name}",
        "GetAccessPoint",
    ),
    (
        "s3control",
        "GET",
        "/v20180820/accesspoint/{Name}/policy",
        "GetAccessPointPolicy",
    ),
    (
        "s3control",
        "GET",
        "/v20180820/accesspoint/{Name}/policyStatus",
        "GetAccessPointPolicyStatus",
    ),
    (
        "s3control",
        "GET",
        "/v20180820/mrap/instances",
        "ListMultiRegionAccessPoints",
    ),
    (
        "s3control",
        "GET",
        "/v20180820/mrap/instances/{Name+}",
        "GetMultiRegionAccessPoint",
    ),
];

/// The operation behind a method and a path (still percent-encoded), and its path parameters.
pub(super) fn find(
    service: &str,
    method: &Method,
    path: &str,
) -> Option<(String, Vec<(String, Value)>)> {
    let fixed = ROUTES
        .iter()
        .filter(|route| route.0 == service && route.1 == method.as_str())
        .map(|route| (route.2, route.3));
    let rows = LISTINGS
        .iter()
        .flat_map(|row| std::iter::once(&row.list).chain(row.details))
        .filter(|ask| ask.service.prefix == service)
        .filter_map(|ask| of_row(ask, method));
    fixed
        .chain(rows)
        .find_map(|(template, operation)| Some((operation.to_owned(), fits(template, path)?)))
}

fn of_row(ask: &'static Ask, method: &Method) -> Option<(&'static str, &'static str)> {
    let (verb, template) = ask.route.split_once(' ')?;
    (verb == method.as_str()).then_some((template, ask.operation))
}

fn fits(template: &str, path: &str) -> Option<Vec<(String, Value)>> {
    let mut found = Vec::new();
    let mut wanted = template.split('?').next()?.trim_matches('/').split('/');
    let mut rest = path.trim_matches('/');
    loop {
        let Some(part) = wanted.next() else {
            return rest.is_empty().then_some(found);
        };
        if let Some(name) = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix("+}"))
        {
            // A policy of a multi-region access point has its own operation.
            if let Some(name_part) = rest.strip_suffix("/policy") {
                found.push((name.to_owned(), decoded(name_part).into()));
                found.push(("Policy".to_owned(), true.into()));
            } else {
                found.push((name.to_owned(), decoded(rest).into()));
            }
            return Some(found);
        }
        let (segment, after) = rest.split_once('/').unwrap_or((rest, ""));
        match part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
        {
            Some(_) if segment.is_empty() => return None,
            Some(name) => found.push((name.to_owned(), decoded(segment).into())),
            None if part != segment => return None,
            None => {}
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_operations() {
        let find = |service, path| find(service, &Method::GET, path).map(|found| found.0);
        assert_eq!(
            find("lambda", "/2015-03-31/functions/").unwrap(),
            "ListFunctions"
        );
        assert_eq!(
            find("lambda", "/2015-03-31/functions/a/policy").unwrap(),
            "GetPolicy"
        );
        assert_eq!(find("lambda", "/2015-03-31/functions/a/nonsense"), None);
        assert_eq!(find("eks", "/clusters/one").unwrap(), "DescribeCluster");
        let tags = super::find(
            "lambda",
            &Method::GET,
            "/2017-03-31/tags/arn%3Aaws%3Alambda",
        );
        assert_eq!(tags.unwrap().1[0].1, "arn:aws:lambda");
    }
}
