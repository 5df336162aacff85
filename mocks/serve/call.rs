//! Reading a request: who calls what, where, with which parameters.

use http::{Method, Request, Response};
use palisade_model::Partition;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::answer::{Reply, Wire};
use super::failure::Failure;
use super::routes;
use crate::World;
use crate::world::zone_of_key;

/// One API call.
#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    /// The IAM prefix of the service.
    pub(super) service: String,
    pub(super) operation: String,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) partition: Partition,
    /// Who calls, as GetCallerIdentity says.
    pub(super) caller: String,
    /// Whether the request carried a signature.
    pub(super) signed: bool,
    /// Whether this is S3's control plane.
    pub(super) is_control: bool,
    pub(super) wire: Wire,
    pub(super) method: Method,
    /// The decoded path, without the bucket of a virtual host.
    pub(super) path: String,
    /// Parameters: a JSON body, form parameters, or path and query parameters, by name.
    pub(super) input: Map<String, Value>,
    /// The bucket named by the host, in S3's virtual-hosted style.
    pub(super) host_bucket: Option<String>,
}

/// What a signature tells without being checked.
#[derive(Default)]
struct Scope {
    key: String,
    region: String,
    service: String,
}

type Refused = Box<(Call, Failure)>;

impl Call {
    pub(super) fn read(world: &World, request: &Request<Vec<u8>>) -> Result<Call, Refused> {
        let uri = request.uri();
        let query = pairs(uri.query().unwrap_or_default());
        let scope = scope(request, &query);
        let host = request
            .headers()
            .get(http::header::HOST)
            .and_then(|host| host.to_str().ok())
            .or(uri.host())
            .unwrap_or_default()
            .to_owned();
        let mut call = Call {
            signed: scope.is_some(),
            method: request.method().clone(),
            path: decoded(uri.path()),
            ..Call::default()
        };
        let scope = scope.unwrap_or_else(|| guess(&host));
        call.service = prefix_of(&scope.service).to_owned();
        call.region = scope.region;
        call.place(world, &scope.key, request);
        call.parameters(request, query, &host)?;
        if !call.signed && call.service != "s3" && !call.operation.starts_with("AssumeRoleWith") {
            let failure = Failure::missing_token();
            return Err(Box::new((call, failure)));
        }
        Ok(call)
    }

    /// Settles the account and the caller: the key id holds the account, a session token minted
    /// here holds the role.
    fn place(&mut self, world: &World, key: &str, request: &Request<Vec<u8>>) {
        let snapshot = &world.snapshot;
        self.partition = snapshot.partition;
        let known = |account: &String| snapshot.accounts.contains_key(account);
        let home = snapshot
            .caller
            .as_ref()
            .map(|caller| caller.account().to_owned())
            .filter(known)
            .or_else(|| {
                let organization = snapshot.organization.value()?;
                Some(organization.management_account.clone()).filter(known)
            })
            .or_else(|| snapshot.accounts.keys().next().cloned())
            .unwrap_or_default();
        self.account = zone_of_key(key).filter(known).unwrap_or(home);
        if self.region.is_empty() {
            self.region = self.partition.home_region().to_owned();
        }
        let session = request
            .headers()
            .get("x-amz-security-token")
            .and_then(|token| token.to_str().ok())
            .and_then(super::sts::session_of);
        self.caller = match (session, &snapshot.caller) {
            (Some(arn), _) => arn,
            (None, Some(caller)) if caller.account() == self.account => caller.to_string(),
            (None, _) => format!(
                "arn:{}:sts::{}:assumed-role/palisade-scan/palisade",
                self.partition, self.account
            ),
        };
    }

    /// Finds the operation and its parameters.
    fn parameters(
        &mut self,
        request: &Request<Vec<u8>>,
        query: Vec<(String, String)>,
        host: &str,
    ) -> Result<(), Refused> {
        let header = |name: &str| {
            request
                .headers()
                .get(name)
                .and_then(|text| text.to_str().ok())
        };
        if let Some(target) = header("x-amz-target") {
            self.wire = Wire::Json;
            self.operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            return self.json_body(request.body());
        }
        if header("smithy-protocol") == Some("rpc-v2-cbor") {
            self.wire = Wire::Cbor;
            self.operation = self.path.rsplit('/').next().unwrap_or_default().to_owned();
            let failure = Failure::cbor(self);
            return Err(Box::new((self.clone(), failure)));
        }
        if self.service == "s3" {
            return self.s3(request, query, host);
        }
        let is_form = header("content-type").is_some_and(|kind| kind.contains("x-www-form"));
        let mut form = query;
        if is_form {
            form.extend(pairs(&String::from_utf8_lossy(request.body())));
        }
        if let Some((_, action)) = form.iter().find(|(name, _)| name == "Action") {
            self.wire = match self.service.as_str() {
                "ec2" => Wire::Ec2,
                _ => Wire::Query,
            };
            self.operation = action.clone();
            self.input = form
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect();
            return Ok(());
        }
        let is_xml = palisade_model::listing::services().iter().any(|service| {
            service.prefix == self.service && service.wire == palisade_model::listing::Wire::RestXml
        });
        // Other REST services in XML write as S3 does.
        self.wire = if is_xml { Wire::S3 } else { Wire::RestJson };
        if !request.body().is_empty() {
            self.json_body(request.body())?;
        }
        for (name, value) in form {
            add(&mut self.input, name, value.into());
        }
        match routes::find(&self.service, &self.method, &request_path(request)) {
            Some((operation, parameters)) => {
                self.operation = operation;
                self.input.extend(parameters);
            }
            None => self.operation = format!("{} {}", self.method, self.path),
        }
        Ok(())
    }

    fn json_body(&mut self, body: &[u8]) -> Result<(), Refused> {
        if body.is_empty() {
            return Ok(());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => {
                self.input = map;
                Ok(())
            }
            _ => {
                let failure = Failure::new(
                    400,
                    "SerializationException",
                    "Could not parse request body",
                );
                Err(Box::new((self.clone(), failure)))
            }
        }
    }

    fn s3(
        &mut self,
        request: &Request<Vec<u8>>,
        query: Vec<(String, String)>,
        host: &str,
    ) -> Result<(), Refused> {
        self.wire = Wire::S3;
        self.input = query
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        if self.path.starts_with("/v20180820/") {
            self.is_control = true;
            self.wire = Wire::S3Control;
            if let Some(account) = request.headers().get("x-amz-account-id")
                && let Ok(account) = account.to_str()
            {
                self.input.insert("AccountId".to_owned(), account.into());
            }
            return match routes::find("s3control", &self.method, &request_path(request)) {
                Some((operation, parameters)) => {
                    self.operation = operation;
                    self.input.extend(parameters);
                    Ok(())
                }
                None => {
                    let failure = Failure::unknown_operation(self);
                    Err(Box::new((self.clone(), failure)))
                }
            };
        }
        let name = host.split(':').next().unwrap_or_default();
        let before = name.split_once(".s3.").or_else(|| name.split_once(".s3-"));
        self.host_bucket = before.map(|(bucket, _)| bucket.to_owned());
        self.operation = super::s3::operation(self);
        Ok(())
    }

    /// A parameter as a text; numbers and flags are written out.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.input.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.text(name)?.parse().ok()
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.text(name)?.parse().ok()
    }

    /// A list parameter: a JSON array, or `Name.member.1`, `Name.1`, … in a form.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match self.input.get(name) {
            Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
            Some(Value::String(one)) => vec![one.clone()],
            _ => {
                let inside = format!("{name}.");
                let mut found: Vec<(usize, String)> = self
                    .input
                    .iter()
                    .filter_map(|(key, value)| {
                        let rest = key.strip_prefix(&inside)?;
                        let index = rest.strip_prefix("member.").unwrap_or(rest).parse().ok()?;
                        Some((index, text(value)?))
                    })
                    .collect();
                found.sort();
                found.into_iter().map(|(_, value)| value).collect()
            }
        }
    }

    /// A parameter that AWS insists on.
    pub(super) fn need(&self, name: &str) -> Result<String, Failure> {
        self.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Failure::missing_parameter(self, name))
    }

    pub(super) fn render(&self, reply: Reply) -> Response<Vec<u8>> {
        super::answer::render(self, reply)
    }

    pub(super) fn refuse(&self, failure: &Failure) -> Response<Vec<u8>> {
        super::answer::refuse(self, failure)
    }
}

/// Adds a query parameter; one that repeats becomes a list.
fn add(input: &mut Map<String, Value>, name: String, value: Value) {
    match input.get_mut(&name) {
        Some(Value::Array(items)) => items.push(value),
        Some(one) => *one = Value::Array(vec![one.take(), value]),
        None => {
            input.insert(name, value);
        }
    }
}

fn request_path(request: &Request<Vec<u8>>) -> String {
    request.uri().path().to_owned()
}

pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |part: &str| decoded(&part.replace('+', " "));
            (plain(name), plain(value))
        })
        .collect()
}

/// The credential scope in the header or, for presigned links, in the query.
fn scope(request: &Request<Vec<u8>>, query: &[(String, String)]) -> Option<Scope> {
    let header = request.headers().get(http::header::AUTHORIZATION);
    let header = header
        .and_then(|text| text.to_str().ok())
        .unwrap_or_default();
    let in_query = query.iter().find(|(name, _)| name == "X-Amz-Credential");
    let (text, asymmetric) = match (header.split_once("Credential="), in_query) {
        (Some((algorithm, rest)), _) => (
            rest.split([',', ' ']).next().unwrap_or_default(),
            algorithm.contains("ECDSA"),
        ),
        (None, Some((_, value))) => (value.as_str(), false),
        (None, None) => return None,
    };
    let parts: Vec<&str> = text.split('/').collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default().to_owned();
    Some(match asymmetric {
        true => Scope {
            key: part(0),
            region: String::new(),
            service: part(2),
        },
        false => Scope {
            key: part(0),
            region: part(2),
            service: part(3),
        },
    })
}

/// The service and region that a host names: for requests without a signature.
fn guess(host: &str) -> Scope {
    let name = host.split(':').next().unwrap_or_default();
    let is_aws = name.contains(".amazonaws.");
    let labels: Vec<&str> = name.split('.').collect();
    let region = labels.iter().find(|label| label.matches('-').count() >= 2);
    Scope {
        key: String::new(),
        region: region
            .map(|region| (*region).to_owned())
            .unwrap_or_default(),
        service: match is_aws && !name.contains("s3") {
            true => labels[0].to_owned(),
            false => "s3".to_owned(),
        },
    }
}

/// The IAM prefix of a service by the name it signs with.
fn prefix_of(signs: &str) -> &str {
    match signs {
        "monitoring" => "cloudwatch",
        "s3express" | "s3-object-lambda" => "s3",
        other => palisade_model::listing::services()
            .into_iter()
            .find(|service| service.signs == other)
            .map_or(other, |service| service.prefix),
    }
}
