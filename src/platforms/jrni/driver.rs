//! The code-defined behaviour of JRNI: signing in and out, and the company that a session acts on.

use std::any::Any;

use serde_json::Value as Json;

use super::client::account::BaseUrl;
use super::client::endpoints::Endpoints;
use super::client::id;
use super::connection::Shared;
use super::{company_number, raw, told};
use crate::client::Network;
use crate::client::fields::{Fields, mark_credentials};
use crate::journal::{FormerKey, LedgerEntry, LedgerItem, NaturalKey};
use crate::operation::account::{Reachability, SignedIn};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::platform::Driver;
use crate::operation::resource::{self, Resource, ResourceRequest};
use crate::operation::spec::Boxed;
use crate::value::secret::Secret;
use crate::value::{Object, Record, Value};

pub(super) struct Jrni;

impl Driver for Jrni {
    fn open(&self, network: &Network) -> Option<Box<dyn Any + Send + Sync>> {
        Some(Box::new(Shared::new(network)))
    }

    fn address(&self, text: &str) -> Result<String, String> {
        let base = BaseUrl::parse(text).map_err(|error| error.message)?;
        Ok(base.to_string())
    }

    fn why_invalid(&self, key: &str, text: &str) -> Option<String> {
        match key {
            "company" => company_number(text).err().map(|error| error.message),
            _ => None,
        }
    }

    fn check_endpoint(&self, name: &str, text: &str) -> Option<Result<(), String>> {
        let checked = Endpoints::check(name, text);
        Some(checked.map(drop).map_err(|error| error.to_string()))
    }

    fn sign_in<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<Option<Reachability>, OpError>> {
        Box::pin(async move {
            context.jrni_client(account)?.sign_in().await?;
            Ok(None)
        })
    }

    fn sign_out<'a>(&'a self, context: &'a OpContext, account: &'a Object) -> Boxed<'a, Result<(), OpError>> {
        Box::pin(async move { Ok(context.jrni_client(account)?.log_out().await.map(drop)?) })
    }

    fn forget_tokens<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<(), OpError>> {
        Box::pin(async move { Ok(context.jrni_client(account)?.forget_tokens().await?) })
    }

    fn signed_in<'a>(
        &'a self,
        context: &'a OpContext,
        account: &'a Object,
    ) -> Boxed<'a, Result<SignedIn, OpError>> {
        Box::pin(async move {
            let signed_in = context.jrni_client(account)?.is_signed_in().await?;
            Ok(if signed_in {
                SignedIn::WhileUsed
            } else {
                SignedIn::No
            })
        })
    }

    fn secrets(&self, context: &OpContext, session: &Object) -> Result<Vec<Secret>, OpError> {
        Ok(context.jrni_client(session)?.secrets())
    }

    fn account_of(&self, session: &Object) -> Result<String, OpError> {
        super::account_of(session)
    }

    fn named_account_of(&self, session: &Object) -> Result<String, OpError> {
        super::named_account_of(session)
    }

    fn accounts_of(&self, session: &Object) -> Result<Vec<String>, OpError> {
        super::accounts_of(session)
    }

    fn identifies_account(&self, call: &Call) -> bool {
        !super::connection::acts_on_unknown_company(call)
    }

    fn with_account<'a>(
        &'a self,
        context: &'a OpContext,
        call: &'a Call,
    ) -> Boxed<'a, Result<Call, OpError>> {
        Box::pin(context.with_company(call))
    }

    fn with_known_account<'a>(&'a self, context: &'a OpContext, call: Call) -> Boxed<'a, Call> {
        Box::pin(context.with_known_company(call))
    }

    fn ask<'a>(
        &'a self,
        context: &'a OpContext,
        call: &'a Call,
        resource: &'static Resource,
        ask: ResourceRequest<'a>,
    ) -> Boxed<'a, Result<Vec<Record>, OpError>> {
        Box::pin(async move {
            let client = context.jrni(call)?;
            let items = match ask {
                ResourceRequest::List => client.items(resource.path, resource.plural).await,
                ResourceRequest::ByKey(key) => {
                    let path = resource::path(resource.by_key.unwrap_or_default(), key)?;
                    client.item(&path).await.map(|item| item.into_iter().collect())
                }
                ResourceRequest::Create(fields) => client
                    .create_item(resource.path, fields)
                    .await
                    .map(|item| vec![item]),
                ResourceRequest::ById(_) | ResourceRequest::Update(..) | ResourceRequest::Delete(_) => {
                    let message = "people and administrators are neither updated nor deleted by an operation";
                    return Err(OpError::new(Code::Internal, message));
                }
            };
            Ok(items.map_err(told)?.into_iter().map(read).collect())
        })
    }

    fn former_name(&self, call: &Call, resource: Option<&NaturalKey>) -> Option<FormerKey> {
        super::former_key(call, resource)
    }

    fn current_name(&self, item: &LedgerItem) -> Option<(String, String)> {
        super::current_name(item)
    }

    fn ledger_removals(&self, context: &OpContext, call: &Call) -> Result<Vec<LedgerEntry>, OpError> {
        Ok(raw::ledger_removals(context, call).unwrap_or_default())
    }
}

/// The fields of an item; those named like a credential are secrets, and its id is an integer.
fn read(item: Fields) -> Record {
    let number = id(&item).and_then(|id| i64::try_from(id).ok());
    let mut fields = match mark_credentials(Json::Object(item)) {
        Value::Record(fields) => fields,
        _ => Record::new(),
    };
    fields.extend(number.map(|id| ("id".to_owned(), Value::Int(id))));
    fields
}
