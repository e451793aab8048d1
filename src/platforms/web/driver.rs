//! The code-defined behaviour of web services: the target of a call, and the meaning of its response.

use std::any::Any;

use super::settle;
use crate::client::Network;
use crate::client::http::{Accounts, account, address};
use crate::journal::{FormerKey, LedgerEntry, NaturalKey};
use crate::operation::account::Reachability;
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::OpError;
use crate::operation::platform::Driver;
use crate::operation::spec::Boxed;
pub(crate) use crate::operation::target;
use crate::value::origin::Origin;
use crate::value::{Object, Value};

pub(super) struct Web;

impl Driver for Web {
    fn open(&self, network: &Network) -> Option<Box<dyn Any + Send + Sync>> {
        Some(Box::new(Accounts::new(network.clone())))
    }

    fn address(&self, text: &str) -> Result<String, String> {
        let base = account::base(text).map_err(|error| error.message)?;
        Ok(base.to_string())
    }

    fn why_invalid(&self, key: &str, text: &str) -> Option<String> {
        match key {
            "header" => account::header(text).err().map(|error| error.message),
            _ => None,
        }
    }

    /// Requests the service's own address, as there is no sign-in.
    fn sign_in<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<Option<Reachability>, OpError>> {
        Box::pin(async move { Ok(context.web_client(account)?.check_reachable().await?) })
    }

    fn account_of_call(&self, call: &Call) -> Result<String, OpError> {
        settle::account(call)
    }

    fn act_name(&self, call: &Call, key: String) -> Result<String, OpError> {
        settle::named(call, &key)
    }

    fn former_name(&self, call: &Call, _: Option<&NaturalKey>) -> Option<FormerKey> {
        settle::former_key(call)
    }

    fn resolve(&self, context: &OpContext, call: Call) -> Result<Call, OpError> {
        if !call.op.takes_any_address() {
            return Ok(call);
        }
        let why_invalid = |url: &str| {
            let accounts: &Accounts = context.state().ok()?;
            accounts.refusal(&address(url).ok()?)
        };
        target::resolve(context, call, why_invalid)
    }

    fn origin(&self, call: &Call) -> Option<Origin> {
        Origin::parse(&call.text("url"))
    }

    fn request_of(&self, call: &Call) -> Option<Value> {
        settle::request_of(call)
    }

    fn replayed(&self, call: &Call, answer: Value) -> Result<Value, OpError> {
        settle::replayed(call, answer)
    }

    fn removes(&self, call: &Call) -> Result<Option<NaturalKey>, OpError> {
        settle::removes(call)
    }

    fn ledger_removals(&self, _: &OpContext, call: &Call) -> Result<Vec<LedgerEntry>, OpError> {
        settle::ledger_removals(call)
    }

    fn is_removed(&self, answer: &Value) -> bool {
        settle::is_removed(answer)
    }

    fn is_failure(&self, _: &Call, answer: &Value) -> bool {
        settle::is_failure(answer)
    }

    fn platform_id(&self, call: &Call, outcome: &Value) -> Option<String> {
        settle::address_of(call, outcome)
    }
}
