//! Converts requests to calls of operations: recognizes platforms and requests by the platforms' import rules, and finds
//! the accounts that the requests use.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::account::{self, ImportedProfile};
use super::body::{self, Encoding, Payload};
use super::code::{Code, Converted, Kind, quoted};
use super::collection::{self, Collection, Field, Request, Variable};
use super::credentials::{name_is_secret, scrubbed};
use super::variables::{Findings, Part, Values, is_secret, parts};
use crate::operation::catalogue::Catalogue;
use crate::operation::import::{ApiRoot, ImportArg, ImportRoute, Mark, RouteMeaning};
use crate::operation::platform::Platform;
use crate::operation::spec::{OpSpec, Type};

/// Headers that provisor sets itself.
pub(super) const OMITTED: &[&str] = &[
    "content-length",
    "host",
    "postman-token",
    "connection",
    "accept-encoding",
    "transfer-encoding",
];

/// Headers that every session sends itself, or that do not affect the meaning.
const OWN_HEADERS: &[&str] = &["cache-control", "user-agent"];

/// Query fields for paging: operations read the whole list.
const PAGING: &[&str] = &["page", "pagesize", "perpage", "per_page"];

/// The query field that bypasses caches: operations never use a cached response.
const CACHE_BUSTER: &str = "_";

const SIGN_IN_NOTE: &str = "provisor signs in by itself when an operation needs it";

/// The sessions of a script.
#[derive(Debug)]
pub(super) struct Sessions<'a> {
    catalogue: &'a Catalogue,
    profile: Option<&'a ImportedProfile>,
    evidence: Evidence,
    /// What requests to an account show of it, by its address.
    accounts: BTreeMap<String, Account>,
    found: Vec<Session>,
    /// The sessions used by the function being written.
    pub(super) used: BTreeSet<String>,
}

/// A session of `main`.
#[derive(Debug)]
struct Session {
    platform: &'static Platform,
    base: String,
    name: String,
    /// The expression that creates it.
    code: String,
    /// The part of its account that it acts on, with variables resolved; empty if unspecified.
    part: String,
    /// Whether a profile holds its account.
    is_profile: bool,
    /// The credentials of its account that requests carry, resolved; empty until one does.
    credentials: Vec<String>,
    is_used: bool,
}

/// The fields of an account, as requests to it contain them.
#[derive(Debug)]
struct Account {
    /// The unresolved values, by key.
    fields: BTreeMap<&'static str, String>,
    /// The folder variables of the first such request.
    variables: Vec<Variable>,
}

/// An address on a platform, split into the account's address and the path.
#[derive(Debug, Clone, PartialEq)]
struct Site {
    platform: &'static Platform,
    /// The account's address as written, with variables unresolved.
    written: String,
    /// The same address with known variables resolved; it identifies the account.
    base: String,
    /// The path segments below the API root; a variable is `{{name}}`.
    path: Vec<String>,
}

/// Platforms with addresses of accounts on them, whatever their host name.
type Evidence = BTreeSet<(&'static str, String)>;

/// Returns the platform and the account's address of the first request whose host is that of an environment variable.
pub(super) fn site_of(
    catalogue: &Catalogue,
    collection: &Collection,
    environment: &[Variable],
) -> Option<(&'static Platform, String)> {
    let refused = BTreeSet::new();
    let mut values = Values::new(&collection.variables, environment, refused, Findings::default());
    let evidence = evidence(catalogue, collection, &mut values);
    collection.requests.iter().find_map(|request| {
        values.enter(&request.variables);
        let site = site(catalogue, &request.address.base, &evidence, &values)?;
        let leads = |variable: &Variable| {
            let value = values.expanded(&variable.value);
            !is_secret(variable) && collection::host(&value) == collection::host(&site.base)
        };
        let is_own = environment.iter().any(leads);
        is_own.then_some((site.platform, site.base))
    })
}

impl<'a> Sessions<'a> {
    /// Searches the collection for the accounts that it uses.
    pub(super) fn find(
        catalogue: &'a Catalogue,
        collection: &Collection,
        profile: Option<&'a ImportedProfile>,
        values: &mut Values,
    ) -> Sessions<'a> {
        let mut evidence = evidence(catalogue, collection, values);
        evidence.extend(profile.map(|profile| (profile.platform.name, trimmed(profile.text("url")))));
        let mut sessions = Sessions {
            catalogue,
            profile,
            evidence,
            accounts: BTreeMap::new(),
            found: Vec::new(),
            used: BTreeSet::new(),
        };
        for request in &collection.requests {
            values.enter(&request.variables);
            if let Some(site) = sessions.site(request, values) {
                sessions.collect_account(request, site, values);
            }
        }
        sessions
    }

    /// The sessions that any function uses, in the order in which they were found: names, and the expressions that
    /// create them.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let used = self.found.iter().filter(|session| session.is_used);
        used.map(|session| (session.name.as_str(), session.code.as_str()))
    }

    /// Converts a request to a call of an operation of its platform; `None` if no operation does exactly this, or if the
    /// request carries the credential of another account than the session's. Fails if variables are circular or grow too
    /// large.
    pub(super) fn convert(
        &mut self,
        request: &Request,
        values: &mut Values,
    ) -> Result<Option<Converted>, String> {
        let Some(site) = self.site(request, values) else {
            return Ok(None);
        };
        let index = self.session(&site, values)?;
        let session = &self.found[index];
        let asked = PlatformRequest::new(request, site, values);
        let mut call = None;
        let mut carried = Vec::new();
        if let Some(matched) = asked.route() {
            let credentials = asked.credentials(matched.route).into_iter();
            let credentials = credentials.map(|(_, text)| values.resolved(&text));
            carried.extend(credentials.filter(|credential| !credential.is_empty()));
            let is_known = |credential: &String| session.credentials.contains(credential);
            if !session.credentials.is_empty() && !carried.iter().all(is_known) {
                return Ok(None);
            }
            call = match matched.route.meaning {
                RouteMeaning::SignIn(_) => return Ok(Some(Converted::omitted(SIGN_IN_NOTE))),
                RouteMeaning::ByItself(sentence) => return Ok(Some(Converted::omitted(sentence))),
                RouteMeaning::Call(op, args) => match self.catalogue.operation(op) {
                    Some(op) => asked.call(session, &matched, &op, args, values)?,
                    None => None,
                },
            };
        }
        if call.is_none() {
            carried.clear();
            call = asked.raw_call(self.catalogue, &session.name, values)?;
        }
        if call.is_some() {
            let session = &mut self.found[index];
            session.is_used = true;
            if session.credentials.is_empty() {
                session.credentials = carried;
            }
            self.used.insert(session.name.clone());
        }
        Ok(call)
    }

    /// The site of a request; `None` if it belongs to no known platform.
    fn site(&self, request: &Request, values: &Values) -> Option<Site> {
        site(self.catalogue, &request.address.base, &self.evidence, values)
    }

    /// Collects the account fields in a request; the first value of a field wins. Registers the credentials that the
    /// script will not contain.
    fn collect_account(&mut self, request: &Request, site: Site, values: &mut Values) {
        let asked = PlatformRequest::new(request, site, values);
        let mut fields = Vec::new();
        if let Some(matched) = asked.route() {
            for (_, text) in asked.credentials(matched.route) {
                values.hide(&text);
            }
            fields = asked.sign_in(&matched);
        }
        request.credentials().for_each(|text| values.hide(text));
        for (name, key) in asked.site.platform.import.headers {
            let field = key.zip(request.header(name));
            fields.extend(field.map(|(key, value)| (key, value.to_owned())));
        }
        fields.retain(|(_, text)| !text.trim().is_empty());
        if fields.is_empty() {
            return;
        }
        let account = self.accounts.entry(asked.site.base).or_insert_with(|| Account {
            fields: BTreeMap::new(),
            variables: request.variables.clone(),
        });
        for (key, text) in fields {
            if name_is_secret(key) {
                values.hide(&text);
            }
            account.fields.entry(key).or_insert(text);
        }
    }

    /// Returns the index of the session for a site. A platform's first account uses the profile made from the
    /// environment, if any, or the active profile if no request signs in.
    fn session(&mut self, site: &Site, values: &mut Values) -> Result<usize, String> {
        let is_same = |session: &Session| session.platform == site.platform && session.base == site.base;
        if let Some(index) = self.found.iter().position(is_same) {
            return Ok(index);
        }
        // The parameters of a session belong to `main`, not to the function of the request.
        let outer = std::mem::take(&mut values.used);
        let made = self.connect(site, values);
        values.used = outer;
        self.found.push(made?);
        Ok(self.found.len() - 1)
    }

    /// Makes the session for a site that has none.
    fn connect(&self, site: &Site, values: &mut Values) -> Result<Session, String> {
        let platform = site.platform;
        let mut session = Session {
            platform,
            base: site.base.clone(),
            name: match self.found.len() {
                0 => "session".to_owned(),
                many => format!("session_{}", many + 1),
            },
            code: String::new(),
            part: String::new(),
            is_profile: true,
            credentials: Vec::new(),
            is_used: false,
        };
        let module = platform.module;
        let scope = platform.import.scope.map(|scope| scope.key);
        let is_first = !self.found.iter().any(|session| session.platform == platform);
        let profile = self.profile.filter(|profile| profile.platform == platform);
        let account = self.accounts.get(&site.base);
        let given = |key: &str| account.and_then(|account| account.fields.get(key));
        let has_secret = platform.secrets().iter().any(|key| given(key.name).is_some());
        match profile {
            Some(profile) if is_first => {
                let part = scope.map_or("", |key| profile.text(key));
                part.clone_into(&mut session.part);
                session.code = format!("{module}::connect({})", quoted(&profile.name));
                let variables = profile.secret_variables();
                let variables = variables.map(|name| Part::Placeholder(name).to_string());
                session.credentials = variables.map(|variable| values.resolved(&variable)).collect();
                return Ok(session);
            }
            None if is_first && !has_secret => {
                session.code = format!("{module}::connect()");
                return Ok(session);
            }
            _ => session.is_profile = false,
        }
        let mut map = vec![("url".to_owned(), Code::Expr(values.address(&site.written)?))];
        // Account fields come from the request that signs in, so resolve them with its folder variables.
        let outer = values.scoped();
        values.enter(account.map_or(&outer, |account| &account.variables));
        for (key, is_secret) in account::keys(platform).filter(|(key, _)| key.name != "url") {
            let code = match given(key.name) {
                Some(text) => values.value(text, key.name)?,
                None if key.required => {
                    let about = format!("the {} at {}", key.name.replace('_', " "), site.base);
                    let param = values.add(key.name.to_owned(), about, None, is_secret);
                    values.param(param)
                }
                None => continue,
            };
            map.push((key.name.to_owned(), code));
        }
        let part = scope.and_then(given).map(|text| values.expanded(text));
        values.enter(&outer);
        session.part = part.unwrap_or_default();
        session.code = format!("{module}::connect({})", Code::Map(map).render(8));
        Ok(session)
    }
}

/// A request to a platform.
struct PlatformRequest<'a> {
    request: &'a Request,
    site: Site,
    payload: Payload,
}

/// A route of the platform that matches a request.
struct RouteMatch<'a> {
    route: &'static ImportRoute,
    /// The path segments that the route names.
    parts: Vec<(&'static str, &'a str)>,
}

impl<'a> RouteMatch<'a> {
    /// Returns a named path segment; empty if the route has no such name.
    fn part(&self, name: &str) -> &'a str {
        let found = self.parts.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, part)| part)
    }
}

impl<'a> PlatformRequest<'a> {
    fn new(request: &'a Request, site: Site, values: &Values) -> PlatformRequest<'a> {
        PlatformRequest {
            request,
            site,
            payload: body::payload(&request.body, values),
        }
    }

    /// Returns the first route of the platform that matches the request.
    fn route(&self) -> Option<RouteMatch<'_>> {
        self.site.platform.import.routes.iter().find_map(|route| {
            let parts = self.parts(route.path)?;
            let is_method = route
                .methods
                .split('|')
                .any(|method| method == self.request.method);
            let is_query = route.query.is_none_or(|(name, value)| self.query(name) == value);
            let has_fields = route.needs.iter().all(|name| self.field(name).is_some());
            (is_method && is_query && has_fields).then_some(RouteMatch { route, parts })
        })
    }

    /// Returns the path segments that a route's path names; `None` if the path does not match.
    fn parts(&self, path: &'static str) -> Option<Vec<(&'static str, &str)>> {
        let mut parts = Vec::new();
        let mut own = self.site.path.iter();
        for expected in path.split('/') {
            let part = own.next()?;
            match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => parts.push((name, part.as_str())),
                None if expected != part => return None,
                None => {}
            }
        }
        own.next().is_none().then_some(parts)
    }

    /// Returns a query field, ignoring case; empty if missing.
    fn query(&self, name: &str) -> &str {
        let mut fields = self.request.address.query.iter();
        let found = fields.find(|field| field.key.eq_ignore_ascii_case(name));
        found.map_or("", |field| &field.value)
    }

    /// The fields of the body, if it has any.
    fn fields(&self) -> Option<&Map<String, Json>> {
        match &self.payload {
            Payload::Fields(fields, _) => Some(fields),
            _ => None,
        }
    }

    /// Returns a field of the body, ignoring case.
    fn field(&self, name: &str) -> Option<&Json> {
        let mut fields = self.fields()?.iter();
        let found = fields.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    /// Whether the operation of the route sets the field itself, by the field's name. If the request has a body, no field
    /// of its query is such a field.
    fn implies(&self, route: &ImportRoute, key: &str, is_query: bool) -> bool {
        let mut implied = route.implied.iter();
        implied.any(|name| name.eq_ignore_ascii_case(key)) && (!is_query || self.payload == Payload::Nothing)
    }

    /// The credentials among the fields that the operation of the route sets itself: names, and values as written.
    fn credentials(&self, route: &ImportRoute) -> Vec<(String, String)> {
        let query = self.request.address.query.iter();
        let query = query.filter(|field| self.implies(route, &field.key, true));
        let query = query.map(|field| (field.key.clone(), field.value.clone()));
        let fields = self.fields().into_iter().flatten();
        let fields = fields.filter(|(key, _)| self.implies(route, key, false));
        let fields = fields.map(|(key, value)| (key.clone(), body::as_written(value)));
        let all = query.chain(fields);
        all.filter(|(key, _)| name_is_secret(key)).collect()
    }

    /// Returns the account fields in a sign-in request, by key and unresolved; none if it does not sign in.
    fn sign_in(&self, matched: &RouteMatch) -> Vec<(&'static str, String)> {
        let RouteMeaning::SignIn(keys) = matched.route.meaning else {
            return Vec::new();
        };
        let read = |(key, arg): &(&'static str, ImportArg)| {
            let text = match *arg {
                ImportArg::Path(name) => matched.part(name).to_owned(),
                ImportArg::Query(name) => self.query(name).to_owned(),
                ImportArg::Field(name) => self.field(name).map(body::as_written).unwrap_or_default(),
                _ => String::new(),
            };
            (*key, text)
        };
        keys.iter().map(read).collect()
    }

    /// Returns the session, switched to the part of the account that the request names.
    fn session_for(
        &self,
        session: &Session,
        matched: &RouteMatch,
        values: &mut Values,
    ) -> Result<String, String> {
        let named = matched.route.within.zip(self.site.platform.import.scope);
        let Some((name, scope)) = named else {
            return Ok(session.name.clone());
        };
        let part = matched.part(name);
        if !session.part.is_empty() && session.part == values.expanded(part) {
            return Ok(session.name.clone());
        }
        let part = values.value(part, scope.key)?.render(4);
        Ok(format!("{}.{}({part})", session.name, scope.switch))
    }

    /// Converts the request to a call of `op`; `None` if it lacks one of the arguments or has more than the operation
    /// takes.
    fn call(
        &self,
        session: &Session,
        matched: &RouteMatch,
        op: &OpSpec,
        args: &[ImportArg],
        values: &mut Values,
    ) -> Result<Option<Converted>, String> {
        let route = matched.route;
        let receiver = self.session_for(session, matched, values)?;
        let mut remaining = Remaining::of(self, route);
        let mut written = Vec::new();
        for arg in args {
            let code = match *arg {
                ImportArg::Path(name) => Some(values.value(matched.part(name), "id")?),
                ImportArg::Text(text) => Some(Code::text(text)),
                ImportArg::Query(name) => match remaining.query(name) {
                    Some(text) if !text.is_empty() => Some(values.value(&text, name)?),
                    _ => None,
                },
                ImportArg::Field(name) | ImportArg::Unique(name) => match remaining.field(name) {
                    None | Some(Json::Null) => None,
                    Some(json) if matches!(arg, ImportArg::Unique(_)) => {
                        Some(body::unique(&json, name, values)?)
                    }
                    Some(json) => Some(body::value(&json, name, values)?),
                },
                ImportArg::FieldAs(name, key) => match remaining.field(name) {
                    None => continue,
                    Some(json) => Some(Code::under(key, body::value(&json, name, values)?)),
                },
                ImportArg::Rest => match remaining.fields.take() {
                    None => None,
                    Some(rest) => Some(body::object(&rest, values)?),
                },
                ImportArg::RestAs(key) => match remaining.fields.take() {
                    Some(rest) if !rest.is_empty() => Some(Code::under(key, body::object(&rest, values)?)),
                    _ => continue,
                },
                ImportArg::Map { places, moves } => {
                    let rest = if self.request.method == "GET" {
                        body::distinct(std::mem::take(&mut remaining.query))
                    } else {
                        remaining.fields.take()
                    };
                    match rest {
                        None => None,
                        Some(rest) => map(op, rest, places, moves, values)?,
                    }
                }
            };
            match code {
                Some(code) => written.push(code.render(4)),
                None => return Ok(None),
            }
        }
        let is_first_page = |field: &Field| {
            let key = field.key.to_lowercase();
            let page = values.expanded(&field.value).trim().parse();
            let is_later = key == "page" && page.is_ok_and(|page: i64| page > 1);
            PAGING.contains(&key.as_str()) && !is_later
        };
        if self.payload == Payload::Other || !remaining.query.iter().all(is_first_page) {
            return Ok(None);
        }
        let mut notes: Vec<String> = route.note.map(str::to_owned).into_iter().collect();
        let credentials = self.credentials(route).into_iter();
        let credentials = credentials.filter(|_| session.is_profile);
        notes.extend(credentials.map(|(key, _)| format!("the {key} is that of the profile")));
        let left = remaining.fields.iter().flat_map(Map::keys).map(String::as_str);
        notes.extend(listed("the operation does not take", left));
        let pages = remaining.query.iter().map(|field| field.key.as_str());
        let beginning = "the operation reads the whole list, and does not take";
        notes.extend(listed(beginning, pages));
        notes.extend(self.unsent_headers_note(values));
        let kind = if route.returns {
            Kind::Returned
        } else {
            Kind::Typed
        };
        Ok(Some(called(&receiver, op.name, &written, kind, notes)))
    }

    /// Converts to the platform's raw call, which signs in automatically; `None` if none is equivalent.
    fn raw_call(
        &self,
        catalogue: &Catalogue,
        session: &str,
        values: &mut Values,
    ) -> Result<Option<Converted>, String> {
        let method = self.request.method.as_str();
        let name = method.to_lowercase();
        let account = self.site.platform.account.as_ref();
        if !account.is_some_and(|account| catalogue.methods(account.kind).any(|op| op.name == name)) {
            return Ok(None);
        }
        let carries_body = matches!(method, "POST" | "PUT");
        let (fields, encoding) = match &self.payload {
            Payload::Nothing => (Map::new(), Encoding::Json),
            Payload::Fields(fields, encoding) if carries_body && *encoding != Encoding::Multipart => {
                (fields.clone(), *encoding)
            }
            _ => return Ok(None),
        };
        let mut args = vec![values.address(&format!("/{}", self.site.path.join("/")))?];
        let mut query = Vec::new();
        for field in &self.request.address.query {
            query.push((field.key.clone(), values.value(&field.value, &field.key)?));
        }
        let query = (!query.is_empty()).then_some(Code::Map(query));
        if carries_body {
            args.push(body::object(&fields, values)?.render(4));
            let form = (encoding == Encoding::Form).then(|| ("encoding".to_owned(), Code::text("form")));
            let query = query.map(|query| ("query".to_owned(), query));
            let options: Vec<_> = form.into_iter().chain(query).collect();
            if !options.is_empty() {
                args.push(Code::Map(options).render(4));
            }
        } else {
            args.extend(query.map(|query| query.render(4)));
        }
        let notes = self.unsent_headers_note(values).into_iter().collect();
        Ok(Some(called(session, &name, &args, Kind::Typed, notes)))
    }

    /// A note on the headers that no operation sends, if there are any.
    fn unsent_headers_note(&self, values: &Values) -> Option<String> {
        let credentials = values.credentials();
        let is_own = |field: &Field| {
            let mut own = self.site.platform.import.headers.iter();
            own.any(|(own, _)| own.eq_ignore_ascii_case(field.key.trim())) || is_implied(field, values)
        };
        let left = self.request.headers.iter().filter(|field| !is_own(field));
        let left: Vec<String> = left
            .map(|field| scrubbed(field.key.trim(), &credentials))
            .collect();
        let what = if left.len() == 1 { "header" } else { "headers" };
        let beginning = format!("the operation does not take the {what}");
        listed(&beginning, left.iter().map(String::as_str))
    }
}

/// The parts of a request that no argument of the call has taken yet.
struct Remaining {
    query: Vec<Field>,
    /// The fields of the body; `None` if it has none.
    fields: Option<Map<String, Json>>,
}

impl Remaining {
    /// Everything but what the route itself accounts for.
    fn of(asked: &PlatformRequest, route: &ImportRoute) -> Remaining {
        let mut query = asked.request.address.query.clone();
        query.retain(|field| {
            let condition = route
                .query
                .filter(|(name, _)| name.eq_ignore_ascii_case(&field.key));
            field.key != CACHE_BUSTER && condition.is_none() && !asked.implies(route, &field.key, true)
        });
        let mut fields = asked.fields().cloned();
        if let Some(fields) = &mut fields {
            fields.retain(|key, _| !asked.implies(route, key, false));
        }
        Remaining { query, fields }
    }

    /// Takes a query field, ignoring case.
    fn query(&mut self, name: &str) -> Option<String> {
        let mut taken = self
            .query
            .extract_if(.., |field| field.key.eq_ignore_ascii_case(name));
        let first = taken.next();
        taken.for_each(drop);
        first.map(|field| field.value)
    }

    /// Takes a field of the body in all its spellings, ignoring case. Returns the first.
    fn field(&mut self, name: &str) -> Option<Json> {
        let mut first = None;
        self.fields.as_mut()?.retain(|key, value| {
            let is_other = !key.eq_ignore_ascii_case(name);
            if !is_other && first.is_none() {
                first = Some(value.take());
            }
            is_other
        });
        first
    }
}

/// Builds a map of all fields; `None` if a value has no place in it, or if a key that the operation requires is missing.
fn map(
    op: &OpSpec,
    fields: Map<String, Json>,
    places: &[(&str, &str)],
    moves: &[(&str, &str)],
    values: &mut Values,
) -> Result<Option<Code>, String> {
    let mut rest = Json::Object(fields);
    for (from, to) in moves {
        let value = rest.pointer_mut(from).map(Json::take).unwrap_or_default();
        let (parent, key) = to.rsplit_once('/').unwrap_or_default();
        if let Some(Json::Object(parent)) = rest.pointer_mut(parent) {
            parent.insert(key.to_owned(), value);
        }
    }
    let keys = match op.params.first().map(|param| param.ty) {
        Some(Type::Options(keys)) => keys,
        _ => &[],
    };
    let mut map = Vec::new();
    for (key, place) in places {
        let mut same = keys.iter().filter(|known| known.name == *key);
        let is_list = same.any(|known| known.ty == Type::Texts);
        let code = match rest.pointer_mut(place).map(Json::take) {
            None | Some(Json::Null) => continue,
            Some(found) => match body::plain_text(&found).filter(|_| is_list) {
                Some(text) => comma_separated(&text, key, values)?,
                None => body::value(&found, key, values)?,
            },
        };
        map.push(((*key).to_owned(), code));
    }
    let mut required = keys.iter().filter(|key| key.required);
    let has_all = required.all(|key| map.iter().any(|(known, _)| known == key.name));
    Ok((has_all && is_empty(&rest)).then_some(Code::Map(map)))
}

/// Whether every session sends an equivalent header itself.
fn is_implied(field: &Field, values: &Values) -> bool {
    let name = field.key.trim().to_lowercase();
    let value = values.expanded(&field.value).trim().to_lowercase();
    match name.as_str() {
        "authorization" => value.starts_with("bearer ") || value.starts_with("{{"),
        "accept" => value.is_empty() || value.contains("json") || value.contains("*/*"),
        "content-type" => {
            let kinds = [
                "application/json",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
            ];
            value.is_empty() || kinds.iter().any(|kind| value.starts_with(kind))
        }
        name => OWN_HEADERS.contains(&name) || OMITTED.contains(&name),
    }
}

/// Converts a comma-separated text to a list; one that is a single variable is split when the script runs.
fn comma_separated(text: &str, key: &str, values: &mut Values) -> Result<Code, String> {
    if let [Part::Placeholder(_)] = parts(text.trim()).as_slice() {
        let pieces = values.pieces(text.trim())?;
        return Ok(Code::Expr(format!("{}.split(\",\")", values.text(&pieces))));
    }
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let items = items.map(|item| values.value(item, key));
    Ok(Code::List(items.collect::<Result<_, _>>()?))
}

/// Whether every value has been taken out.
fn is_empty(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}

/// A note that ends with names; `None` if there are none.
fn listed<'a>(beginning: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| format!("{beginning} {}", names.join(", ")))
}

fn called(session: &str, name: &str, args: &[String], kind: Kind, notes: Vec<String>) -> Converted {
    Converted {
        code: Some(format!("{session}.{name}({})", args.join(", "))),
        kind,
        notes,
    }
}

/// Collects the addresses whose requests have a mark of a platform.
fn evidence(catalogue: &Catalogue, collection: &Collection, values: &mut Values) -> Evidence {
    let mut known = Evidence::new();
    for request in &collection.requests {
        values.enter(&request.variables);
        let possible = possible_sites(catalogue, &request.address.base, values);
        let marked = possible.filter(|(site, _)| is_marked(request, site));
        known.extend(marked.map(|(site, _)| (site.platform.name, site.base)));
    }
    known
}

/// Whether the request has a mark of the platform.
fn is_marked(request: &Request, site: &Site) -> bool {
    site.platform.import.marks.iter().any(|mark| match mark {
        Mark::Header(name) => request.header(name).is_some(),
        Mark::Path(start) => {
            let mut own = site.path.iter();
            start
                .split('/')
                .all(|part| own.next().is_some_and(|own| own == part))
        }
        Mark::Variable(_) => false,
    })
}

/// Returns the site of an address without its query; `None` if it belongs to no known platform.
fn site(catalogue: &Catalogue, address: &str, evidence: &Evidence, values: &Values) -> Option<Site> {
    let mut possible = possible_sites(catalogue, address, values);
    let found = possible.find(|(site, root)| {
        let host = site.base.to_lowercase();
        root.distinctive
            || site.platform.import.hosts.iter().any(|name| host.contains(name))
            || evidence.contains(&(site.platform.name, site.base.clone()))
    });
    found.map(|(site, _)| site)
}

/// The sites of an address if it were one of each platform with each of its API roots.
fn possible_sites(
    catalogue: &Catalogue,
    address: &str,
    values: &Values,
) -> impl Iterator<Item = (Site, &'static ApiRoot)> {
    let platforms = catalogue.platforms().iter().copied();
    let roots = platforms.flat_map(|platform| platform.import.roots.iter().map(move |root| (platform, root)));
    roots.filter_map(move |(platform, root)| Some((cut(platform, root, address, values)?, root)))
}

/// Splits an address at an API root. Variables are resolved up to the root, and left as they are after it.
fn cut(platform: &'static Platform, root: &ApiRoot, address: &str, values: &Values) -> Option<Site> {
    let (mut written, mut base) = (String::new(), String::new());
    let all: Vec<String> = parts(address).iter().map(ToString::to_string).collect();
    for (index, as_written) in all.iter().enumerate() {
        let resolved = values.expanded(as_written);
        let before = base.len();
        base.push_str(&resolved);
        let more = all[index + 1..].concat();
        let Some(at) = find_root(root.path, &base, more.is_empty() || more.starts_with('/')) else {
            written.push_str(as_written);
            continue;
        };
        let end = at + root.path.len();
        let rest = format!("{}{more}", &base[end..]);
        let cut = if root.in_address { end } else { at };
        base.truncate(cut);
        // A variable whose value ends with the root can stay as written.
        if *as_written == resolved && cut >= before {
            written.push_str(&resolved[..cut - before]);
        } else if root.in_address && rest == more {
            written.push_str(as_written);
        } else {
            written.clone_from(&base);
        }
        let path = rest.split('/').filter(|part| !part.is_empty());
        return Some(Site {
            platform,
            written,
            base: trimmed(&base),
            path: path.map(str::to_owned).collect(),
        });
    }
    None
}

/// Returns the byte offset of a root that is followed by `/` or, if `end_counts`, by the end of the text.
fn find_root(path: &str, text: &str, end_counts: bool) -> Option<usize> {
    let mut places = text.match_indices(path).map(|(at, _)| at);
    places.find(|at| match &text[at + path.len()..] {
        "" => end_counts,
        rest => rest.starts_with('/'),
    })
}

/// The address of an account, without a slash at its end and with a scheme.
fn trimmed(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    if url.starts_with("{{") {
        url.to_owned()
    } else {
        collection::with_scheme(url)
    }
}
