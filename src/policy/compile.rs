//! Policies made ready to evaluate, once for each distinct text.
//!
//! A statement becomes matchers; what could not be read becomes a gap that the decision carries
//! along. Compiling takes time linear in the text. [`Interner`] shares equal texts.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use super::condition::Test;
use super::context::{Context, Key};
use super::document::{Condition, Document, DocumentError, Effect, Span, Statement, Version};
use super::pattern::Glob;
use super::principal::{Caller, Name, Naming, PrincipalMatcher};
use super::request::Request;
use super::resource::{Resource, ResourcePattern, ResourceSet};
use super::tri::Tri;

/// A policy, ready to evaluate; or the reason why nothing is known of it.
#[derive(Debug)]
pub struct CompiledPolicy {
    pub(crate) statements: Box<[CompiledStatement]>,
    /// For each statement the services its actions may belong to, as [`service_bit`]s: most
    /// statements are passed over by this alone.
    services: Box<[u64]>,
    /// Where statements come from that were added after the last one: see
    /// [`CompiledStatement::of_sessions`].
    echoes: Box<[u32]>,
    source: Arc<str>,
    span: Span,
    /// The document is read again when somebody wants it quoted: most never are.
    document: OnceLock<Option<Box<Document>>>,
    unread: Option<Box<str>>,
}

/// One bit of 64 for a service prefix in lower case.
pub(crate) fn service_bit(service: &str) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    service.hash(&mut hasher);
    1 << (hasher.finish() >> 58)
}

#[derive(Debug)]
pub(crate) struct CompiledStatement {
    pub(crate) effect: Effect,
    actions: ActionMatcher,
    resources: ResourceMatcher,
    pub(crate) principal: PrincipalMatcher,
    pub(crate) conditions: Box<[Test]>,
    /// It uses an operator nobody knows: whether it applies cannot be told.
    pub(crate) unreadable: bool,
}

#[derive(Debug)]
struct ActionMatcher {
    patterns: Box<[ActionPattern]>,
    negated: bool,
}

/// One entry of an `Action` or `NotAction` element.
#[derive(Debug)]
struct ActionPattern {
    /// What the first bytes of a name must be, where the pattern fixes them: most names are told
    /// apart without looking at the text.
    head: u64,
    mask: u64,
    glob: Glob,
}

/// The first eight bytes of an action's name, after the service; zeros follow a shorter one.
#[inline]
pub(crate) fn name_head(action: &str) -> u64 {
    let name = action.split_once(':').map_or("", |(_, name)| name);
    head_of(name.as_bytes())
}

fn head_of(name: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = name.len().min(8);
    bytes[..length].copy_from_slice(&name[..length]);
    u64::from_be_bytes(bytes)
}

impl ActionPattern {
    fn new(text: &str) -> Self {
        let glob = Glob::new(&text.trim().to_ascii_lowercase());
        let fixed = glob.head();
        let whole = glob.as_literal().is_some();
        let name = fixed
            .iter()
            .position(|b| *b == b':')
            .map(|at| &fixed[at + 1..]);
        let (head, mask) = match name {
            None => (0, 0),
            Some(name) if whole || name.len() >= 8 => (head_of(name), u64::MAX),
            Some(name) => {
                let bits = 64 - 8 * u32::try_from(name.len()).unwrap_or(8);
                (head_of(name), u64::MAX.checked_shl(bits).unwrap_or(0))
            }
        };
        Self { head, mask, glob }
    }

    #[inline]
    fn matches(&self, action: &str, head: u64) -> bool {
        head & self.mask == self.head && self.glob.matches(action)
    }
}

#[derive(Debug)]
struct ResourceMatcher {
    patterns: Box<[ResourcePattern]>,
    negated: bool,
}

impl CompiledPolicy {
    /// Makes a policy ready to evaluate.
    pub fn compile(document: Document) -> Self {
        let variables = document.version == Version::V2012;
        let mut statements: Vec<CompiledStatement> = document
            .statements
            .iter()
            .map(|s| CompiledStatement::new(s, variables))
            .collect();
        let mut echoes = Vec::new();
        for (written, at) in document.statements.iter().zip(0..) {
            let more = statements[at as usize].of_sessions(written, variables);
            echoes.resize(echoes.len() + more.len(), at);
            statements.extend(more);
        }
        Self {
            services: statements
                .iter()
                .map(CompiledStatement::service_bits)
                .collect(),
            statements: statements.into(),
            echoes: echoes.into(),
            source: document.text,
            span: document.span,
            document: OnceLock::new(),
            unread: None,
        }
    }

    /// Reads and compiles; a text that is no policy becomes one nothing is known of.
    pub fn read(text: &str) -> Self {
        match Document::parse(text) {
            Ok(document) => Self::compile(document),
            Err(error) => Self::malformed(&error),
        }
    }

    /// A policy that is there but does not parse.
    pub fn malformed(error: &DocumentError) -> Self {
        Self::unread(&format!("malformed policy: {error}"))
    }

    /// A policy that may say anything, because it could not be read.
    pub fn unread(reason: &str) -> Self {
        Self {
            statements: Box::new([]),
            services: Box::new([]),
            echoes: Box::new([]),
            source: "".into(),
            span: Span::default(),
            document: OnceLock::new(),
            unread: Some(reason.into()),
        }
    }

    /// Why nothing is known of it, if so.
    pub fn unread_reason(&self) -> Option<&str> {
        self.unread.as_deref()
    }

    /// The policy as written, unless it could not be read.
    pub fn document(&self) -> Option<&Document> {
        if self.unread.is_some() {
            return None;
        }
        let read = || {
            Document::parse(self.span.of(&self.source))
                .ok()
                .map(Box::new)
        };
        self.document.get_or_init(read).as_deref()
    }

    /// The statement at this place, as written.
    pub fn statement(&self, index: usize) -> Option<&Statement> {
        self.document()?.statements.get(self.written(index))
    }

    /// The place, as written, of a statement.
    pub fn written(&self, index: usize) -> usize {
        let own = self.statements.len() - self.echoes.len();
        let echo = index.checked_sub(own).and_then(|at| self.echoes.get(at));
        echo.map_or(index, |at| *at as usize)
    }

    /// The statements that may speak of an action of this service, with their places.
    #[inline]
    pub(crate) fn about(&self, service: u64) -> impl Iterator<Item = (usize, &CompiledStatement)> {
        let bits = self.services.iter().enumerate();
        bits.filter(move |(_, bits)| *bits & service != 0)
            .map(|(at, _)| (at, &self.statements[at]))
    }

    /// The text of the statement at this place.
    pub fn quote(&self, index: usize) -> Option<&str> {
        let document = self.document()?;
        Some(document.quote(document.statements.get(self.written(index))?))
    }
}

/// Compiles each distinct text once and hands out shares of it.
#[derive(Debug, Default)]
pub struct Interner {
    known: FxHashMap<Arc<str>, Arc<CompiledPolicy>>,
}

impl Interner {
    /// The compiled form of this text.
    pub fn get(&mut self, text: &str) -> Arc<CompiledPolicy> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        let compiled = Arc::new(CompiledPolicy::read(text));
        let own = Arc::clone(&compiled.source);
        let key = if *own == *text { own } else { text.into() };
        self.known.insert(key, Arc::clone(&compiled));
        compiled
    }

    /// How many distinct texts it has seen.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether it has seen none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

/// A policy and the name it goes by where it is attached.
#[derive(Debug, Clone)]
pub struct Attached {
    /// An ARN, or words such as `inline policy build`.
    pub name: Arc<str>,
    /// The policy.
    pub policy: Arc<CompiledPolicy>,
}

impl Attached {
    /// Attaches a policy under a name.
    pub fn new(name: impl Into<Arc<str>>, policy: Arc<CompiledPolicy>) -> Self {
        Self {
            name: name.into(),
            policy,
        }
    }
}

impl CompiledStatement {
    fn new(statement: &Statement, variables: bool) -> Self {
        let (actions, negated) = match (&statement.actions, &statement.not_actions) {
            (Some(actions), _) => (actions, false),
            (None, not_actions) => (not_actions.as_ref().unwrap_or(&NOTHING), true),
        };
        let patterns = actions
            .iter()
            .map(|action| ActionPattern::new(action))
            .collect();
        let actions = ActionMatcher { patterns, negated };
        // Trust policies and some resource-based policies name no resource: they mean the one
        // they are attached to.
        let (resources, negated) = match (&statement.resources, &statement.not_resources) {
            (Some(resources), _) => (resources, false),
            (None, not_resources) => (not_resources.as_ref().unwrap_or(&NOTHING), true),
        };
        let patterns = resources
            .iter()
            .map(|r| ResourcePattern::new(r, variables))
            .collect();
        let resources = ResourceMatcher { patterns, negated };
        let tests: Vec<_> = statement
            .conditions
            .iter()
            .map(|c| Test::new(c, variables))
            .collect();
        let unreadable = tests.iter().any(Option::is_none);
        Self {
            effect: statement.effect,
            actions,
            resources,
            principal: PrincipalMatcher::new(statement),
            conditions: tests.into_iter().flatten().collect(),
            unreadable,
        }
    }

    /// The same statement for roles of which it names sessions: where it is not known which
    /// session of the role asks, it applies when the session has that name.
    ///
    /// `aws:userid` of a session is the role's id, a colon and the session's name ("Where you can
    /// use policy variables", IAM User Guide).
    fn of_sessions(&self, written: &Statement, variables: bool) -> Vec<Self> {
        let sessions = self.principal.sessions();
        let mut out = Vec::new();
        for ((account, role), names) in sessions {
            let test = Condition {
                operator: "StringLike".to_owned(),
                key: "aws:userid".to_owned(),
                values: names.iter().map(|name| format!("*:{name}")).collect(),
            };
            let name = Name::SomeSession {
                account: account.into(),
                role: role.into(),
            };
            let mut one = Self::new(written, variables);
            let own = one.conditions.into_iter();
            one.conditions = own.chain(Test::new(&test, false)).collect();
            one.principal = PrincipalMatcher::Named([name].into());
            out.push(one);
        }
        out
    }

    fn service_bits(&self) -> u64 {
        if self.actions.negated {
            return u64::MAX;
        }
        self.actions.patterns.iter().fold(0, |bits, pattern| {
            let head = pattern.glob.head();
            let service = head.iter().position(|b| *b == b':').map(|end| &head[..end]);
            match service.map(std::str::from_utf8) {
                Some(Ok(service)) => bits | service_bit(service),
                _ => u64::MAX,
            }
        })
    }

    /// Whether action, resource and conditions match; the principal is judged apart.
    #[inline]
    pub(crate) fn applies(&self, request: &Request) -> Tri {
        if !self.actions.matches(&request.action, request.name_head) {
            return Tri::No;
        }
        let resource = self.resources.matches(request);
        if resource == Tri::No {
            return Tri::No;
        }
        resource.and(self.conditions_hold(&request.context))
    }

    #[inline]
    pub(crate) fn conditions_hold(&self, context: &Context) -> Tri {
        let mut all = Tri::Yes;
        for test in &self.conditions {
            all = all.and(test.holds(context));
            if all == Tri::No {
                break;
            }
        }
        all
    }

    /// Whether it covers this action, in lower case.
    pub(crate) fn covers_action(&self, action: &str) -> bool {
        self.actions.matches(action, name_head(action))
    }

    pub(crate) fn resource_patterns(&self) -> &[ResourcePattern] {
        &self.resources.patterns
    }

    /// Whether it may match some resource in the set.
    pub(crate) fn may_touch(&self, set: &ResourceSet) -> bool {
        let patterns = &self.resources.patterns;
        if self.resources.negated {
            !patterns.iter().any(|p| p.must_cover(set))
        } else {
            patterns.iter().any(|p| p.may_touch(set))
        }
    }

    /// Whether it surely matches every resource in the set.
    pub(crate) fn must_cover(&self, set: &ResourceSet) -> bool {
        let patterns = &self.resources.patterns;
        if self.resources.negated {
            !patterns.iter().any(|p| p.may_touch(set))
        } else {
            patterns.iter().any(|p| p.must_cover(set))
        }
    }

    /// Whether its resources match, and nothing else asked.
    pub(crate) fn touches(&self, resource: &Resource, action: &str, context: &Context) -> Tri {
        let mut hit = Tri::No;
        for pattern in &self.resources.patterns {
            hit = hit.or(pattern.matches(resource, context));
        }
        if action == "s3:listallmybuckets" && resource.is_star() {
            hit = hit.or(Tri::Maybe);
        }
        hit.flip_if(self.resources.negated)
    }

    /// The keys it looks at that tell principals under the same policies apart.
    pub(crate) fn caller_keys(&self) -> impl Iterator<Item = &Key> {
        let tests = self.conditions.iter();
        let in_tests = tests.flat_map(|t| std::iter::once(&t.key).chain(t.variable_keys()));
        let in_resources = self.resources.patterns.iter().flat_map(|p| p.keys());
        in_tests
            .chain(in_resources)
            .filter(|key| super::engine::is_personal(key))
    }

    pub(crate) fn grants(&self, caller: &Caller) -> Option<Naming> {
        self.principal.grants(caller)
    }
}

static NOTHING: Vec<String> = Vec::new();

impl ActionMatcher {
    #[inline]
    fn matches(&self, action: &str, head: u64) -> bool {
        self.patterns.iter().any(|p| p.matches(action, head)) != self.negated
    }
}

impl ResourceMatcher {
    #[inline]
    fn matches(&self, request: &Request) -> Tri {
        let mut hit = Tri::No;
        for pattern in &self.patterns {
            hit = hit.or(pattern.matches(&request.resource, &request.context));
            if hit == Tri::Yes {
                break;
            }
        }
        if hit != Tri::Yes && request.names_all_buckets {
            // `s3:ListAllMyBuckets` takes no resource, yet AWS documents it with
            // `arn:aws:s3:::*` ("Bucket policies and user policies", S3 User Guide).
            let buckets = Resource::new("arn:aws:s3:::*");
            let named = |p: &ResourcePattern| p.matches(&buckets, &request.context) == Tri::Yes;
            if self.patterns.iter().any(named) {
                hit = Tri::Yes;
            }
        }
        hit.flip_if(self.negated)
    }
}
