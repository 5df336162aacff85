//! Credentials: from the chain, from assumed roles, kept while they are good.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Provided,
};
use palisade_model::{Gap, Observed, SessionPolicy, session_policies};
use tokio::sync::Mutex;

use crate::clients::sdk;
use crate::engine::{Place, Session};
use crate::outcome::chain;

/// Keeps what another provider gave until a fifth of its life is left, and asks it from one
/// task at a time. The SDK's own cache holds few identities and drops any of them; this one
/// belongs to one account and goes with it.
pub(crate) struct Kept {
    inner: SharedCredentialsProvider,
    held: Mutex<Option<(Credentials, Option<SystemTime>)>>,
}

impl Kept {
    pub(crate) fn keep(inner: SharedCredentialsProvider) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Kept {
            inner,
            held: Mutex::default(),
        })
    }

    async fn provide(&self) -> Result<Credentials, CredentialsError> {
        let mut held = self.held.lock().await;
        let now = SystemTime::now();
        if let Some((credentials, until)) = held.as_ref()
            && until.is_none_or(|until| now < until)
        {
            return Ok(credentials.clone());
        }
        let fresh = self.inner.provide_credentials().await?;
        let until = fresh.expiry().map(|expiry| {
            let life = expiry.duration_since(now).unwrap_or_default();
            now + life.mul_f64(0.8)
        });
        *held = Some((fresh.clone(), until));
        Ok(fresh)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(self.provide())
    }
}

/// How a role is entered.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) role: String,
    pub(crate) session_name: String,
    pub(crate) external_id: Option<String>,
}

/// A role, entered from another place under a session policy.
struct Assumed {
    from: Arc<Place>,
    entry: Entry,
    policy: String,
}

impl fmt::Debug for Assumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Assumed({})", self.entry.role)
    }
}

/// An hour: the most that a role entered from another role gives. Source: "Role chaining", IAM
/// User Guide.
const LIFE: Duration = Duration::from_secs(3_600);

impl Assumed {
    /// Assumes the role; a refusal is a gap in `sts:AssumeRole`.
    async fn assume(&self) -> Observed<Credentials> {
        let sts = sdk!(aws_sdk_sts, &self.from, "sts");
        let answer = self.from.ask("sts:AssumeRole", || {
            sts.assume_role()
                .role_arn(&self.entry.role)
                .role_session_name(&self.entry.session_name)
                .set_external_id(self.entry.external_id.clone())
                .duration_seconds(LIFE.as_secs() as i32)
                .policy(&self.policy)
                .send()
        });
        match answer.await {
            Observed::Value(answer) => match answer.credentials {
                Some(given) => Observed::Value(Credentials::new(
                    given.access_key_id,
                    given.secret_access_key,
                    Some(given.session_token),
                    SystemTime::try_from(given.expiration).ok(),
                    "palisade",
                )),
                None => Gap::new("sts:AssumeRole", palisade_model::GapKind::Unparsable).into(),
            },
            other => other.map(|_| unreachable!("only a value holds an answer")),
        }
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async {
            match self.assume().await {
                Observed::Value(credentials) => Ok(credentials),
                other => {
                    let said = other.gap().map(Gap::to_string).unwrap_or_default();
                    Err(CredentialsError::provider_error(said))
                }
            }
        })
    }
}

/// Enters a role: one session for each session policy, so that together they can do what the
/// scan policy lists and nothing else. The first is entered at once, to know whether the door
/// opens; the others when they are needed.
pub(crate) async fn enter(
    from: &Arc<Place>,
    entry: &Entry,
    content: bool,
) -> Result<Vec<Session>, Gap> {
    let mut sessions = Vec::new();
    for SessionPolicy { services, document } in session_policies(content) {
        let assumed = Assumed {
            from: from.clone(),
            entry: entry.clone(),
            policy: document,
        };
        let mut held = None;
        if sessions.is_empty() {
            match assumed.assume().await {
                Observed::Value(credentials) => {
                    let until = credentials.expiry().map(|expiry| {
                        let now = SystemTime::now();
                        now + expiry.duration_since(now).unwrap_or_default().mul_f64(0.8)
                    });
                    held = Some((credentials, until));
                }
                other => {
                    let gap = other.gap().cloned();
                    return Err(gap.unwrap_or_else(|| Gap::not_collected("sts:AssumeRole")));
                }
            }
        }
        let kept = Kept {
            inner: SharedCredentialsProvider::new(assumed),
            held: Mutex::new(held),
        };
        sessions.push(Session {
            services,
            credentials: SharedCredentialsProvider::new(kept),
        });
    }
    Ok(sessions)
}

/// What the credential chain said, in words for people.
pub(crate) fn said(error: &CredentialsError) -> String {
    chain(error)
}

/// Whether an error code speaks of credentials that were good once.
pub(crate) fn is_expired(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired"
    )
}
