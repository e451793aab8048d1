//! The definition of a platform: its accounts, operations, kinds of objects, and a driver for what the tables cannot
//! express.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::account::{Reachability, SignedIn};
use super::call::Call;
use super::context::OpContext;
use super::error::{Code, OpError};
use super::import::ImportRules;
use super::limit::OBJECT;
use super::resource::{Resource, ResourceRequest};
use super::service::Service;
use super::session::{LOGIN, connecting};
use super::spec::{Boxed, Fields, Kind, OpSpec, leak};
use crate::client::error::OwnCode;
use crate::client::{Guard, Network};
use crate::journal::{FormerKey, LedgerEntry, LedgerItem, NaturalKey};
use crate::value::origin::Origin;
use crate::value::secret::Secret;
use crate::value::{Object, Record, Value};

/// A platform that scripts can use.
///
/// A platform with accounts has an operation `connect`, which names one, unless the table defines its own.
pub struct Platform {
    /// The name in profiles and in kinds of objects: `crm`.
    pub name: &'static str,
    /// The module of the operations that are not methods: `crm`.
    pub module: &'static str,
    /// The name in messages: `CRM`.
    pub title: &'static str,
    /// The description of its accounts; `None` if it has none.
    pub account: Option<AccountSchema>,
    /// The operations, in groups, in display order; without those of `resources`.
    pub operations: &'static [&'static [OpSpec]],
    /// The resources. Their operations and kinds are generated from the descriptions.
    pub resources: &'static [Resource],
    /// The kinds of objects that its operations return.
    pub kinds: &'static [Kind],
    /// Platform-specific codes for failures that scripts may want to distinguish.
    pub codes: &'static [&'static OwnCode],
    /// The fields of the maps that operations return, where they are always the same.
    pub maps: &'static [(&'static [OpSpec], Fields)],
    /// The accounts below an account of the platform; `None` if there are none.
    pub sub_accounts: Option<SubAccounts>,
    /// Binds a call to an address to a session. With it, the operations that [take an
    /// address](OpSpec::takes_any_address) are methods of the platform's sessions, too, with the same parameters.
    pub bind: Option<BindFn>,
    /// The importer's rules.
    pub import: &'static ImportRules,
    /// The behaviour that the tables cannot express.
    pub driver: &'static dyn Driver,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Platform").field(&self.name).finish()
    }
}

impl Platform {
    /// Creates a platform with only a name, also used for its module, as the base of a table.
    pub const fn new(name: &'static str, title: &'static str) -> Platform {
        Platform {
            name,
            module: name,
            title,
            account: None,
            operations: &[],
            resources: &[],
            kinds: &[],
            codes: &[],
            maps: &[],
            sub_accounts: None,
            bind: None,
            import: &ImportRules::NONE,
            driver: &NoDriver,
        }
    }

    /// Returns the account keys whose values may be shown.
    pub fn texts(&self) -> &'static [AccountKey] {
        self.account.as_ref().map_or(&[], |schema| schema.texts)
    }

    /// Returns the account keys whose values are secrets.
    pub fn secrets(&self) -> &'static [AccountKey] {
        self.account.as_ref().map_or(&[], |schema| schema.secrets)
    }

    /// Returns the platform-specific code with this text.
    pub fn code(&self, text: &str) -> Option<Code> {
        let mut own = self.codes.iter().copied();
        own.find(|own| own.explanation.code == text).map(Code::Own)
    }

    /// Returns all operations for scripts: `connect`, those in the table, and those of its resources.
    pub(super) fn own_operations(&'static self) -> Vec<&'static OpSpec> {
        let listed: Vec<&OpSpec> = self.operations.iter().copied().flatten().collect();
        let connects = |spec: &&OpSpec| spec.receiver.is_none() && spec.name == "connect";
        let mut all = Vec::new();
        if let Some(schema) = self.account.as_ref().filter(|_| !listed.iter().any(connects)) {
            all.push(leak(connecting(
                self.module,
                schema.kind,
                "Name the account to work with",
                "",
                format!("{}::connect().url", self.module).leak(),
                leak(move |context: &'_ OpContext, call: &'_ Call| -> Boxed<'_, _> {
                    Box::pin(async move { self.connect(context, call.arg("account")) })
                }),
            )));
        }
        all.extend(listed);
        for resource in self.resources {
            all.extend(resource.operations(self).into_iter().map(leak));
        }
        all
    }

    /// Returns all kinds of objects: those in the table, the session, and those of its resources.
    pub(super) fn own_kinds(&'static self) -> Vec<&'static Kind> {
        let mut all: Vec<&'static Kind> = self.kinds.iter().collect();
        if let Some(schema) = &self.account
            && !all.iter().any(|kind| kind.name == schema.kind)
        {
            let keys = schema.texts.iter().map(|key| (key.name, "string", key.title));
            all.push(leak(Kind {
                name: schema.kind,
                summary: format!("An account of {}", self.title).leak(),
                properties: keys.collect::<Vec<_>>().leak(),
            }));
        }
        all.extend(self.resources.iter().map(|resource| leak(resource.to_kind())));
        all
    }

    /// Whether its accounts have a sign-in. Otherwise each request carries the credential.
    pub fn signs_in(&self) -> bool {
        let schema = self.account.as_ref();
        schema.is_some_and(|schema| schema.sign_in != SignIn::None)
    }
}

impl PartialEq for Platform {
    fn eq(&self, other: &Platform) -> bool {
        self.name == other.name
    }
}

/// The description of a platform's accounts: the keys of a profile, and of the map that `connect` accepts.
#[derive(Debug)]
pub struct AccountSchema {
    /// The kind of session objects.
    pub kind: &'static str,
    /// The keys whose values may be shown, in the order of the prompts. The first is `url`.
    pub texts: &'static [AccountKey],
    /// The keys whose values are secrets.
    pub secrets: &'static [AccountKey],
    /// Additional fields of every session, invisible to scripts.
    pub hidden: &'static [(&'static str, &'static str)],
    /// The flags that create a profile, line by line, as the help of `provisor profile add` shows them.
    pub example: &'static [&'static str],
    /// How accounts sign in.
    pub sign_in: SignIn,
    /// Operations that show what an account may do: few, cheap, without arguments, and read-only.
    pub test_operations: &'static [&'static str],
}

/// How accounts of a platform sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignIn {
    /// They do not: each request carries the credential.
    None,
    /// The platform's [`Driver`] signs in.
    Driver,
    /// A request returns a token, which the other requests carry as a bearer token. For platforms that use plain HTTP
    /// and JSON.
    Request(SignInRequest),
}

/// A request that exchanges a login and a password for a token: a `POST` with a JSON body, answered with a JSON object.
/// Tokens are kept, shared by all runs, and renewed before they expire or once they are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInRequest {
    /// The path below the account's address: `/login`.
    pub path: &'static str,
    /// The fields of the body, each with the account key of its value: `("email", "login")`.
    pub login: &'static [(&'static str, &'static str)],
    /// The field of the body for the password, and the account key of the password.
    pub password: (&'static str, &'static str),
    /// The field of the response that holds the token.
    pub token: &'static str,
    /// The field of the response that holds the lifetime of the token, in seconds. Without it, a token is renewed after
    /// a day.
    pub lifetime: Option<&'static str>,
}

/// Fills the address and the account of a session into a call, so that it is the same call as without the session.
pub type BindFn = fn(&Object, Call) -> Result<Call, OpError>;

/// Accounts that belong to another one and have fewer rights.
#[derive(Debug)]
pub struct SubAccounts {
    /// The kind of object whose `connect()` returns a sub-account's session.
    pub kind: &'static str,
    /// The role, a hidden field `$role` of the session.
    pub role: &'static str,
    /// The text by which the error tables of operations mark those that sub-accounts may not use.
    pub refusal: &'static str,
}

/// A key in the description of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountKey {
    /// The name in configuration files and scripts: `login`.
    pub name: &'static str,
    /// The title shown in prompts: `Login`.
    pub title: &'static str,
    /// Whether it is required.
    pub required: bool,
    /// The key that is useless without this one: `login`, for a password.
    pub completes: Option<&'static str>,
}

impl AccountKey {
    /// Creates a required key.
    pub const fn required(name: &'static str, title: &'static str) -> AccountKey {
        AccountKey {
            name,
            title,
            required: true,
            completes: None,
        }
    }

    /// Creates an optional key.
    pub const fn optional(name: &'static str, title: &'static str) -> AccountKey {
        AccountKey {
            required: false,
            ..AccountKey::required(name, title)
        }
    }

    /// Makes the key required wherever `key` is given.
    #[must_use]
    pub const fn completing(self, key: &'static str) -> AccountKey {
        AccountKey {
            completes: Some(key),
            ..self
        }
    }
}

/// An operation of a runtime, with its platform.
#[derive(Clone, Copy)]
pub struct Operation {
    spec: &'static OpSpec,
    platform: &'static Platform,
}

impl Operation {
    pub(super) fn new(spec: &'static OpSpec, platform: &'static Platform) -> Operation {
        Operation { spec, platform }
    }

    /// Returns the entry in the table.
    pub fn spec(self) -> &'static OpSpec {
        self.spec
    }

    /// Returns the platform.
    pub fn platform(self) -> &'static Platform {
        self.platform
    }

    /// Returns the kind of object that has it as a method, if there is one; `object` for a method of every kind.
    pub fn method_kind(self) -> Option<&'static str> {
        let session = || {
            let binds = self.platform.bind.is_some() && self.spec.takes_any_address();
            let account = self.platform.account.as_ref().filter(|_| binds);
            account.map(|account| account.kind)
        };
        self.spec.receiver.or_else(session)
    }

    /// Whether objects of this kind have it as a method.
    pub fn is_method_of(self, kind: &str) -> bool {
        self.method_kind().is_some_and(|own| own == kind || own == OBJECT)
    }

    /// Returns the signature as a method, if it is one: `session.get(url, [options])`.
    pub fn method_signature(self) -> String {
        self.spec.signature_on(self.method_kind())
    }

    /// Whether sub-accounts of its platform may not use it.
    pub fn is_refused_to_sub_accounts(self) -> bool {
        let below = self.platform.sub_accounts.as_ref();
        below.is_some_and(|below| self.spec.errors.iter().any(|(_, when)| *when == below.refusal))
    }

    pub(crate) fn driver(self) -> &'static dyn Driver {
        self.platform.driver
    }
}

impl Deref for Operation {
    type Target = OpSpec;

    fn deref(&self) -> &OpSpec {
        self.spec
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spec.id())
    }
}

/// The behaviour of a platform that the tables cannot express: how to sign in, how the ledger names things, how to
/// interpret responses. Every method has a default for platforms that do not need it.
///
/// A driver is stateless. The per-process state of a platform, such as clients and caches, is created by
/// [`Driver::open`] and returned by [`OpContext::state`].
pub trait Driver: Send + Sync {
    /// Creates the per-process state of the platform.
    fn open(&self, network: &Network) -> Option<Box<dyn Any + Send + Sync>> {
        let _ = network;
        None
    }

    /// Creates the guard that protects the platform's accounts from requests of any platform. Every runtime has its
    /// own; `open` finds it on the network.
    fn guard(&self) -> Option<Arc<dyn Guard>> {
        None
    }

    // Accounts.

    /// Normalizes the address of an account. The error, a sentence without a full stop, says why it is invalid.
    fn address(&self, text: &str) -> Result<String, String> {
        Ok(text.trim().trim_end_matches('/').to_owned())
    }

    /// Returns why this text is invalid under this key (other than the address), in a sentence without a full stop.
    /// Sends nothing.
    fn why_invalid(&self, key: &str, text: &str) -> Option<String> {
        let _ = (key, text);
        None
    }

    /// Checks a new text for this endpoint. The error is a sentence without a full stop. `None` if the platform's
    /// endpoints cannot be changed.
    fn check_endpoint(&self, name: &str, text: &str) -> Option<Result<(), String>> {
        let _ = (name, text);
        None
    }

    /// Signs in again with the credentials of the account, and stores the tokens. Without a sign-in, may request the
    /// service's own address instead and return its reachability. The default of this and the next three methods is for
    /// a sign-in that the platform describes ([`SignIn::Request`]).
    fn sign_in<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<Option<Reachability>, OpError>> {
        Box::pin(async move {
            if let Some(client) = Service::sign_in_client(context, account)? {
                client.sign_in().await?;
            }
            Ok(None)
        })
    }

    /// Deletes the tokens, and revokes them on the platform where possible.
    fn sign_out<'a>(&'a self, context: &'a OpContext, account: &'a Object) -> Boxed<'a, Result<(), OpError>> {
        self.forget_tokens(context, account)
    }

    /// Deletes the tokens on this machine. Sends nothing.
    fn forget_tokens<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<(), OpError>> {
        Box::pin(async move {
            match Service::sign_in_client(context, account)? {
                Some(client) => Ok(client.forget_tokens().await?),
                None => Ok(()),
            }
        })
    }

    /// Returns the sign-in status of the account. Sends nothing.
    fn signed_in<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<SignedIn, OpError>> {
        Box::pin(async move {
            match Service::sign_in_client(context, account)? {
                Some(client) => Ok(SignedIn::until(client.signed_in_until().await?)),
                None => Ok(SignedIn::EachTime),
            }
        })
    }

    /// Returns the secrets that an account signs in with, as far as they are loaded. Sends nothing.
    fn secrets(&self, context: &OpContext, session: &Object) -> Result<Vec<Secret>, OpError> {
        let client = Service::sign_in_client(context, session)?;
        Ok(client.map_or_else(Vec::new, |client| client.secrets()))
    }

    // Names in the ledger and the journal.

    /// Returns the ledger name of the account that an object uses: its normalized address, the login of a described
    /// sign-in, and details from the platform.
    fn account_of(&self, session: &Object) -> Result<String, OpError> {
        let url = session.text("url").trim().trim_end_matches('/');
        Ok(match session.text(LOGIN) {
            "" => url.to_owned(),
            login => format!("{url} {login}"),
        })
    }

    /// Returns the account as named by the object alone, for the step key: a recorded step is found without a request
    /// to the platform.
    fn named_account_of(&self, session: &Object) -> Result<String, OpError> {
        self.account_of(session)
    }

    /// Returns all ledger names of the account that an object uses.
    fn accounts_of(&self, session: &Object) -> Result<Vec<String>, OpError> {
        Ok(vec![self.account_of(session)?])
    }

    /// Returns the identity that an object uses at its address, independent of the profile's name: its normalized
    /// login, or a credential.
    fn identity_of(&self, session: &Object) -> Value {
        match session.text(LOGIN) {
            "" => session.text("login").trim().to_lowercase().into(),
            login => login.into(),
        }
    }

    /// Like [`Driver::identity_of`], with the profile as the identity where accounts have no login: keys of acts are
    /// unique there, and version 1 of the journal named steps this way.
    fn login_of(&self, session: &Object) -> Value {
        self.identity_of(session)
    }

    /// Whether the call's object identifies its account, as far as the ledger needs.
    fn identifies_account(&self, call: &Call) -> bool {
        let _ = call;
        true
    }

    /// Adds the account that the object is signed in to. Signs in if it is unknown.
    fn with_account<'a>(
        &'a self,
        context: &'a OpContext,
        call: &'a Call,
    ) -> Boxed<'a, Result<Call, OpError>> {
        let _ = context;
        Box::pin(async move { Ok(call.clone()) })
    }

    /// Adds the account if it is known on this machine. Sends nothing.
    fn with_known_account<'a>(&'a self, context: &'a OpContext, call: Call) -> Boxed<'a, Call> {
        let _ = context;
        Box::pin(async move { call })
    }

    /// Returns the account of a call that is not a method call.
    fn account_of_call(&self, call: &Call) -> Result<String, OpError> {
        let _ = call;
        Ok(String::new())
    }

    /// Returns the name of an act with a key.
    fn act_name(&self, call: &Call, key: String) -> Result<String, OpError> {
        let _ = call;
        Ok(key)
    }

    /// Returns the name under which an earlier version recorded the resource of the call, if different.
    fn former_name(&self, call: &Call, resource: Option<&NaturalKey>) -> Option<FormerKey> {
        let _ = (call, resource);
        None
    }

    /// Returns the account of a ledger entry, and its name under the current rules; `None` for an entry of another
    /// platform, or if names have not changed.
    fn current_name(&self, item: &LedgerItem) -> Option<(String, String)> {
        let _ = item;
        None
    }

    // The meaning of calls and their responses.

    /// Resolves the full address and the profile of a call, for operations that take an address.
    fn resolve(&self, context: &OpContext, call: Call) -> Result<Call, OpError> {
        let _ = context;
        Ok(call)
    }

    /// Receives the address of a call of any platform, so that a resource protected there is protected in every way.
    fn note_address(&self, context: &OpContext, url: &str) {
        let _ = (context, url);
    }

    /// Returns the destination of a call that is not a method call.
    fn origin(&self, call: &Call) -> Option<Origin> {
        let _ = call;
        None
    }

    /// Returns the request that the script gave a key; `None` for a call without one.
    fn request_of(&self, call: &Call) -> Option<Value> {
        let _ = call;
        None
    }

    /// Sends a request for a resource to the account of a call, and returns the fields of each item. The default is for
    /// a service that uses plain HTTP and JSON, whose accounts have the keys that [`Service`] reads.
    ///
    /// A request by key or identifier returns no items if there is none.
    fn ask<'a>(
        &'a self,
        context: &'a OpContext,
        call: &'a Call,
        resource: &'static Resource,
        ask: ResourceRequest<'a>,
    ) -> Boxed<'a, Result<Vec<Record>, OpError>> {
        Box::pin(async move {
            context
                .state::<Service>()?
                .resource(context, call, resource, ask)
                .await
        })
    }

    /// Converts a recorded response to the result of this call.
    fn replayed(&self, call: &Call, answer: Value) -> Result<Value, OpError> {
        let _ = call;
        Ok(answer)
    }

    /// Returns the resource that a call removes, if it is identified by a key.
    fn removes(&self, call: &Call) -> Result<Option<NaturalKey>, OpError> {
        let _ = call;
        Ok(None)
    }

    /// Returns the ledger entries that a successful call removes, besides those of its effect.
    fn ledger_removals(&self, context: &OpContext, call: &Call) -> Result<Vec<LedgerEntry>, OpError> {
        let _ = (context, call);
        Ok(Vec::new())
    }

    /// Whether the response to a removing call confirms that the resource is gone.
    fn is_removed(&self, answer: &Value) -> bool {
        let _ = answer;
        true
    }

    /// Whether the response reports that the platform did not carry out the call.
    fn is_failure(&self, call: &Call, answer: &Value) -> bool {
        let _ = (call, answer);
        false
    }

    /// Returns the platform's identifier of the resource that a call created.
    fn platform_id(&self, call: &Call, outcome: &Value) -> Option<String> {
        let _ = call;
        crate::journal::platform_id(outcome)
    }

    /// Whether a resource in the ledger no longer exists on the platform.
    fn is_gone<'a>(
        &'a self,
        context: &'a OpContext,
        session: &'a Object,
        held: &'a Object,
    ) -> Boxed<'a, Result<bool, OpError>> {
        let _ = (context, session, held);
        Box::pin(async { Ok(false) })
    }
}

/// The driver of a platform that is fully described by its tables.
#[derive(Debug)]
pub struct NoDriver;

impl Driver for NoDriver {}
