//! Sub-accounts: created by the partner call, found in the master's App 1, "My Sub Accounts".

use std::ops::ControlFlow;

use serde_json::Value as Json;

use super::Client;
use super::account::BaseUrl;
use super::paging::{Entry, Listing};
use super::wire::{self, Fields};
pub(crate) use crate::client::answer::Answer;
use crate::client::error::{ApiError, ApiErrorKind};
use crate::transport::request::{Body, Method};
use crate::value::secret::Secret;
use crate::value::{Record, Value, identity};

/// The master's app whose objects are its sub-accounts (partner manual).
pub(super) const SUB_ACCOUNTS_APP: u64 = 1;

/// A newly created sub-account. Its password is returned only this once.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTenant {
    /// Its address as returned by the platform, never derived from a name.
    pub url: BaseUrl,
    /// The login.
    pub email: String,
    /// The phone number, if the platform returns one.
    pub phone: Option<String>,
    /// The one-time password.
    pub password: Secret,
    /// The tenant's name as contained in its address.
    pub name: String,
}

/// A row of "My Sub Accounts".
#[derive(Debug, Clone, PartialEq)]
pub struct TenantRow {
    /// The row's own id.
    pub id: Option<Value>,
    /// The login as written there; empty if the row has none.
    pub email: String,
    /// Its address. Derived from server and tenant name only if the row has none.
    pub url: Option<BaseUrl>,
    /// The tenant's name.
    pub name: Option<String>,
    /// The initial password, stored in clear text on the platform. Not updated when the client changes it.
    pub password: Option<Secret>,
    /// All columns as received; those named like a credential are secrets.
    pub attributes: Value,
}

impl Client {
    /// Creates a sub-account. Never retried if it may have been carried out.
    ///
    /// An unusable response is an error with `sent: Maybe`: the sub-account may exist.
    pub async fn create_partner(&self, email: &str) -> Result<NewTenant, ApiError> {
        let field = self.endpoints().get("partner_email_field").to_owned();
        let body = Record::from([(field, Value::from(email))]);
        let request = self
            .request(Method::Post, self.endpoints().get("partners"))?
            .timeout(self.0.timeouts.tenant_creation)
            .body(Body::Json(Value::Record(body)));
        let answer = self.call(request).await?;
        new_tenant(&answer, email)
    }

    /// Lists all sub-accounts of a master account.
    pub async fn tenants(&self) -> Result<Vec<TenantRow>, ApiError> {
        let mut rows: Vec<TenantRow> = Vec::new();
        self.for_each_tenant_page(|page| {
            rows.extend(page);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(rows)
    }

    /// The sub-account with this e-mail address, compared in normalized form. Pages after its own are not read.
    ///
    /// Two rows with the address are a [`ApiErrorKind::Conflict`], since it is unclear which is meant.
    pub async fn find_tenant(&self, email: &str) -> Result<Option<TenantRow>, ApiError> {
        let wanted = normalized_email(email);
        let mut found: Vec<TenantRow> = Vec::new();
        self.for_each_tenant_page(|page| {
            found.extend(
                page.into_iter()
                    .filter(|row| normalized_email(&row.email) == wanted),
            );
            if found.is_empty() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })
        .await?;
        match found.len() {
            0 | 1 => Ok(found.pop()),
            count => {
                let host = self.account().base.host();
                let message = format!(
                    "{host} lists {count} sub-accounts with the address {}",
                    email.trim()
                );
                Err(ApiError::new(ApiErrorKind::Conflict, message))
            }
        }
    }

    /// Continues reading the list of sub-accounts; entries are named by normalized e-mail address. Other columns are
    /// dropped, as no caller needs them.
    pub async fn read_tenants_on(&self, listing: &mut Listing<TenantRow>) -> Result<(), ApiError> {
        self.read_on(
            self.endpoints().get("objects"),
            &self.in_app_one(),
            listing,
            |item| Some(entry(item)),
        )
        .await
    }

    /// The sub-accounts with this normalized e-mail address on one page of the list.
    pub async fn tenants_on_page(&self, page: i64, email: &str) -> Result<Vec<TenantRow>, ApiError> {
        let path = self.endpoints().get("objects");
        self.named_on_page(path, &self.in_app_one(), (page, email), |item| Some(entry(item)))
            .await
    }

    fn in_app_one(&self) -> [(&str, Value); 1] {
        let field = self.endpoints().get("objects_app_field");
        [(field, Value::from(SUB_ACCOUNTS_APP.to_string()))]
    }

    async fn for_each_tenant_page(
        &self,
        mut each: impl FnMut(Vec<TenantRow>) -> ControlFlow<()> + Send,
    ) -> Result<(), ApiError> {
        let path = self.endpoints().get("objects");
        let mut seen: Vec<Value> = Vec::new();
        self.for_each_page(path, &self.in_app_one(), |items| {
            let mut rows: Vec<TenantRow> = items.iter().map(row).collect();
            // A row that moved to the next page during reading is counted once.
            rows.retain(|row| row.id.as_ref().is_none_or(|id| !seen.contains(id)));
            seen = rows.iter().filter_map(|row| row.id.clone()).collect();
            each(rows)
        })
        .await
    }
}

fn entry(item: &Fields) -> Entry<TenantRow> {
    let row = row(item);
    let attributes = Value::Null;
    Entry {
        name: normalized_email(&row.email),
        id: None,
        item: TenantRow { attributes, ..row },
    }
}

fn normalized_email(email: &str) -> String {
    identity::email(email).unwrap_or_else(|| identity::name(email))
}

fn new_tenant(answer: &Answer, email: &str) -> Result<NewTenant, ApiError> {
    let json = answer.json()?;
    let top = json
        .as_object()
        .ok_or_else(|| answer.unreadable("it is not an object"))?;
    let fields = match (wire::field(top, &["url"]), first_of_data(top)) {
        (None, Some(inner)) => inner,
        _ => top,
    };
    let nothing = Fields::new();
    let credentials = wire::field(fields, &["authentication"])
        .and_then(Json::as_object)
        .unwrap_or(&nothing);
    let missing = |what: &str| answer.unreadable(&format!("it contains no {what}"));
    let url = wire::text(fields, &["url"]).ok_or_else(|| missing("`url`"))?;
    let url = BaseUrl::parse(&url).map_err(|_| answer.unreadable("its `url` is not an address"))?;
    let password = wire::secret(credentials, &["password"])
        .or_else(|| wire::secret(fields, &["password"]))
        .ok_or_else(|| missing("`authentication.password`"))?;
    let email = wire::text(credentials, &["email", "login"]).unwrap_or_else(|| email.trim().to_owned());
    Ok(NewTenant {
        name: url.tenant().to_owned(),
        url,
        email,
        phone: wire::text(credentials, &["phone"]),
        password,
    })
}

/// The resource inside an envelope. The manual shows none for this call, but all others have one.
fn first_of_data(top: &Fields) -> Option<&Fields> {
    let data = top.get("data")?;
    let item = data.get(0).unwrap_or(data).as_object()?;
    Some(wire::attributes(item))
}

/// Reads a row in the manual's vocabulary (`UserLogin`, `TenantName`, …) or the later one (`Email`, `tenant`, …).
fn row(item: &Fields) -> TenantRow {
    let columns = wire::attributes(item);
    let text = |names: &[&str]| wire::text(columns, names);
    let name = text(&["tenant", "TenantName"]);
    let url = text(&["url"])
        .and_then(|url| BaseUrl::parse(&url).ok())
        .or_else(|| derived(&text(&["server", "ServerName"])?, name.as_ref()?));
    let id = wire::id_in(item, &["id"]);
    let name = name.or_else(|| url.as_ref().map(|url| url.tenant().to_owned()));
    let email = text(&["Email", "UserLogin"]).unwrap_or_default();
    let password = wire::secret(columns, &["defaultPassword", "UserPassword"]);
    let attributes = wire::mark_credentials(Json::Object(columns.clone()));
    TenantRow {
        id,
        email,
        url,
        name,
        password,
        attributes,
    }
}

/// Derives the address of a row that has none, in the documented form of Mobsted's hosts. An IP address cannot have
/// subdomains, so such a server is the tenant's own.
fn derived(server: &str, tenant: &str) -> Option<BaseUrl> {
    let server = server
        .split_once("://")
        .map_or(server, |(_, host)| host)
        .trim_end_matches('/');
    let is_name = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
    };
    if server.is_empty() || !is_name(server) || !is_name(tenant) {
        return None;
    }
    let host = server.split(':').next().unwrap_or(server);
    if host.parse::<std::net::Ipv4Addr>().is_ok() {
        return BaseUrl::parse(server).ok();
    }
    BaseUrl::parse(&format!("https://{tenant}-admin.{server}")).ok()
}
