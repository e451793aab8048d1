//! Requests to platforms that use plain HTTP and JSON, relative to the account's address and with its credential.

use std::fmt;

use super::call::Call;
use super::context::OpContext;
use super::error::{Code, OpError};
use super::platform::SignIn;
use super::resource::{Paging, Resource, ResourceRequest, path};
use super::session;
use crate::client::http::account::{Account, Credentials, below};
use crate::client::http::sign_in::TokenRequest;
use crate::client::http::{Accounts, Client, ServiceRequest};
use crate::client::{Body, Flight, Method, Network, Password};
use crate::value::{Object, Record, Value};

/// A client for platforms that use plain HTTP and JSON; get it with [`OpContext::state`].
///
/// A platform that describes its sign-in ([`SignIn::Request`]) gets a token, which the requests carry. Otherwise the
/// keys of an account give the credential: `bearer` (a token), `login` and `password`, or `header` and `header_value`.
pub struct Service(Accounts);

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

impl Service {
    /// Creates a service on the network of a runtime.
    pub fn new(network: &Network) -> Service {
        Service(Accounts::new(network.clone()))
    }

    /// Sends a request of a call and returns the body of the response. `path` begins with a slash and is relative to
    /// the account's address; `body` is sent as JSON unless it is `Null`.
    ///
    /// A request that changes something is sent once; the call records whether it has left, so that the journal knows
    /// what a lost response means. Errors: a status of 400 or above, no response, an unreadable credential.
    pub async fn send(
        &self,
        context: &OpContext,
        call: &Call,
        (method, path): (Method, &str),
        body: Value,
    ) -> Result<Value, OpError> {
        let session = session::receiver(call)?;
        self.ask(
            context,
            session,
            Some(&call.flight),
            (method, path),
            Vec::new(),
            body,
        )
        .await
    }

    /// Reads a path relative to an account's address.
    pub async fn get(&self, context: &OpContext, session: &Object, path: &str) -> Result<Value, OpError> {
        self.read(context, session, path, Vec::new()).await
    }

    async fn read(
        &self,
        context: &OpContext,
        session: &Object,
        path: &str,
        query: Vec<(String, Value)>,
    ) -> Result<Value, OpError> {
        self.ask(context, session, None, (Method::Get, path), query, Value::Null)
            .await
    }

    /// Sends a request for a resource, following its description; see [`Driver::ask`](super::platform::Driver::ask).
    pub(super) async fn resource(
        &self,
        context: &OpContext,
        call: &Call,
        resource: &Resource,
        ask: ResourceRequest<'_>,
    ) -> Result<Vec<Record>, OpError> {
        let by_id = |id: &str| {
            let pattern = resource.by_id.ok_or_else(|| undescribed(resource))?;
            path(pattern, id)
        };
        let session = session::receiver(call)?;
        match ask {
            ResourceRequest::List => self.list(context, session, resource).await,
            ResourceRequest::ByKey(key) => {
                let pattern = resource.by_key.ok_or_else(|| undescribed(resource))?;
                one_or_none(self.get(context, session, &path(pattern, key)?).await, resource)
            }
            ResourceRequest::ById(id) => one_or_none(self.get(context, session, &by_id(id)?).await, resource),
            ResourceRequest::Create(fields) => {
                let fields = Value::Record(fields.clone());
                let made = self
                    .send(context, call, (Method::Post, resource.path), fields)
                    .await?;
                Ok(made.as_record().cloned().into_iter().collect())
            }
            ResourceRequest::Update(id, fields) => {
                let fields = Value::Record(fields.clone());
                let answer = self
                    .send(context, call, (Method::Put, &by_id(id)?), fields)
                    .await?;
                Ok(answer.as_record().cloned().into_iter().collect())
            }
            ResourceRequest::Delete(id) => {
                self.send(context, call, (Method::Delete, &by_id(id)?), Value::Null)
                    .await?;
                Ok(Vec::new())
            }
        }
    }

    /// Reads a list to its end, or fails: a truncated list would hide existing items.
    async fn list(
        &self,
        context: &OpContext,
        session: &Object,
        resource: &Resource,
    ) -> Result<Vec<Record>, OpError> {
        let Paging::Pages { page, size, items } = resource.paging else {
            return listed(self.get(context, session, resource.path).await?, resource);
        };
        let mut all: Vec<Record> = Vec::new();
        for number in 1..=MAX_PAGES {
            let query = vec![
                (page.to_owned(), Value::Int(number)),
                (size.to_owned(), Value::Int(items)),
            ];
            let found = listed(self.read(context, session, resource.path, query).await?, resource)?;
            let is_last = i64::try_from(found.len()).is_ok_and(|found| found < items);
            if !found.is_empty() && all.ends_with(&found) {
                let message = format!(
                    "page {number} of the list of {} repeats the previous page",
                    resource.plural
                );
                return Err(OpError::new(Code::UnreadableAnswer, message));
            }
            all.extend(found);
            if is_last {
                return Ok(all);
            }
        }
        let message = format!("the list of {} has more than {MAX_PAGES} pages", resource.plural);
        Err(OpError::new(Code::UnreadableAnswer, message))
    }

    async fn ask(
        &self,
        context: &OpContext,
        session: &Object,
        flight: Option<&Flight>,
        (method, path): (Method, &str),
        query: Vec<(String, Value)>,
        body: Value,
    ) -> Result<Value, OpError> {
        let http_request = ServiceRequest {
            method,
            url: below(session.text("url"), path)?,
            query,
            headers: Vec::new(),
            body: match body {
                Value::Null => Body::None,
                body => Body::Json(body),
            },
            bearer: None,
            basic: None,
            timeout: None,
        };
        let client = self.client(context, session)?;
        Ok(client.send_checked(http_request, flight).await?.body)
    }

    /// Returns the client of an account. Sends nothing.
    fn client(&self, context: &OpContext, session: &Object) -> Result<Client, OpError> {
        let settings = context.settings(session)?;
        let lacks = |key: &str| OpError::new(Code::BadProfile, format!("the account has no {key}"));
        let text = |key: &str| Some(session.text(key).to_owned()).filter(|text| !text.is_empty());
        let credentials = match sign_in_of(context, session) {
            SignIn::Request(request) => {
                let login = request.login.iter().map(|(field, key)| {
                    let text = text(key).ok_or_else(|| lacks(key))?;
                    Ok(((*field).to_owned(), text))
                });
                let (field, key) = request.password;
                Credentials::SignIn(TokenRequest {
                    path: request.path.to_owned(),
                    login: login.collect::<Result<_, OpError>>()?,
                    password: (
                        field.to_owned(),
                        session::required_credential(context, session, key)?,
                    ),
                    token: request.token.to_owned(),
                    lifetime: request.lifetime.map(str::to_owned),
                })
            }
            SignIn::None | SignIn::Driver => {
                credentials(text, |key| session::credential(context, session, key), lacks)?
            }
        };
        let account = Account {
            name: session.text("$profile").to_owned(),
            url: session.text("url").to_owned(),
            credentials,
            reply: settings.reply,
        };
        Ok(self.0.client(&account, &settings.connect_options))
    }

    /// Returns the client of an account that signs in as its platform describes; `None` for others.
    pub(super) fn sign_in_client(context: &OpContext, session: &Object) -> Result<Option<Client>, OpError> {
        match sign_in_of(context, session) {
            SignIn::Request(_) => Ok(Some(context.state::<Service>()?.client(context, session)?)),
            SignIn::None | SignIn::Driver => Ok(None),
        }
    }
}

/// Returns how the account of a session signs in.
fn sign_in_of(context: &OpContext, session: &Object) -> SignIn {
    let platform = context.catalogue().platform_of(session);
    let schema = platform.and_then(|platform| platform.account.as_ref());
    schema.map_or(SignIn::None, |schema| schema.sign_in)
}

/// More pages indicate a list that never ends.
const MAX_PAGES: i64 = 10_000;

/// Returns the items of a list response.
fn listed(answer: Value, resource: &Resource) -> Result<Vec<Record>, OpError> {
    let list = match (resource.items, answer) {
        (Some(field), Value::Record(mut answer)) => answer.remove(field),
        (None, answer) => Some(answer),
        _ => None,
    };
    let records = |items: Vec<Value>| {
        let item = |item| {
            if let Value::Record(item) = item {
                Some(item)
            } else {
                None
            }
        };
        items.into_iter().map(item).collect::<Option<Vec<Record>>>()
    };
    let items = if let Some(Value::List(items)) = list {
        records(items)
    } else {
        None
    };
    items.ok_or_else(|| {
        let message = format!("the platform's list of {} cannot be read", resource.plural);
        OpError::new(Code::UnreadableAnswer, message)
    })
}

/// Returns the item of a response; none if the platform says it does not exist.
fn one_or_none(answer: Result<Value, OpError>, resource: &Resource) -> Result<Vec<Record>, OpError> {
    match answer {
        Ok(Value::Record(item)) => Ok(vec![item]),
        Ok(_) => {
            let message = format!("the platform's response contains no {}", resource.name);
            Err(OpError::new(Code::UnreadableAnswer, message))
        }
        Err(error) if error.status == Some(404) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn undescribed(resource: &Resource) -> OpError {
    let message = format!(
        "the description of {} does not define how to request one",
        resource.plural
    );
    OpError::new(Code::Internal, message)
}

/// Returns the credentials of an account from its keys. Only one counts: the bearer token, else login and password,
/// else the header's value. `lacks` creates the error for a missing key that another one needs.
pub(crate) fn credentials(
    text: impl Fn(&str) -> Option<String>,
    secret: impl Fn(&str) -> Result<Option<Password>, OpError>,
    lacks: impl Fn(&str) -> OpError,
) -> Result<Credentials, OpError> {
    if let Some(token) = secret("bearer")? {
        return Ok(Credentials::Bearer(token));
    }
    let needed = |key: &str| secret(key)?.ok_or_else(|| lacks(key));
    match (text("login"), text("header")) {
        (Some(login), _) => Ok(Credentials::Basic(login, needed("password")?)),
        (None, Some(header)) => Ok(Credentials::Header(header, needed("header_value")?)),
        (None, None) => Ok(Credentials::None),
    }
}
