//! A whole scan: callers, the organization, its accounts, and one snapshot of it all.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::{StreamExt, stream};
use palisade_model::{
    Account, Arn, Gap, GapKind, Observed, Organization, Partition, Per, Snapshot, Time,
};
use tokio::sync::Semaphore;

use crate::account::account;
use crate::caller::{self, Caller, chain, enter_role, session_name};
use crate::central::{Standing, Told};
use crate::credentials::{Entry, enter};
use crate::engine::{Engine, Visit};
use crate::organization::organization;
use crate::pace::Pace;
use crate::prove::prove;
use crate::purse::Purse;
use crate::region_deny::settle_denied_regions;
use crate::regions::check_regions;
use crate::resume::{Done, done, gaps};
use crate::{Cancel, CollectError, Observer, Options, OrgOptions, Transport, transport};

/// Requests in flight at once, unless the user says otherwise.
const IN_FLIGHT: usize = 256;
/// Accounts read at once.
const ACCOUNTS: usize = 32;
/// The role to enter in member accounts, unless the user says otherwise.
const ROLE: &str = "palisade-scan";

/// Reads everything the options ask for.
///
/// Errs only when nothing can be read at all: see [`CollectError`]. Whatever else fails is a gap
/// in the snapshot. After `cancel`, what is unread becomes a gap and the snapshot is returned;
/// given back as [`Options::resume`], the rest is read.
pub async fn collect(
    options: Options,
    transport: Transport,
    observer: Arc<dyn Observer>,
    cancel: Cancel,
) -> Result<Snapshot, CollectError> {
    check_regions(&options.regions)?;
    check_regions(&options.exclude_regions)?;
    let callers = callers(options, transport, observer, cancel).await?;
    let engine = callers.proven[0].visit.engine.clone();
    let timer = engine.options.timeout.map(|limit| {
        let cancel = engine.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            cancel.cancel();
        })
    });
    let outcome = Box::pin(scan(&engine, callers)).await;
    timer.inspect(|timer| timer.abort());
    outcome
}

/// The callers of a scan.
pub(crate) struct Callers {
    /// One for each profile whose credentials were proven: at least one.
    pub(crate) proven: Vec<Caller>,
    /// Profiles that lead nowhere, and why. Their accounts are unknown; the others are read.
    pub(crate) refused: Vec<(String, CollectError)>,
}

/// A proven caller for each profile. Errs where not one can be proven.
pub(crate) async fn callers(
    mut options: Options,
    transport: Transport,
    observer: Arc<dyn Observer>,
    cancel: Cancel,
) -> Result<Callers, CollectError> {
    let http = transport::client(&transport);
    let profiles: Vec<Option<String>> = match options.profiles.as_slice() {
        [] => vec![None],
        named => named.iter().cloned().map(Some).collect(),
    };
    let (mut chains, mut refused) = (Vec::new(), Vec::new());
    for profile in profiles {
        match chain(&transport, &http, profile.as_deref()).await {
            Ok(chain) => chains.push((profile, chain)),
            Err(error) => refused.push((profile.unwrap_or_default(), error)),
        }
    }
    let Some((_, first)) = chains.first() else {
        return Err(refused.swap_remove(0).1);
    };
    let endpoint_url = options
        .endpoint_url
        .clone()
        .or_else(|| first.endpoint_url.clone());
    if let Some(url) = endpoint_url
        .as_ref()
        .filter(|url| !crate::generic::is_url(url))
    {
        return Err(CollectError::Unreachable {
            endpoint: url.clone(),
            detail: "it is no http or https URL".to_owned(),
        });
    }
    options.taken_at = Some(taken_at(&options));
    let engine = Arc::new(Engine {
        local: matches!(transport, Transport::InProcess(_)),
        endpoint_url,
        use_fips: first.use_fips,
        flights: Semaphore::new(options.concurrency.unwrap_or(IN_FLIGHT).max(1)),
        overall: options
            .max_rps
            .map(|rate| Arc::new(Pace::new(rate.max(0.01), 1.0))),
        clock: Arc::default(),
        purse: Purse::new(
            options.objects.max_bytes,
            options.objects.max_cost,
            &options.objects.prices,
        ),
        standing: OnceLock::new(),
        told: OnceLock::new(),
        options,
        observer,
        cancel,
        http,
    });
    let mut proven: Vec<Caller> = Vec::new();
    for (profile, chain) in chains {
        let caller = match caller::prove(&engine, chain, profile.as_deref()).await {
            Ok(caller) => caller,
            Err(error) => {
                refused.push((profile.unwrap_or_default(), error));
                continue;
            }
        };
        if let Some(first) = proven.first()
            && first.visit.partition != caller.visit.partition
        {
            return Err(CollectError::MixedPartitions {
                first: first.visit.account.clone(),
                second: caller.visit.account.clone(),
            });
        }
        proven.push(caller);
    }
    if proven.is_empty() {
        return Err(refused.swap_remove(0).1);
    }
    Ok(Callers { proven, refused })
}

fn taken_at(options: &Options) -> Time {
    let before = options.resume.as_ref().map(|snapshot| snapshot.taken_at);
    before.or(options.taken_at).unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Time(now.map(|now| now.as_secs() as i64).unwrap_or_default())
    })
}

async fn scan(engine: &Arc<Engine>, callers: Callers) -> Result<Snapshot, CollectError> {
    let options = &engine.options;
    let partition = callers.proven[0].visit.partition;
    let (mut visits, refused) = enter_callers(engine, &callers).await?;
    let first = enter_first(&visits);
    let organization = read_organization(engine, &first, partition).await;
    if let Some(org) = &options.org {
        let members = members(org, &organization)?;
        visits = enter_members(engine, &first, org, members).await?;
    }
    visits.extend(refused);
    let standing = engine.standing.get_or_init(|| Standing::of(&organization));
    let mut snapshot = Snapshot::unread(taken_at(options), partition);
    snapshot.caller = Some(callers.proven[0].arn.clone());
    snapshot.organization = organization;
    snapshot.accounts = administrators_first(engine, standing, visits).await;
    settle_denied_regions(&mut snapshot);
    prove(engine, &mut snapshot).await;
    let minds = options.read_content || options.objects.max_cost.is_some();
    if minds && engine.purse.is_touched() && !engine.local {
        engine.observer.note(&engine.purse.bill());
    }
    Ok(snapshot)
}

/// The accounts that the profiles lead to; and, for each profile that leads nowhere, an account
/// nobody could reach: which one it is, nobody can say.
async fn enter_callers(
    engine: &Arc<Engine>,
    callers: &Callers,
) -> Result<(Visits, Visits), CollectError> {
    let mut visits = Visits::new();
    let mut refused = callers.refused.clone();
    for caller in &callers.proven {
        let visit = match enter_role(caller, &engine.options).await {
            Ok(visit) => visit,
            Err(error) => {
                refused.push((caller.profile.clone().unwrap_or_default(), error));
                continue;
            }
        };
        if let Some(Ok(earlier)) = visits.insert(visit.account.clone(), Ok(visit)) {
            let text = format!("two profiles lead to account {}", earlier.account);
            engine.observer.warn(&text);
        }
    }
    if visits.is_empty() {
        return Err(refused.swap_remove(0).1);
    }
    let unknown = refused.into_iter().map(|(profile, error)| {
        engine.observer.warn(&error.to_string());
        let gap = Gap {
            message: error.to_string(),
            ..Gap::new("sts:GetCallerIdentity", GapKind::NotReached)
        };
        (format!("profile/{profile}"), Err(gap))
    });
    Ok((visits, unknown.collect()))
}

fn enter_first(visits: &BTreeMap<String, Result<Arc<Visit>, Gap>>) -> Arc<Visit> {
    let mut entered = visits.values().filter_map(|visit| visit.as_ref().ok());
    let first = entered.next();
    first.expect("at least one caller was proven").clone()
}

/// Where Organizations is asked. Source: "AWS Organizations endpoints", AWS General Reference.
fn organizations_home(partition: Partition) -> &'static str {
    match partition {
        Partition::AwsCn => "cn-northwest-1",
        other => other.home_region(),
    }
}

async fn read_organization(
    engine: &Arc<Engine>,
    first: &Arc<Visit>,
    partition: Partition,
) -> Observed<Organization> {
    if let Some(before) = crate::resume::organization(engine.options.resume.as_ref()) {
        return before;
    }
    first.announce(Per::Organization, "");
    let read = organization(&first.place(organizations_home(partition))).await;
    first.spare();
    read
}

/// The organization's accounts that were asked for and can be entered.
fn members(
    org: &OrgOptions,
    organization: &Observed<Organization>,
) -> Result<Vec<String>, CollectError> {
    let Observed::Value(read) = organization else {
        let detail = match organization {
            Observed::Gap(gap) => gap.to_string(),
            _ => "this account is in none".to_owned(),
        };
        return Err(CollectError::NoOrganization { detail });
    };
    let Observed::Value(all) = &read.accounts else {
        if !org.accounts.is_empty() {
            return Ok(org.accounts.clone());
        }
        let detail = read.accounts.gap().map(Gap::to_string).unwrap_or_default();
        return Err(CollectError::NoOrganization { detail });
    };
    if let (false, Some(gap)) = (org.ou.is_empty(), read.units.gap()) {
        // Without the tree nobody knows who stands below a unit.
        let detail = gap.to_string();
        return Err(CollectError::NoOrganization { detail });
    }
    let units = read.units.value();
    let is_unit = |id: &String| {
        units.is_some_and(|units| units.contains_key(id)) || read.root.value() == Some(id)
    };
    let stranger = org
        .accounts
        .iter()
        .find(|id| !all.contains_key(*id))
        .or_else(|| org.ou.iter().find(|id| !is_unit(id)));
    if let Some(id) = stranger {
        return Err(CollectError::NotInOrganization { id: id.clone() });
    }
    let below = |id: &str| {
        let chain = read.chain(id).unwrap_or_default();
        org.ou.iter().any(|unit| chain.contains(&unit.as_str()))
    };
    Ok(all
        .iter()
        .filter(|(_, entry)| entry.status.is_empty() || entry.status == "ACTIVE")
        .map(|(id, _)| id)
        .filter(|id| org.accounts.is_empty() || org.accounts.contains(*id))
        .filter(|id| org.ou.is_empty() || below(id))
        .filter(|id| !org.exclude_accounts.contains(*id))
        .cloned()
        .collect())
}

type Visits = BTreeMap<String, Result<Arc<Visit>, Gap>>;

async fn enter_members(
    engine: &Arc<Engine>,
    first: &Arc<Visit>,
    org: &OrgOptions,
    members: Vec<String>,
) -> Result<Visits, CollectError> {
    let name = match org.role_name.as_str() {
        "" => ROLE,
        name => name,
    };
    if is_administrative(name) {
        engine.observer.warn(&format!(
            "`{name}` looks like an administrator role: a role with the policy of `palisade \
             permissions` is enough"
        ));
    }
    let home = first.home();
    let entered = stream::iter(members).map(|id| {
        let home = home.clone();
        async move {
            if id == first.account {
                return (id, Ok(first.clone()));
            }
            let role = Arn::iam(first.partition, &id, "role", "/", name);
            let entry = Entry {
                role: role.to_string(),
                session_name: session_name(&engine.options),
                external_id: engine.options.external_id.clone(),
            };
            let visit = match done(engine.options.resume.as_ref(), &id) {
                // Nothing is left to read, so nobody needs to get in.
                Done::Whole(_) => Ok(Vec::new()),
                Done::Regions(_) => enter(&home, &entry, engine.options.read_content).await,
            };
            let visit = visit
                .map(|sessions| Visit::new(engine.clone(), id.clone(), first.partition, sessions));
            (id, visit)
        }
    });
    let entered: Vec<_> = entered.buffer_unordered(ACCOUNTS).collect().await;
    let mut refused = entered.iter().filter_map(|(_, visit)| visit.as_ref().err());
    if let (false, Some(gap)) = (
        entered.iter().any(|(_, visit)| visit.is_ok()),
        refused.next(),
    ) && gap.kind == GapKind::Denied
    {
        return Err(CollectError::RoleRefused {
            role: name.to_owned(),
            code: gap.code.clone(),
        });
    }
    Ok(entered.into_iter().collect())
}

fn is_administrative(role: &str) -> bool {
    let name = role.to_ascii_lowercase();
    name == "organizationaccountaccessrole" || name.contains("admin")
}

/// The accounts that are told of others are read before those: what they were told spares calls.
async fn administrators_first(
    engine: &Arc<Engine>,
    standing: &Standing,
    visits: Visits,
) -> BTreeMap<String, Account> {
    let (first, rest): (Visits, Visits) =
        visits.into_iter().partition(|(id, _)| standing.is_told(id));
    let mut read = accounts(engine, first).await;
    engine.told.get_or_init(|| Told::of(standing, &read));
    read.extend(accounts(engine, rest).await);
    read
}

async fn accounts(engine: &Arc<Engine>, visits: Visits) -> BTreeMap<String, Account> {
    let read = stream::iter(visits).map(|(id, visit)| {
        let engine = engine.clone();
        let task = tokio::spawn({
            let id = id.clone();
            async move { Box::pin(one(&engine, &id, visit)).await }
        });
        async move {
            let account = task.await.unwrap_or_else(|_| {
                Account::not_reached(&Gap::new("palisade:Account", GapKind::Internal))
            });
            (id, account)
        }
    });
    read.buffer_unordered(ACCOUNTS).collect().await
}

async fn one(engine: &Arc<Engine>, id: &String, visit: Result<Arc<Visit>, Gap>) -> Account {
    engine.observer.account_started(id);
    let read = match (visit, done(engine.options.resume.as_ref(), id)) {
        (_, Done::Whole(before)) => *before,
        (Ok(visit), Done::Regions(regions)) => {
            let account = account(visit.clone(), regions).await;
            visit.leave();
            account
        }
        (Err(gap), Done::Regions(_)) => Account::not_reached(&gap),
    };
    engine.observer.account_finished(id, gaps(&read).0);
    read
}
