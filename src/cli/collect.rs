//! `palisade collect` and `palisade doctor`, and how every other command reads a live AWS or a
//! served world. The only file that names the collectors.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use palisade_aws::{
    Cancel, CollectError, ObjectOptions, Observer, Options, OrgOptions, PlansProof, Transport,
    WantsListing,
};
use palisade_mocks::World;
use palisade_mocks::serve::Responder;
use palisade_model::{AccountId, Snapshot, read_snapshot, write_snapshot};

use super::args::{Live, Source};
use super::exit::{Exit, Failure};
use super::{output, source};
use crate::ui::Voice;
use crate::ui::progress::Progress;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade collect --profile audit -o estate.snap
  palisade collect --org -o org.snap --resume org.snap")]
pub(crate) struct Args {
    /// Where the snapshot goes
    #[arg(
        short,
        long,
        value_name = "FILE",
        env = "PALISADE_OUTPUT",
        help_heading = "Output"
    )]
    output: PathBuf,
    /// Finish the scan that this snapshot was cut off from
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
}

/// Runs the command.
pub(crate) fn run(args: &Args, voice: Voice) -> anyhow::Result<Exit> {
    output::writable(&args.output)?;
    let resume = args.resume.as_deref().map(earlier).transpose()?;
    let (snapshot, interrupted) = match &args.source.world {
        Some(name) => (
            from_world(source::open_world(name)?, &args.source, voice)?,
            false,
        ),
        None => {
            let options = Options {
                resume,
                ..options(&args.source.live)?
            };
            collect(options, Transport::Network, voice)?
        }
    };
    output::file(&args.output, |out| Ok(write_snapshot(&snapshot, out)?))?;
    voice.note(&format!(
        "wrote {} account(s) to `{}`",
        snapshot.accounts.len(),
        args.output.display()
    ));
    if interrupted {
        voice.note(&format!(
            "finish it with `--resume {}`",
            args.output.display()
        ));
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::Passed)
}

fn earlier(file: &Path) -> anyhow::Result<Snapshot> {
    let open =
        std::fs::File::open(file).with_context(|| format!("cannot open `{}`", file.display()))?;
    read_snapshot(std::io::BufReader::new(open)).map_err(|error| {
        Failure::caused(
            Exit::CouldNotRun,
            error,
            format!("cannot resume from `{}`", file.display()),
            "leave --resume away to begin anew",
        )
    })
}

/// Reads a live AWS for a command that goes on with the snapshot.
pub(crate) fn live(args: &Live, voice: Voice) -> anyhow::Result<Snapshot> {
    match collect(options(args)?, Transport::Network, voice)? {
        (snapshot, false) => Ok(snapshot),
        (_, true) => Err(interrupted()),
    }
}

/// Reads a world through the collectors: every call goes to a responder in this process.
pub(crate) fn from_world(world: World, source: &Source, voice: Voice) -> anyhow::Result<Snapshot> {
    let taken_at = world.snapshot().taken_at;
    let organization = world.snapshot().organization.value().is_some();
    let responder = Responder::new(world);
    let answer = move |request: http::Request<bytes::Bytes>| {
        responder
            .respond(request.map(|body| body.to_vec()))
            .map(bytes::Bytes::from)
    };
    let mut options = options(&source.live)?;
    options.taken_at = Some(taken_at);
    options.read_content = true;
    if organization && options.org.is_none() {
        options.org = Some(OrgOptions {
            role_name: source.live.org_role_name.clone(),
            ..OrgOptions::default()
        });
    }
    match collect(options, Transport::InProcess(Arc::new(answer)), voice)? {
        (snapshot, false) => Ok(snapshot),
        (_, true) => Err(interrupted()),
    }
}

fn interrupted() -> anyhow::Error {
    Failure::new(
        Exit::Interrupted,
        "interrupted before everything was read",
        "`palisade collect -o FILE` keeps what was read, and `--resume` goes on from there",
    )
}

/// Collects until done or interrupted; says which.
fn collect(
    options: Options,
    transport: Transport,
    voice: Voice,
) -> anyhow::Result<(Snapshot, bool)> {
    let runtime = runtime()?;
    let (progress, cancel) = (Arc::new(Progress::new(voice)), Cancel::default());
    let result = runtime.block_on(async {
        tokio::spawn(stop_on_signal(cancel.clone(), voice));
        let hears = Arc::new(Hears(progress.clone()));
        palisade_aws::collect(options, transport, hears, cancel.clone()).await
    });
    progress.end();
    let help = "`palisade doctor` says what works and what does not";
    let snapshot = result.map_err(|error| refused(error, help))?;
    Ok((snapshot, cancel.is_cancelled()))
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(8 << 20)
        .build()
        .context("cannot start the asynchronous runtime")
}

/// The exit code of a scan that could not be made.
fn refused(error: CollectError, help: &str) -> anyhow::Error {
    let exit = match error {
        CollectError::UnknownRegion { .. } | CollectError::NotInOrganization { .. } => Exit::Usage,
        _ => Exit::CouldNotRun,
    };
    Failure::new(exit, error.to_string(), help)
}

/// The first signal stops the scan in order; the second ends the process.
async fn stop_on_signal(cancel: Cancel, voice: Voice) {
    signal().await;
    voice.warn("stopping: what was read so far is kept; once more ends at once");
    cancel.cancel();
    signal().await;
    std::process::exit(Exit::Interrupted as i32);
}

async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a way to hear signals the process ends on them by default.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The unsigned requests that would prove what the snapshot says is public.
fn plan_proof(snapshot: &Snapshot) -> Vec<palisade_model::ProofRequest> {
    let exposure = palisade::exposure::Exposure::of(snapshot);
    palisade::exposure::proof::plan(snapshot, &exposure)
}

/// What the flags ask for.
fn options(args: &Live) -> anyhow::Result<Options> {
    let key = std::env::var("PALISADE_FINGERPRINT_KEY").unwrap_or_default();
    if !key.is_empty() && palisade_secrets::FingerprintKey::new(key.as_bytes()).is_none() {
        return Err(Failure::usage(
            "PALISADE_FINGERPRINT_KEY is too short",
            "give at least 16 bytes, for instance from `openssl rand -hex 32`",
        ));
    }
    let prices: Result<Vec<palisade_aws::Price>, String> =
        args.price.iter().map(|text| text.parse()).collect();
    let prices = prices.map_err(|shape| {
        let text = format!("`{}` is no price", args.price.join(","));
        Failure::usage(text, format!("a price is {shape}"))
    })?;
    Ok(Options {
        profiles: args.profile.clone(),
        role_arn: args.role_arn.clone(),
        external_id: args.external_id.clone(),
        role_session_name: Some(args.role_session_name.clone()),
        regions: args.region.clone(),
        exclude_regions: args.exclude_region.clone(),
        org: args.org.then(|| OrgOptions {
            role_name: args.org_role_name.clone(),
            ou: args.ou.clone(),
            accounts: args.account.clone(),
            exclude_accounts: args.exclude_account.clone(),
        }),
        endpoint_url: args.endpoint_url.clone(),
        max_rps: args.max_rps.map(f64::from),
        concurrency: args.concurrency,
        timeout: args.timeout.map(Duration::from_secs),
        read_content: args.read_content,
        objects: ObjectOptions {
            fingerprint_key: key.into_bytes(),
            max_cost: args.max_cost,
            prices,
            ..ObjectOptions::default()
        },
        wants_listing: args
            .all_buckets
            .then(|| -> WantsListing { Arc::new(|_, _| true) }),
        proof: args
            .prove_public
            .then(|| -> PlansProof { Arc::new(plan_proof) }),
        ..Options::default()
    })
}

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade doctor --profile audit
  palisade doctor --endpoint-url http://127.0.0.1:4566 -r eu-central-1")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    live: Live,
}

/// Runs `palisade doctor`: who am I, what is refused, which regions answer, is the clock right.
pub(crate) fn doctor(args: &DoctorArgs, voice: Voice) -> anyhow::Result<Exit> {
    let runtime = runtime()?;
    let progress = Arc::new(Progress::new(voice));
    let examined = palisade_aws::doctor::examine(
        options(&args.live)?,
        Transport::Network,
        Arc::new(Hears(progress.clone())),
    );
    let examined = runtime.block_on(examined);
    progress.end();
    let help = "`palisade doctor --help` lists the flags for profiles, roles and endpoints";
    let examined = examined.map_err(|error| refused(error, help))?;
    let mut text: String = examined.callers.iter().map(page).collect();
    for (profile, error) in &examined.refused {
        text.push_str(&format!("profile   {profile}\nrefused   {error}\n"));
    }
    output::stdout(&palisade::report::escape::lines(&text))?;
    Ok(match examined.refused.is_empty() {
        true => Exit::Passed,
        false => Exit::CouldNotRun,
    })
}

/// What the doctor found of one caller.
fn page(one: &palisade_aws::doctor::Examination) -> String {
    let mut lines = vec![format!("caller    {}", one.caller)];
    lines.extend(
        one.profile
            .iter()
            .map(|profile| format!("profile   {profile}")),
    );
    lines.push(format!("account   {}", one.account));
    lines.push(format!(
        "endpoint  {}",
        one.endpoint.as_deref().unwrap_or("AWS")
    ));
    lines.push(match one.clock_ahead {
        None => "clock     unknown: no answer carried a date".to_owned(),
        Some(ahead) if ahead.abs() > 300 => {
            format!(
                "clock     wrong by {ahead} s: AWS refuses requests that are off by more than 300"
            )
        }
        Some(ahead) => format!("clock     right ({ahead} s)"),
    });
    let (dead, alive): (Vec<_>, Vec<_>) = one.regions.iter().partition(|(_, gap)| gap.is_some());
    let names: Vec<&str> = alive.iter().map(|(name, _)| name.as_str()).collect();
    lines.push(format!(
        "regions   {} answer: {}",
        alive.len(),
        names.join(" ")
    ));
    for (name, gap) in dead {
        lines.extend(
            gap.iter()
                .map(|gap| format!("          {name}: {gap} {}", gap.message)),
        );
    }
    let failed: Vec<_> = one
        .calls
        .iter()
        .filter_map(|(_, gap)| gap.as_ref())
        .collect();
    lines.push(format!(
        "calls     {} tried, {} failed",
        one.calls.len(),
        failed.len()
    ));
    for gap in &failed {
        lines.push(format!("          {gap} {} {}", gap.code, gap.message));
    }
    if !failed.is_empty() {
        lines.push(
            "help      `palisade permissions` prints the policy that a scan needs".to_owned(),
        );
    }
    lines.join("\n") + "\n"
}

/// Passes on what the collectors tell.
struct Hears(Arc<Progress>);

impl Observer for Hears {
    fn planned(&self, calls: u64) {
        self.0.planned(calls);
    }

    fn spared(&self, calls: u64) {
        self.0.spared(calls);
    }

    fn finished(&self, operation: &str) {
        self.0.finished(operation);
    }

    fn throttled(&self, _: &str) {
        self.0.throttled();
    }

    fn account_finished(&self, account: &AccountId, gaps: usize) {
        self.0.account_finished(account, gaps);
    }

    fn note(&self, text: &str) {
        self.0.note(text);
    }

    fn warn(&self, text: &str) {
        self.0.warn(text);
    }
}
