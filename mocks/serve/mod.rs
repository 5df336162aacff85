//! A loopback AWS: requests of AWS clients in, answers in AWS's own protocols out, from a world.
//!
//! [`Responder::respond`] is one function without sockets. The account and the region of a
//! request come from its signature's credential scope: an access key id holds its account.
//! Signatures are not checked. What the world cannot see is refused the way AWS refuses it.

mod account;
mod answer;
mod call;
mod cloudtrail;
mod config;
mod events;
mod failure;
mod generic;
mod generic_write;
mod guardduty;
mod http1;
mod iam;
mod iam_answers;
mod iam_entities;
mod iam_reports;
mod lambda;
mod metrics;
mod organizations;
mod page;
mod routes;
mod s3;
mod s3_listing;
mod s3_objects;
mod s3control;
mod security;
mod sns;
mod sts;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Request, Response};
use palisade_model::{Account, DeniedBy, Observed, Region, RegionState};

use crate::{FaultKind, World};

use answer::{Answer, Reply};
use call::Call;
use failure::Failure;

pub use http1::Server;

/// Answers AWS requests for one world.
#[derive(Debug)]
pub struct Responder {
    world: World,
    page: usize,
    state: Mutex<State>,
}

/// What changes while a world is served.
#[derive(Debug, Default)]
struct State {
    /// Matching calls so far, by fault.
    faults: BTreeMap<usize, u64>,
    /// How often a credential report was asked for since it was begun, by account.
    reports: BTreeMap<String, u32>,
}

impl Responder {
    /// A responder for `world` whose lists come in pages of three.
    pub fn new(world: World) -> Responder {
        Responder {
            world,
            page: 3,
            state: Mutex::default(),
        }
    }

    /// The same with pages of `size`; at least one.
    pub fn with_page_size(mut self, size: usize) -> Responder {
        self.page = size.max(1);
        self
    }

    /// The world that is served.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The answer to one request.
    pub fn respond(&self, request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        let call = match Call::read(&self.world, &request) {
            Ok(call) => call,
            Err(refused) => {
                let (call, failure) = *refused;
                return call.refuse(&failure);
            }
        };
        match self.answer(&call, &request) {
            Ok(reply) => call.render(reply),
            Err(failure) => call.refuse(&failure),
        }
    }

    fn answer(&self, call: &Call, request: &Request<Vec<u8>>) -> Result<Reply, Failure> {
        if let Some(kind) = self.fault(call) {
            return self.disturbed(call, request, kind);
        }
        self.undisturbed(call, request)
    }

    fn undisturbed(&self, call: &Call, request: &Request<Vec<u8>>) -> Result<Reply, Failure> {
        let desk = Desk {
            responder: self,
            world: &self.world,
            call,
        };
        desk.enter()?;
        if call.service == "s3" {
            return match call.is_control {
                true => s3control::answer(&desk).map(Reply::from),
                false => s3::answer(&desk, request),
            };
        }
        let answer = match call.service.as_str() {
            "sts" => sts::answer(&desk),
            "iam" => iam::answer(&desk),
            "organizations" => organizations::answer(&desk),
            "account" => account::answer(&desk),
            "lambda" => lambda::answer(&desk),
            "guardduty" => guardduty::answer(&desk),
            "inspector2" | "securityhub" | "macie2" | "access-analyzer" | "shield" | "fms" => {
                security::answer(&desk)
            }
            "config" if call.operation != "DescribeConfigRules" => config::answer(&desk),
            "cloudtrail" => cloudtrail::answer(&desk),
            "events" => events::answer(&desk),
            "sns" => sns::answer(&desk),
            "cloudwatch" | "logs" => metrics::answer(&desk),
            "ec2" if call.operation == "DescribeRegions" => account::regions(&desk),
            _ => generic::answer(&desk),
        };
        answer.map(Reply::from)
    }

    /// The fault that this call meets, if any.
    fn fault(&self, call: &Call) -> Option<FaultKind> {
        let mut state = self.state();
        for (index, fault) in self.world.faults.iter().enumerate() {
            let named =
                wild(&fault.operation, &call.operation) || fault.operation == in_the_table(call);
            let meets = named
                && wild(&fault.service, &call.service)
                && wild(&fault.account, &call.account)
                && wild(&fault.region, &call.region);
            if !meets {
                continue;
            }
            let count = state.faults.entry(index).or_default();
            *count += 1;
            let counted = fault.first == 0 || *count <= fault.first;
            if counted && count.is_multiple_of(fault.every.max(1)) {
                return Some(fault.kind);
            }
        }
        None
    }

    fn disturbed(
        &self,
        call: &Call,
        request: &Request<Vec<u8>>,
        kind: FaultKind,
    ) -> Result<Reply, Failure> {
        Err(match kind {
            FaultKind::Throttle => Failure::throttled(call),
            FaultKind::Denied => Failure::denied(call, None),
            FaultKind::DeniedByScp => Failure::denied(call, Some(DeniedBy::Scp)),
            FaultKind::ServerError => Failure::server_error(call),
            FaultKind::Unavailable => Failure::unavailable(),
            FaultKind::Expired => Failure::expired(call),
            FaultKind::Html => return Ok(Reply::html()),
            FaultKind::Truncated => {
                let whole = call.render(self.undisturbed(call, request)?);
                let (head, mut body) = whole.into_parts();
                body.truncate(body.len() / 2);
                return Ok(Reply::Http(Response::from_parts(head, body)));
            }
            FaultKind::Empty => {
                return Ok(Reply::Http(Response::new(Vec::new())));
            }
            FaultKind::Hollow => return Ok(self.undisturbed(call, request)?.hollow()),
            FaultKind::Bare => return Ok(self.undisturbed(call, request)?.bare()),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The operation as gaps name it, where AWS calls two of them alike.
fn in_the_table(call: &Call) -> &str {
    match (call.operation.as_str(), call.is_control) {
        ("GetPublicAccessBlock", true) => "GetAccountPublicAccessBlock",
        ("GetPublicAccessBlock", false) => "GetBucketPublicAccessBlock",
        ("GetMultiRegionAccessPoint", true) if call.flag("Policy") == Some(true) => {
            "GetMultiRegionAccessPointPolicy"
        }
        ("GetObject", _) if call.text("versionId").is_some() => "GetObjectVersion",
        (name, _) => name,
    }
}

/// Whether `pattern`, which may end in `*`, takes `text`.
fn wild(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => pattern == text,
    }
}

/// One call, and the part of the world it is made in.
#[derive(Clone, Copy)]
struct Desk<'a> {
    responder: &'a Responder,
    world: &'a World,
    call: &'a Call,
}

type Outcome<T = Answer> = Result<T, Failure>;

impl<'a> Desk<'a> {
    /// Refuses calls in regions that are off.
    fn enter(&self) -> Outcome<()> {
        let off = self
            .account()
            .and_then(|account| account.regions.value())
            .and_then(|regions| regions.get(&self.call.region))
            .is_some_and(|region| region.state == RegionState::Off);
        match off {
            true => Err(Failure::region_off(self.call)),
            false => Ok(()),
        }
    }

    fn account(&self) -> Option<&'a Account> {
        self.world.snapshot.accounts.get(&self.call.account)
    }

    /// The account, or a refusal: nobody holds keys of an account outside the world.
    fn home(&self) -> Outcome<&'a Account> {
        self.account()
            .ok_or_else(|| Failure::invalid_token(self.call))
    }

    /// The region the call is made in; `None` where the account has nothing there.
    fn region(&self) -> Outcome<Option<&'a Region>> {
        let regions = self.fact(&self.home()?.regions)?;
        Ok(regions.and_then(|regions| regions.get(&self.call.region)))
    }

    /// A fact that the call asks for: its value, nothing, or the refusal that its gap tells of.
    fn fact<T>(&self, fact: &'a Observed<T>) -> Outcome<Option<&'a T>> {
        match fact {
            Observed::Value(value) => Ok(Some(value)),
            Observed::Absent | Observed::NotApplicable(_) => Ok(None),
            Observed::Gap(gap) => Err(Failure::of_gap(self.call, gap)),
        }
    }

    fn unknown(&self) -> Failure {
        Failure::unknown_operation(self.call)
    }
}
