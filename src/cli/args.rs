//! Groups of flags that several commands share.

use std::path::PathBuf;

use clap::Args;
use palisade::alarm::state::Service;
use palisade_checks::Severity;

/// Where facts come from. One of the offline sources, or a live AWS.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Source {
    /// A built-in world by name, or a world.yaml: no AWS, no credentials
    #[arg(
        long,
        value_name = "NAME|PATH",
        env = "PALISADE_WORLD",
        help_heading = "Source",
        group = "offline"
    )]
    pub(crate) world: Option<String>,
    /// A snapshot written by `palisade collect`
    #[arg(
        long,
        value_name = "FILE",
        env = "PALISADE_SNAPSHOT",
        help_heading = "Source",
        group = "offline"
    )]
    pub(crate) snapshot: Option<PathBuf>,
    /// Output of `aws iam get-account-authorization-details`; repeatable, one per account
    #[arg(
        long,
        value_name = "FILE",
        env = "PALISADE_GAAD",
        value_delimiter = ',',
        help_heading = "Source",
        group = "offline"
    )]
    pub(crate) gaad: Vec<PathBuf>,
    /// The accounts of --gaad belong to no organization: no SCP or RCP limits them. Without it
    /// those policies are unknown, so paths stay `possible`
    #[arg(long, requires = "gaad", help_heading = "Source")]
    pub(crate) no_organization: bool,
    #[command(flatten)]
    pub(crate) live: Live,
}

/// How to reach a live AWS.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Live {
    /// Profile of the AWS configuration files; repeatable: several accounts, one snapshot
    #[arg(
        short,
        long,
        value_name = "NAME",
        env = "PALISADE_PROFILE",
        value_delimiter = ',',
        help_heading = "AWS"
    )]
    pub(crate) profile: Vec<String>,
    /// Assume this role first
    #[arg(
        short = 'R',
        long,
        value_name = "ARN",
        env = "PALISADE_ROLE_ARN",
        value_parser = role,
        help_heading = "AWS"
    )]
    pub(crate) role_arn: Option<String>,
    /// External ID for every assumed role
    #[arg(
        long,
        value_name = "ID",
        env = "PALISADE_EXTERNAL_ID",
        help_heading = "AWS"
    )]
    pub(crate) external_id: Option<String>,
    /// Name of the sessions, as CloudTrail will show it
    #[arg(
        long,
        value_name = "NAME",
        default_value = "palisade",
        env = "PALISADE_ROLE_SESSION_NAME",
        help_heading = "AWS"
    )]
    pub(crate) role_session_name: String,
    /// Look at these regions only; repeatable, `eu-*` works
    #[arg(
        short,
        long,
        value_name = "REGION",
        env = "PALISADE_REGION",
        value_delimiter = ',',
        help_heading = "AWS"
    )]
    pub(crate) region: Vec<String>,
    /// Leave these regions out; repeatable, `ap-*` works
    #[arg(
        long,
        value_name = "REGION",
        env = "PALISADE_EXCLUDE_REGION",
        value_delimiter = ',',
        help_heading = "AWS"
    )]
    pub(crate) exclude_region: Vec<String>,
    /// Look at every account of the organization
    #[arg(long, env = "PALISADE_ORG", help_heading = "AWS")]
    pub(crate) org: bool,
    /// Role to assume in each account of the organization
    #[arg(
        long,
        value_name = "NAME",
        default_value = "palisade-scan",
        env = "PALISADE_ORG_ROLE_NAME",
        help_heading = "AWS"
    )]
    pub(crate) org_role_name: String,
    /// Only accounts below this organizational unit; repeatable
    #[arg(
        long,
        value_name = "OU",
        env = "PALISADE_OU",
        value_delimiter = ',',
        requires = "org",
        help_heading = "AWS"
    )]
    pub(crate) ou: Vec<String>,
    /// Only this account of the organization; repeatable
    #[arg(
        long,
        value_name = "ID",
        env = "PALISADE_ACCOUNT",
        value_delimiter = ',',
        help_heading = "AWS"
    )]
    pub(crate) account: Vec<String>,
    /// Leave this account out; repeatable
    #[arg(
        long,
        value_name = "ID",
        env = "PALISADE_EXCLUDE_ACCOUNT",
        value_delimiter = ',',
        help_heading = "AWS"
    )]
    pub(crate) exclude_account: Vec<String>,
    /// Send every call here instead of to AWS (also AWS_ENDPOINT_URL)
    #[arg(
        long,
        value_name = "URL",
        env = "PALISADE_ENDPOINT_URL",
        value_parser = url,
        help_heading = "AWS"
    )]
    pub(crate) endpoint_url: Option<String>,
    /// Calls per second at most, for each account, region and service
    #[arg(long, value_name = "N", env = "PALISADE_MAX_RPS", help_heading = "AWS")]
    pub(crate) max_rps: Option<u32>,
    /// Calls in flight at most
    #[arg(
        long,
        value_name = "N",
        env = "PALISADE_CONCURRENCY",
        help_heading = "AWS"
    )]
    pub(crate) concurrency: Option<usize>,
    /// Seconds after which unfinished accounts are left as they are
    #[arg(
        long,
        value_name = "SECONDS",
        env = "PALISADE_TIMEOUT",
        help_heading = "AWS"
    )]
    pub(crate) timeout: Option<u64>,
    /// Look into objects of exposed buckets, in bounded ranges; names are always looked at
    #[arg(long, env = "PALISADE_READ_CONTENT", help_heading = "Objects")]
    pub(crate) read_content: bool,
    /// Look into every bucket, not only those that somebody outside might see
    #[arg(long, env = "PALISADE_ALL_BUCKETS", help_heading = "Objects")]
    pub(crate) all_buckets: bool,
    /// Dollars that listing and reading objects may cost; an estimate comes first, the bill after
    #[arg(long, value_name = "DOLLARS", env = "PALISADE_MAX_COST", value_parser = dollars,
        help_heading = "Objects")]
    pub(crate) max_cost: Option<f64>,
    /// A price of your own instead of the list price in us-east-1: `list` or `get` in dollars for
    /// a thousand requests, `transfer`, `infrequent` or `instant-archive` for a gigabyte;
    /// `transfer=0` when running inside the region; repeatable
    #[arg(
        long,
        value_name = "KIND=DOLLARS",
        env = "PALISADE_PRICE",
        value_delimiter = ',',
        help_heading = "Objects"
    )]
    pub(crate) price: Vec<String>,
    /// Prove what looks public: at most two unsigned reads for each such bucket of the scanned
    /// accounts (list one key, get one byte); never a write, never a found key
    #[arg(long, env = "PALISADE_PROVE_PUBLIC", help_heading = "Objects")]
    pub(crate) prove_public: bool,
}

fn role(text: &str) -> Result<String, String> {
    let arn = palisade_model::Arn::from(text);
    let is_account = arn.account().len() == 12 && arn.account().bytes().all(|b| b.is_ascii_digit());
    let is_role = arn.service() == "iam" && arn.resource().starts_with("role/");
    match is_account && is_role {
        true => Ok(text.to_owned()),
        false => Err("a role reads `arn:aws:iam::111122223333:role/NAME`".to_owned()),
    }
}

fn url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://");
    let rest = rest.or_else(|| text.strip_prefix("https://"));
    match rest.is_some_and(|host| !host.is_empty() && !host.starts_with(['/', ':'])) {
        true => Ok(text.to_owned()),
        false => Err("an endpoint reads `https://HOST` or `http://127.0.0.1:PORT`".to_owned()),
    }
}

fn dollars(text: &str) -> Result<f64, String> {
    match text.trim_start_matches('$').parse::<f64>() {
        Ok(dollars) if dollars.is_finite() && dollars >= 0.0 => Ok(dollars),
        _ => Err("an amount such as 0.50".to_owned()),
    }
}

/// What matters in this estate.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Interests {
    /// A target besides the administrators: an ARN of a bucket, secret, key, table or principal,
    /// `*` allowed; repeatable
    #[arg(
        long,
        value_name = "ARN",
        env = "PALISADE_CROWN_JEWEL",
        value_delimiter = ',',
        help_heading = "Estate"
    )]
    pub(crate) crown_jewel: Vec<String>,
    /// An account whose administrator is worth less; repeatable
    #[arg(
        long,
        value_name = "ACCOUNT",
        env = "PALISADE_SANDBOX",
        value_delimiter = ',',
        help_heading = "Estate"
    )]
    pub(crate) sandbox: Vec<String>,
    /// A foreign account that is known and trusted; repeatable
    #[arg(
        long,
        value_name = "ACCOUNT",
        env = "PALISADE_KNOWN_ACCOUNT",
        value_delimiter = ',',
        help_heading = "Estate"
    )]
    pub(crate) known_account: Vec<String>,
    /// Assume that somebody inside is breached already: paths then begin at "any principal" of each
    /// account, told once with everybody from whom the target is reached, and not at each of them
    #[arg(long, env = "PALISADE_ASSUME_BREACH", help_heading = "Estate")]
    pub(crate) assume_breach: bool,
}

impl Interests {
    pub(crate) fn of(&self) -> palisade::graph::Interests {
        palisade::graph::Interests {
            jewels: self.crown_jewel.clone(),
            sandboxes: self.sandbox.iter().cloned().collect(),
            known_accounts: self.known_account.iter().cloned().collect(),
            assume_breach: self.assume_breach,
        }
    }
}

/// Which checks to ask, and which findings to show.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Select {
    #[command(flatten)]
    pub(crate) interests: Interests,
    /// Only this check; repeatable, `s3-*` works
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "PALISADE_CHECK",
        value_delimiter = ',',
        help_heading = "Checks"
    )]
    pub(crate) check: Vec<String>,
    /// Not this check; repeatable, `s3-*` works
    #[arg(
        short = 'x',
        long,
        value_name = "ID",
        env = "PALISADE_EXCLUDE_CHECK",
        value_delimiter = ',',
        help_heading = "Checks"
    )]
    pub(crate) exclude_check: Vec<String>,
    /// Hide findings below this severity; never changes the exit code
    #[arg(long, value_name = "SEVERITY", env = "PALISADE_MIN_SEVERITY", value_parser = severity,
        help_heading = "Checks")]
    pub(crate) min_severity: Option<Severity>,
    #[command(flatten)]
    pub(crate) expect: Expect,
}

/// Which paid or situational services should be on.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Expect {
    /// This service should be on although nobody uses it yet: macie, waf, shield or fms;
    /// repeatable
    #[arg(
        long,
        value_name = "SERVICE",
        env = "PALISADE_EXPECT",
        value_delimiter = ',',
        value_parser = service,
        help_heading = "Checks"
    )]
    pub(crate) expect: Vec<Service>,
}

/// What decides the exit code.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Verdict {
    /// Exit 10 at or above: critical, high, medium, low, none, or a score such as 85
    #[arg(long, value_name = "BAND|SCORE", default_value = "high", env = "PALISADE_FAIL_ON",
        value_parser = threshold, help_heading = "Verdict")]
    pub(crate) fail_on: palisade::gate::Threshold,
    /// Pass although something that could change the verdict was not read
    #[arg(long, env = "PALISADE_ALLOW_INCOMPLETE", help_heading = "Verdict")]
    pub(crate) allow_incomplete: bool,
    /// Count only what is new or worse than in this earlier JSON report
    #[arg(
        long,
        value_name = "FILE",
        env = "PALISADE_BASELINE",
        help_heading = "Verdict"
    )]
    pub(crate) baseline: Option<PathBuf>,
    /// Findings that somebody took responsibility for, with reason and expiry
    #[arg(
        long,
        value_name = "FILE",
        env = "PALISADE_ACCEPTED_RISKS",
        help_heading = "Verdict"
    )]
    pub(crate) accepted_risks: Option<PathBuf>,
    /// Report only: exit 0 whatever was found
    #[arg(long, env = "PALISADE_EXIT_ZERO", help_heading = "Verdict")]
    pub(crate) exit_zero: bool,
}

/// Where reports go.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Output {
    /// table or json, each with a target: `-f table -f json=report.json`; `-` is stdout
    #[arg(
        short,
        long,
        value_name = "FORMAT[=FILE]",
        default_value = "table",
        env = "PALISADE_FORMAT",
        value_delimiter = ',',
        help_heading = "Output"
    )]
    pub(crate) format: Vec<String>,
}

fn service(text: &str) -> Result<Service, String> {
    Service::parse(text)
        .filter(|service| service.is_optional())
        .ok_or_else(|| "one of macie, waf, shield, fms; all others are expected anyway".to_owned())
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::WORST_FIRST
        .into_iter()
        .find(|severity| severity.as_str() == text)
        .ok_or_else(|| "one of critical, high, medium, low, info".to_owned())
}

fn threshold(text: &str) -> Result<palisade::gate::Threshold, String> {
    text.parse()
        .map_err(|error: palisade::gate::ThresholdError| error.to_string())
}
