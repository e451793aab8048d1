//! What a platform is: its accounts, its operations and kinds of objects, and what no table can say of it.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::account::{Reachability, SignedIn};
use super::call::Call;
use super::error::{Code, OpError};
use super::import::ImportRules;
use super::resource::{Ask, Resource};
use super::service::Service;
use super::session::connecting;
use super::spec::{Boxed, Fields, Kind, OpSpec, leak};
use super::world::World;
use crate::client::error::OwnCode;
use crate::client::{Guard, Network};
use crate::journal::{Former, LedgerItem, NaturalKey, Struck};
use crate::value::origin::Origin;
use crate::value::secret::Secret;
use crate::value::{Object, Record, Value};

/// A platform that scripts can work with.
///
/// One with accounts has an operation `connect`, which names one, unless the table has its own.
pub struct Platform {
    /// Its name in profiles and in kinds of objects: `crm`.
    pub name: &'static str,
    /// The module that holds its operations, for those that take no object: `crm`.
    pub module: &'static str,
    /// Its name in sentences: `CRM`.
    pub title: &'static str,
    /// How its accounts are described; `None` when it has none.
    pub account: Option<AccountSchema>,
    /// Its operations, group by group, in the order in which people meet them; besides those of `resources`.
    pub operations: &'static [&'static [OpSpec]],
    /// What it holds many of. Their operations and kinds are made of the descriptions.
    pub resources: &'static [Resource],
    /// The kinds of objects that its operations return.
    pub kinds: &'static [Kind],
    /// Codes of its own for failures that scripts may want to tell apart.
    pub codes: &'static [&'static OwnCode],
    /// The fields of the maps that operations return, for those whose maps are always alike.
    pub maps: &'static [(&'static [OpSpec], Fields)],
    /// The accounts below an account of the platform; `None` when there are none of the kind.
    pub sub_accounts: Option<SubAccounts>,
    /// What the importer knows of it.
    pub import: &'static ImportRules,
    /// What no table can say.
    pub driver: &'static dyn Driver,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Platform").field(&self.name).finish()
    }
}

impl Platform {
    /// A platform that has nothing but its name, which is its module's, too: what the rest of a table begins with.
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
            import: &ImportRules::NONE,
            driver: &NoDriver,
        }
    }

    /// The keys of its accounts whose values may be shown.
    pub fn texts(&self) -> &'static [AccountKey] {
        self.account.as_ref().map_or(&[], |schema| schema.texts)
    }

    /// The keys of its accounts whose values are secrets.
    pub fn secrets(&self) -> &'static [AccountKey] {
        self.account.as_ref().map_or(&[], |schema| schema.secrets)
    }

    /// The code of its own with this text.
    pub fn code(&self, text: &str) -> Option<Code> {
        let mut own = self.codes.iter().copied();
        own.find(|own| own.explanation.code == text).map(Code::Own)
    }

    /// Everything that scripts can call: `connect`, what the table lists, and what its resources make.
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
                leak(move |world: &'_ World, call: &'_ Call| -> Boxed<'_, _> {
                    Box::pin(async move { self.connect(world, call.arg("account")) })
                }),
            )));
        }
        all.extend(listed);
        for resource in self.resources {
            all.extend(resource.operations(self).into_iter().map(leak));
        }
        all
    }

    /// Every kind of object: those of the table, the session, and those of its resources.
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

    /// Does somebody sign in to its accounts? Otherwise each request carries the credential.
    pub fn signs_in(&self) -> bool {
        self.account.as_ref().is_some_and(|schema| schema.signs_in)
    }
}

impl PartialEq for Platform {
    fn eq(&self, other: &Platform) -> bool {
        self.name == other.name
    }
}

/// How the accounts of a platform are described: the keys of a profile, and of the map that `connect` takes instead.
#[derive(Debug)]
pub struct AccountSchema {
    /// The kind of object that a session is.
    pub kind: &'static str,
    /// Keys whose values may be shown, in the order in which a person is asked for them. `url` is the first.
    pub texts: &'static [AccountKey],
    /// Keys whose values are secrets.
    pub secrets: &'static [AccountKey],
    /// Fields that every session has besides, which scripts cannot see.
    pub hidden: &'static [(&'static str, &'static str)],
    /// The flags that make a profile for one, as the help of `provisor profile add` shows them, in lines.
    pub example: &'static [&'static str],
    /// Does somebody sign in? Otherwise each request carries the credential.
    pub signs_in: bool,
    /// Operations that show what an account may do when it is tried: few and cheap, without arguments, and they only
    /// read.
    pub looks: &'static [&'static str],
}

/// Accounts that are made below another one, and that may do less.
#[derive(Debug)]
pub struct SubAccounts {
    /// The kind of object whose `connect()` returns the session of one.
    pub kind: &'static str,
    /// The role, hidden in its session as `$role`.
    pub role: &'static str,
    /// When operations fail that are not for it, in the words of their tables of errors.
    pub refusal: &'static str,
}

/// One key of the description of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountKey {
    /// Its name in configuration files and scripts: `login`.
    pub name: &'static str,
    /// What it is, as a person is asked for it: `Login`.
    pub title: &'static str,
    /// Must it be given?
    pub required: bool,
    /// The key that is of no use without this one: `login`, for a password.
    pub completes: Option<&'static str>,
}

impl AccountKey {
    /// A key that must be given.
    pub const fn required(name: &'static str, title: &'static str) -> AccountKey {
        AccountKey {
            name,
            title,
            required: true,
            completes: None,
        }
    }

    /// A key that may be left out.
    pub const fn optional(name: &'static str, title: &'static str) -> AccountKey {
        AccountKey {
            required: false,
            ..AccountKey::required(name, title)
        }
    }

    /// The same key, which must be given where `key` is.
    #[must_use]
    pub const fn completing(self, key: &'static str) -> AccountKey {
        AccountKey {
            completes: Some(key),
            ..self
        }
    }
}

/// An operation of a runtime, and the platform it belongs to.
#[derive(Clone, Copy)]
pub struct Operation {
    spec: &'static OpSpec,
    platform: &'static Platform,
}

impl Operation {
    pub(super) fn new(spec: &'static OpSpec, platform: &'static Platform) -> Operation {
        Operation { spec, platform }
    }

    /// Its entry in the table.
    pub fn spec(self) -> &'static OpSpec {
        self.spec
    }

    /// Its platform.
    pub fn platform(self) -> &'static Platform {
        self.platform
    }

    /// Is it refused to the sub-accounts of its platform?
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

/// What no table can say of a platform: how to sign in, how the ledger names things, what an answer means. Every method
/// has a default for platforms that need nothing of the kind.
///
/// A driver has no state of its own. What a process keeps for a platform, such as clients and caches, is made by
/// [`Driver::open`] and found with [`World::state`].
pub trait Driver: Send + Sync {
    /// Makes what a process keeps for the platform.
    fn open(&self, network: &Network) -> Option<Box<dyn Any + Send + Sync>> {
        let _ = network;
        None
    }

    /// Makes what protects the accounts of the platform from everybody's requests. Every runtime has its own; `open` finds it
    /// on the network.
    fn guard(&self) -> Option<Arc<dyn Guard>> {
        None
    }

    // Accounts.

    /// The address of an account in one spelling, or why it cannot be one, in a sentence without a full stop.
    fn address(&self, text: &str) -> Result<String, String> {
        Ok(text.trim().trim_end_matches('/').to_owned())
    }

    /// Why no account can have this text under this key, the address apart, in a sentence without a full stop. Sends
    /// nothing.
    fn refuses(&self, key: &str, text: &str) -> Option<String> {
        let _ = (key, text);
        None
    }

    /// Can an endpoint of this name be changed to this text? The error is a sentence without a full stop. `None` when the
    /// platform's endpoints cannot be changed at all.
    fn check_endpoint(&self, name: &str, text: &str) -> Option<Result<(), String>> {
        let _ = (name, text);
        None
    }

    /// Signs in anew, with the credentials of the account, and keeps the tokens. Where nobody signs in, may ask the service
    /// for its own address, and give what it answered.
    fn sign_in<'a>(
        &'a self,
        world: &'a World,
        account: &'a Object,
    ) -> Boxed<'a, Result<Option<Reachability>, OpError>> {
        let _ = (world, account);
        Box::pin(async { Ok(None) })
    }

    /// Forgets the tokens, and has the platform forget them where it can.
    fn sign_out<'a>(&'a self, world: &'a World, account: &'a Object) -> Boxed<'a, Result<(), OpError>> {
        self.forget_tokens(world, account)
    }

    /// Forgets the tokens on this machine. Sends nothing.
    fn forget_tokens<'a>(&'a self, world: &'a World, account: &'a Object) -> Boxed<'a, Result<(), OpError>> {
        let _ = (world, account);
        Box::pin(async { Ok(()) })
    }

    /// Are tokens of the account kept? Sends nothing.
    fn signed_in<'a>(
        &'a self,
        world: &'a World,
        account: &'a Object,
    ) -> Boxed<'a, Result<SignedIn, OpError>> {
        let _ = (world, account);
        Box::pin(async { Ok(SignedIn::EachTime) })
    }

    /// The secrets that an account signs in with, as far as they are at hand. Sends nothing.
    fn secrets(&self, world: &World, session: &Object) -> Result<Vec<Secret>, OpError> {
        let _ = (world, session);
        Ok(Vec::new())
    }

    // How the ledger and the journal name things.

    /// The account that an object acts as, as the ledger names it: its address in one spelling, and what the platform says
    /// of it.
    fn account_of(&self, session: &Object) -> Result<String, OpError> {
        Ok(session.text("url").trim().trim_end_matches('/').to_owned())
    }

    /// The same account as the object alone names it, which a step's key is made of: a recorded step is found without
    /// asking the platform.
    fn named_account_of(&self, session: &Object) -> Result<String, OpError> {
        self.account_of(session)
    }

    /// Every name that the ledger may have for the account that an object acts as.
    fn accounts_of(&self, session: &Object) -> Result<Vec<String>, OpError> {
        Ok(vec![self.account_of(session)?])
    }

    /// Who an object acts as at its address, whatever its profile is called: its login in one spelling, or a credential.
    fn identity_of(&self, session: &Object) -> Value {
        session.text("login").trim().to_lowercase().into()
    }

    /// The same, told apart by the profile where accounts have no login: keys of acts are unique there, and version 1 of
    /// the journal named steps so.
    fn login_of(&self, session: &Object) -> Value {
        session.text("login").trim().to_lowercase().into()
    }

    /// Does the call's object say which account it acts on, as far as the ledger has to know?
    fn names_its_account(&self, call: &Call) -> bool {
        let _ = call;
        true
    }

    /// The call with the account that the platform signs its object in to. Signs in, unless that is known.
    fn with_account<'a>(&'a self, world: &'a World, call: &'a Call) -> Boxed<'a, Result<Call, OpError>> {
        let _ = world;
        Box::pin(async move { Ok(call.clone()) })
    }

    /// The same, when the account is known on this machine. Sends nothing.
    fn with_known_account<'a>(&'a self, world: &'a World, call: Call) -> Boxed<'a, Call> {
        let _ = world;
        Box::pin(async move { call })
    }

    /// The account of a call that was made on no object.
    fn account_of_call(&self, call: &Call) -> Result<String, OpError> {
        let _ = call;
        Ok(String::new())
    }

    /// The name of an act that was given a key.
    fn name_of_act(&self, call: &Call, key: String) -> Result<String, OpError> {
        let _ = call;
        Ok(key)
    }

    /// What an earlier version called the thing that the call makes, when by another name.
    fn former_name(&self, call: &Call, thing: Option<&NaturalKey>) -> Option<Former> {
        let _ = (call, thing);
        None
    }

    /// The account of an entry of the ledger, and its name as a call would name it now; `None` for a thing of another
    /// platform, or when names have not changed.
    fn present_name(&self, item: &LedgerItem) -> Option<(String, String)> {
        let _ = item;
        None
    }

    // What calls and their answers mean.

    /// The call with its whole address, and with the profile it goes out under, for operations that are given an address.
    fn resolve(&self, world: &World, call: Call) -> Result<Call, OpError> {
        let _ = world;
        Ok(call)
    }

    /// Notes an address that a call of any platform goes to, so that what is protected there is so in every way.
    fn note_address(&self, world: &World, url: &str) {
        let _ = (world, url);
    }

    /// Where a call goes that was made on no object.
    fn origin(&self, call: &Call) -> Option<Origin> {
        let _ = call;
        None
    }

    /// What is asked for under the key that the script gave the call; `None` for a call that has no such key.
    fn request_of(&self, call: &Call) -> Option<Value> {
        let _ = call;
        None
    }

    /// Asks the account of a call for a resource, and gives the fields of each item. Without a driver of its own a platform is
    /// a service that speaks plain HTTP and JSON, whose accounts have the keys that [`Service`] reads.
    ///
    /// What asks for one with a key or an identifier gives none where there is none.
    fn ask<'a>(
        &'a self,
        world: &'a World,
        call: &'a Call,
        resource: &'static Resource,
        ask: Ask<'a>,
    ) -> Boxed<'a, Result<Vec<Record>, OpError>> {
        Box::pin(async move {
            world
                .state::<Service>()?
                .resource(world, call, resource, ask)
                .await
        })
    }

    /// A recorded answer as this call gives it.
    fn replayed(&self, call: &Call, answer: Value) -> Result<Value, OpError> {
        let _ = call;
        Ok(answer)
    }

    /// The thing that a call removes, when it is called by a key.
    fn removes(&self, call: &Call) -> Result<Option<NaturalKey>, OpError> {
        let _ = call;
        Ok(None)
    }

    /// The entries that a call strikes out of the ledger when it is carried out, besides what its effect names.
    fn strikes(&self, world: &World, call: &Call) -> Result<Vec<Struck>, OpError> {
        let _ = (world, call);
        Ok(Vec::new())
    }

    /// Does the answer to a call that removes something say that it is gone?
    fn is_removed(&self, call: &Call, answer: &Value) -> bool {
        let _ = (call, answer);
        true
    }

    /// Does the answer say that the platform did not do it?
    fn is_failure(&self, call: &Call, answer: &Value) -> bool {
        let _ = (call, answer);
        false
    }

    /// What the platform calls the thing that a call has made.
    fn platform_id(&self, call: &Call, outcome: &Value) -> Option<String> {
        let _ = call;
        crate::journal::platform_id(outcome)
    }

    /// Is a thing that the ledger holds gone from the platform?
    fn is_gone<'a>(
        &'a self,
        world: &'a World,
        session: &'a Object,
        held: &'a Object,
    ) -> Boxed<'a, Result<bool, OpError>> {
        let _ = (world, session, held);
        Box::pin(async { Ok(false) })
    }
}

/// The driver of a platform of which the tables say everything.
#[derive(Debug)]
pub struct NoDriver;

impl Driver for NoDriver {}
