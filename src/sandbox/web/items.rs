//! Collections of simulated plain HTTP and JSON services: `/items` of the web service, and those that a host program
//! describes. Their events and state.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::address::Style;
use super::super::call::{Call, Page, decoded};
use super::super::form::{Fields, text};
use super::super::platform::{PlatformState, Refusal};
use super::super::reply::Reply;
use super::super::serve::Site;
use super::super::snapshot::{Account, Book, Part, Place, PlatformCounts, SimulatedResource};
use super::super::{SimulatedAccount, token};
use super::{Action, error, missing};

/// The web service among the services: the first label of its host.
const WEB: &str = "api";

/// A service that the sandbox simulates for a host program, at `https://NAME.web.sandbox`.
///
/// It accepts any credential, and with a sign-in the tokens that it has returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulatedService {
    /// Its name, the first label of its host.
    pub name: String,
    /// Its collections.
    pub collections: Vec<Collection>,
    /// Its sign-in, if requests need a token.
    #[serde(default)]
    pub sign_in: Option<SimulatedSignIn>,
}

/// The sign-in of a simulated service: a `POST` with a JSON body, answered with a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulatedSignIn {
    /// The path: `/login`.
    pub path: String,
    /// The fields that the body must have.
    pub fields: Vec<String>,
    /// The field of the response that holds the token.
    pub token: String,
    /// The field of the response that holds the token's lifetime in seconds: an hour.
    pub lifetime: Option<String>,
}

/// A collection of a simulated service: listed, created, read, changed and deleted like any REST resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// The kind of its items, as in a ledger: `contact`.
    pub kind: String,
    /// The path of the list, with a slash first: `/contacts`. `GET` lists, `POST` creates.
    pub path: String,
    /// The path of an item, with `{id}` in it.
    pub by_id: Option<String>,
    /// The path that reads an item by its natural key, with `{key}` in it.
    pub by_key: Option<String>,
    /// The field that holds the natural key.
    pub key: String,
    /// Whether keys that differ only in case are equal.
    pub ignores_case: bool,
    /// The field of a list's response that holds the items; without one the response is the list.
    pub items: Option<String>,
    /// The query parameters for the number of a page, from 1, and for the number of items on it.
    pub pages: Option<(String, String)>,
}

/// A change: as requested, with the number 0 for a new item, and as decided and recorded in the log. Each alias is the
/// name of the request in logs before format 6.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Event {
    /// A service was described, for the first time or again.
    Described(SimulatedService),
    /// An item was created.
    #[serde(alias = "create")]
    Created {
        #[serde(default)]
        id: u64,
        #[serde(default)]
        of: CollectionId,
        fields: Fields,
    },
    /// An item has these fields and no others.
    #[serde(alias = "replace")]
    Changed { id: u64, fields: Fields },
    /// An item was to have these fields besides those it has; `Changed` follows.
    Change { id: u64, fields: Fields },
    /// An item was deleted.
    #[serde(alias = "delete")]
    Deleted { id: u64 },
    /// A token of a service was issued.
    #[serde(alias = "sign_in")]
    SignedIn { service: String, token: String },
    /// A token has expired.
    Expired { token: String },
}

/// The collection that an item belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct CollectionId {
    service: String,
    kind: String,
}

/// All collections.
#[derive(Debug)]
pub(in crate::sandbox) struct State {
    services: Vec<SimulatedService>,
    items: BTreeMap<u64, (CollectionId, Fields)>,
    /// The valid tokens, with the service of each.
    tokens: BTreeMap<String, String>,
    last: u64,
    pub(in crate::sandbox) totals: WebTotals,
}

/// The collections, for assertions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebBook {
    /// Every item of `/items`, oldest first, with its `id`.
    pub items: Vec<Value>,
    /// Every item of the services that a host program describes, oldest first.
    #[serde(default)]
    pub described: Vec<DescribedItem>,
    /// What was done since the world was made.
    pub totals: WebTotals,
}

/// An item of a service that a host program describes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribedItem {
    /// The service that has it.
    pub service: String,
    /// Its kind.
    pub kind: String,
    /// The platform's identifier.
    pub id: u64,
    /// Its natural key; empty if it has none.
    pub key: String,
    /// Its fields.
    pub fields: Map<String, Value>,
}

/// Things done to the collections, counted from the durable log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebTotals {
    /// Items created.
    pub created: u64,
    /// Changes of items.
    pub changed: u64,
    /// Items deleted.
    pub deleted: u64,
    /// Effects that came after their connection had died.
    pub landed_late: u64,
}

/// The account of the simulated web service. It accepts any token.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WebAccount {
    /// The URL by path, for clients that do not know the sandbox.
    #[serde(skip)]
    pub plain_url: String,
}

impl Part for WebAccount {
    const KEY: &'static str = "web";
}

impl Account for WebAccount {
    fn located(self, place: &Place) -> WebAccount {
        WebAccount {
            plain_url: place.urls(WEB, "web").1,
        }
    }

    fn profile(self) -> SimulatedAccount {
        SimulatedAccount {
            platform: "web",
            texts: vec![("url", format!("https://{WEB}.web.sandbox"))],
            secrets: vec![("bearer", "of-the-sandbox".to_owned())],
            place: format!("a web service at {}", self.plain_url),
            details: vec!["no sign-in".to_owned()],
            files: &[],
        }
    }
}

impl Part for WebBook {
    const KEY: &'static str = "web";
}

impl Book for WebBook {
    fn counts(&self) -> PlatformCounts {
        let items = self.items.len() + self.described.len();
        PlatformCounts::new("Web", vec![("items", items)], &self.totals)
    }

    fn resources(&self) -> Vec<SimulatedResource> {
        let items = self.items.iter().map(|item| {
            let mut fields = item.as_object().cloned().unwrap_or_default();
            fields.remove("id");
            let reference = fields.get("reference").and_then(|name| name.as_str());
            SimulatedResource {
                kind: "http".to_owned(),
                name: reference.unwrap_or_default().to_owned(),
                label: serde_json::Value::Object(fields).to_string(),
                ..SimulatedResource::default()
            }
        });
        let described = self.described.iter().map(|item| SimulatedResource {
            kind: item.kind.clone(),
            label: serde_json::Value::Object(item.fields.clone()).to_string(),
            name: item.key.clone(),
            id: item.id.to_string(),
            account: format!("//{}.web.sandbox", item.service),
            numbered: true,
        });
        items.chain(described).collect()
    }
}

impl Default for CollectionId {
    /// `/items` of the web service, the only collection in logs before format 4.
    fn default() -> CollectionId {
        CollectionId {
            service: WEB.to_owned(),
            kind: "item".to_owned(),
        }
    }
}

impl Default for State {
    fn default() -> State {
        State {
            services: vec![SimulatedService {
                name: WEB.to_owned(),
                collections: vec![Collection {
                    kind: CollectionId::default().kind,
                    path: "/items".to_owned(),
                    by_id: Some("/items/{id}".to_owned()),
                    by_key: None,
                    key: "reference".to_owned(),
                    ignores_case: false,
                    items: Some("items".to_owned()),
                    pages: None,
                }],
                sign_in: None,
            }],
            items: BTreeMap::new(),
            tokens: BTreeMap::new(),
            last: 0,
            totals: WebTotals::default(),
        }
    }
}

impl PlatformState for State {
    const NAME: &'static str = "web";

    type Event = Event;
    type Account = WebAccount;
    type Book = WebBook;

    fn describe(&self, services: &[SimulatedService]) -> Vec<Event> {
        self.unknown_of(services)
            .into_iter()
            .map(Event::Described)
            .collect()
    }

    fn decide(&self, mut event: Event) -> Result<Event, Refusal> {
        let known = |id: u64| {
            let missing = || Refusal::new(StatusCode::NOT_FOUND, format!("there is no item {id}"));
            self.items.get(&id).ok_or_else(missing)
        };
        match &mut event {
            Event::Created { id, .. } => *id = self.last + 1,
            Event::Change { id, fields } => {
                let (id, mut all) = (*id, known(*id)?.1.clone());
                all.append(fields);
                return Ok(Event::Changed { id, fields: all });
            }
            Event::Changed { id, .. } | Event::Deleted { id } => {
                known(*id)?;
            }
            _ => {}
        }
        Ok(event)
    }

    fn apply(&mut self, event: Event, _: i64) {
        match event {
            Event::Described(service) => {
                self.services.retain(|known| known.name != service.name);
                self.services.push(service);
            }
            Event::Created { id, of, fields } => {
                self.totals.created += 1;
                self.last = self.last.max(id);
                self.items.insert(id, (of, fields));
            }
            Event::Changed { id, fields } | Event::Change { id, fields } => {
                self.totals.changed += 1;
                if let Some(item) = self.items.get_mut(&id) {
                    item.1 = fields;
                }
            }
            Event::Deleted { id } => {
                self.totals.deleted += 1;
                self.items.remove(&id);
            }
            Event::SignedIn { service, token } => {
                self.tokens.insert(token, service);
            }
            Event::Expired { token } => {
                self.tokens.remove(&token);
            }
        }
    }

    fn landed_late(&mut self) -> &mut u64 {
        &mut self.totals.landed_late
    }

    fn account(&self) -> WebAccount {
        WebAccount::default()
    }

    fn book(&self) -> WebBook {
        let web = CollectionId::default();
        let described = self.items.iter().filter(|(_, (of, _))| *of != web);
        WebBook {
            items: self.of(&web).map(|(id, fields)| shown(id, fields)).collect(),
            described: described
                .map(|(id, (of, fields))| DescribedItem {
                    service: of.service.clone(),
                    kind: of.kind.clone(),
                    id: *id,
                    key: self
                        .collection(of)
                        .and_then(|collection| collection.key_of(fields))
                        .unwrap_or_default(),
                    fields: fields.clone(),
                })
                .collect(),
            totals: self.totals.clone(),
        }
    }
}

impl State {
    /// Returns the services that are unknown to this world or described differently.
    pub(super) fn unknown_of(&self, services: &[SimulatedService]) -> Vec<SimulatedService> {
        let unknown = services.iter().filter(|service| !self.services.contains(service));
        unknown.cloned().collect()
    }

    fn service(&self, name: &str) -> Option<&SimulatedService> {
        self.services.iter().find(|service| service.name == name)
    }

    fn collection(&self, of: &CollectionId) -> Option<&Collection> {
        let mut collections = self.service(&of.service)?.collections.iter();
        collections.find(|collection| collection.kind == of.kind)
    }

    fn of(&self, place: &CollectionId) -> impl Iterator<Item = (u64, &Fields)> {
        let items = self.items.iter().filter(move |(_, (of, _))| of == place);
        items.map(|(id, (_, fields))| (*id, fields))
    }

    /// Returns the first item of a target's collection with this key, as written.
    fn with_key(&self, target: &Target, key: &str) -> Option<(u64, &Fields)> {
        let key = Some(target.collection.normalized(key));
        self.of(&target.place)
            .find(|(_, fields)| target.collection.key_of(fields) == key)
    }
}

impl Collection {
    /// Returns the natural key of an item, normalized.
    fn key_of(&self, fields: &Fields) -> Option<String> {
        Some(self.normalized(fields.get(&self.key)?.as_str()?))
    }

    fn normalized(&self, key: &str) -> String {
        if self.ignores_case {
            key.trim().to_lowercase()
        } else {
            key.trim().to_owned()
        }
    }
}

/// The target of a request.
struct Target {
    place: CollectionId,
    collection: Collection,
    /// The path segment for `{id}`.
    id: Option<String>,
    /// The path segment for `{key}`. Without either, the target is the list.
    key: Option<String>,
}

impl Target {
    fn is_list(&self) -> bool {
        self.id.is_none() && self.key.is_none()
    }
}

/// Returns the name of the requested service, from its host: `crm` for `crm.web.sandbox`.
fn service_of(call: &Call) -> &str {
    let named = match &call.style {
        Style::Host(host) => host.split_once(".web.sandbox").map(|(name, _)| name),
        Style::Path(_) => None,
    };
    named.unwrap_or(WEB)
}

/// Returns the requested collection; `None` if the path belongs to none.
fn target(site: &Site, call: &Call) -> Option<Target> {
    let path = format!("/{}", call.path.trim_end_matches('/'));
    let segment = |pattern: &Option<String>, placeholder: &str| {
        placeholder_segment(pattern.as_deref()?, placeholder, &path)
    };
    site.read(|state: &State| {
        let service = state.service(service_of(call))?;
        service.collections.iter().find_map(|collection| {
            let is_list = path == collection.path.trim_end_matches('/');
            let id = segment(&collection.by_id, "{id}").filter(|_| !is_list);
            let key = segment(&collection.by_key, "{key}").filter(|_| !is_list);
            (is_list || id.is_some() || key.is_some()).then(|| Target {
                place: CollectionId {
                    service: service.name.clone(),
                    kind: collection.kind.clone(),
                },
                collection: collection.clone(),
                id,
                key,
            })
        })
    })
}

/// Returns the path segment in place of the pattern's placeholder.
fn placeholder_segment(pattern: &str, placeholder: &str, path: &str) -> Option<String> {
    let (before, behind) = pattern.split_once(placeholder)?;
    let part = path.strip_prefix(before)?.strip_suffix(behind)?;
    (!part.is_empty() && !part.contains('/')).then(|| decoded(part))
}

/// Reads the sign-in of the requested service; `None` if it has none.
fn with_sign_in<T>(site: &Site, call: &Call, read: impl FnOnce(&SimulatedSignIn) -> T) -> Option<T> {
    site.read(|state: &State| state.service(service_of(call))?.sign_in.as_ref().map(read))
}

/// Returns whether the request is one to the sign-in of a service.
pub(super) fn is_sign_in(site: &Site, call: &Call) -> bool {
    let path = format!("/{}", call.path.trim_end_matches('/'));
    with_sign_in(site, call, |sign_in| sign_in.path.trim_end_matches('/') == path).unwrap_or_default()
}

/// Returns the refusal of a request without a valid token, if its service has a sign-in.
fn unauthorised(site: &Site, call: &Call) -> Option<Reply> {
    with_sign_in(site, call, |_| ())?;
    let knows = |token: &str| {
        site.read(|state: &State| state.tokens.get(token).is_some_and(|of| of == service_of(call)))
    };
    let refused = || error(StatusCode::UNAUTHORIZED, "the token is missing or not valid");
    (!call.bearer().is_some_and(knows)).then(refused)
}

/// Returns the event that ends the token of a request to a service with a sign-in.
pub(super) fn expiry(site: &Site, call: &Call) -> Option<Event> {
    with_sign_in(site, call, |_| ())?;
    let token = call.bearer()?.to_owned();
    Some(Event::Expired { token })
}

fn sign_in(site: &Site, call: &Call) -> Result<Action, Reply> {
    if call.method != Method::POST {
        return Err(super::not_allowed());
    }
    let given = call.fields().unwrap_or_default();
    let is_missing = |name: &&String| text(&given, name).trim().is_empty();
    let needed = with_sign_in(site, call, |sign_in| sign_in.fields.clone()).unwrap_or_default();
    if let Some(name) = needed.iter().find(is_missing) {
        return Err(error(StatusCode::UNAUTHORIZED, &format!("{name} is required")));
    }
    Ok(Action::Do(Event::SignedIn {
        service: service_of(call).to_owned(),
        token: token::random(),
    }))
}

fn signed_in(site: &Site, service: &str, token: &str) -> Reply {
    let described = site.read(|state: &State| state.service(service)?.sign_in.clone());
    let mut fields = Fields::new();
    if let Some(sign_in) = described {
        fields.insert(sign_in.token, token.into());
        fields.extend(sign_in.lifetime.map(|name| (name, Value::from(3600))));
    }
    Reply::ok(&Value::Object(fields))
}

/// Returns whether faults count the request as one to a collection.
pub(super) fn is_for_items(call: &Call) -> bool {
    call.segments().first() == Some(&"items") || service_of(call) != WEB
}

/// Decides what a request to a collection or a sign-in leads to; `None` if it is for neither.
pub(super) fn plan(site: &Site, call: &Call) -> Option<Result<Action, Reply>> {
    if is_sign_in(site, call) {
        return Some(sign_in(site, call));
    }
    let target = target(site, call)?;
    Some(match unauthorised(site, call) {
        Some(refused) => Err(refused),
        None => planned(site, call, &target),
    })
}

fn planned(site: &Site, call: &Call, target: &Target) -> Result<Action, Reply> {
    let fields = || {
        let read = call.fields().ok_or_else(|| {
            let text = "the body is not a JSON object, a form or multipart";
            error(StatusCode::BAD_REQUEST, text)
        });
        read.map(|mut fields| {
            fields.remove("id");
            fields
        })
    };
    let id = || {
        let id = target.id.as_deref().ok_or_else(super::not_allowed)?;
        let is_of_target = |id: &u64| {
            site.read(|state: &State| {
                let item = state.items.get(id);
                item.is_some_and(|(of, _)| *of == target.place)
            })
        };
        let found = id.parse().ok().filter(is_of_target);
        found.ok_or_else(|| missing(&format!("there is no item {id}")))
    };
    let is_list = target.is_list();
    match call.method.as_str() {
        "GET" | "HEAD" if is_list => Ok(Action::Show(list(site, call, target))),
        "GET" | "HEAD" => {
            // If the path can name a key or an identifier, it is the key if an item has it.
            let key = target.key.as_deref();
            let found = site.read(|state: &State| {
                let (id, fields) = state.with_key(target, key?)?;
                Some(shown(id, fields))
            });
            match (found, key) {
                (Some(item), _) => Ok(Action::Show(Reply::ok(&item))),
                (None, Some(key)) if target.id.is_none() => {
                    Err(missing(&format!("there is no {} {key}", target.collection.kind)))
                }
                (None, _) => show(site, id()?, StatusCode::OK).map(Action::Show),
            }
        }
        "POST" if is_list => Ok(Action::Do(Event::Created {
            id: 0,
            of: target.place.clone(),
            fields: fields()?,
        })),
        "PUT" if !is_list && target.place == CollectionId::default() => Ok(Action::Do(Event::Changed {
            id: id()?,
            fields: fields()?,
        })),
        // A described service keeps the fields that a PUT leaves out, as most services do.
        "PUT" | "PATCH" if !is_list => Ok(Action::Do(Event::Change {
            id: id()?,
            fields: fields()?,
        })),
        "DELETE" if !is_list => Ok(Action::Do(Event::Deleted { id: id()? })),
        _ => Err(super::not_allowed()),
    }
}

/// Returns the response to a change that was made.
pub(super) fn done(site: &Site, event: Event) -> Reply {
    let shown = match event {
        Event::Created { id, .. } => show(site, id, StatusCode::CREATED),
        Event::Changed { id, .. } => show(site, id, StatusCode::OK),
        Event::SignedIn { service, token } => Ok(signed_in(site, &service, &token)),
        _ => Ok(Reply::empty(StatusCode::NO_CONTENT)),
    };
    shown.unwrap_or_else(|refused| refused)
}

/// Whether the request would create an item whose natural key exists already.
pub(super) fn is_repeat(site: &Site, call: &Call) -> bool {
    let repeats = || {
        let target = target(site, call).filter(Target::is_list)?;
        let fields = call.fields()?;
        let key = fields.get(&target.collection.key)?.as_str()?;
        Some(site.read(|state: &State| state.with_key(&target, key).is_some()))
    };
    call.method == Method::POST && repeats().unwrap_or_default()
}

/// Lists the items, with `?FIELD=KEY` those of a natural key, in pages if the collection has pages.
fn list(
    site: &Site,
    call: &Call,
    Target {
        place, collection, ..
    }: &Target,
) -> Reply {
    let key = call.parameter(&collection.key);
    let key = key.map(|key| collection.normalized(&key));
    let mut items: Vec<Value> = site.read(|state: &State| {
        let has = |fields: &Fields| key.is_none() || collection.key_of(fields) == key;
        let of = state.of(place).filter(|(_, fields)| has(fields));
        of.map(|(id, fields)| shown(id, fields)).collect()
    });
    let mut total = items.len();
    if let Some((page, size)) = &collection.pages
        && let (Some(number), Some(size)) = (call.number(page), call.number(size))
    {
        let number = number.max(1);
        (items, total) = Page { number, size }.of(items);
    }
    match &collection.items {
        Some(field) => Reply::ok(&json!({ "total": total, field: items })),
        None => Reply::ok(&Value::Array(items)),
    }
}

fn show(site: &Site, id: u64, status: StatusCode) -> Result<Reply, Reply> {
    let item = site.read(|state: &State| state.items.get(&id).map(|(_, fields)| shown(id, fields)));
    item.map(|item| Reply::json(status, &item))
        .ok_or_else(|| missing(&format!("there is no item {id}")))
}

fn shown(id: u64, fields: &Fields) -> Value {
    let mut item = fields.clone();
    item.insert("id".to_owned(), id.into());
    Value::Object(item)
}
