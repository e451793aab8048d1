//! Converts any request to an `http::` call. Its option names are those of the operation table, against which the
//! script is checked before it is written.

use super::address::{self, Address};
use super::body;
use super::code::Code;
use super::collection::{Auth, Field, Request};
use super::known::RequestPayload;
use super::request::{ConvertedRequest, Kind};
use super::sessions::ImportedProfile;
use super::site;
use super::values::Values;
use crate::client::Method;

/// Headers that provisor sets itself.
pub(super) const OMITTED: &[&str] = &[
    "content-length",
    "host",
    "postman-token",
    "connection",
    "accept-encoding",
    "transfer-encoding",
];

/// Methods that have their own `http::` function.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// The options of a call and notes on it, while they are collected.
#[derive(Default)]
struct CallOptions {
    options: Vec<(String, Code)>,
    headers: Vec<(String, Code)>,
    query: Vec<Field>,
    notes: Vec<String>,
    /// The profile that the call names; its credential need not be repeated.
    profile: Option<ImportedProfile>,
}

/// Converts a request. Fails if variables are circular or grow too large.
pub(super) fn write(
    request: &Request,
    address: &Address,
    service: Option<&ImportedProfile>,
    values: &mut Values,
) -> Result<ConvertedRequest, String> {
    if Method::parse(&request.method).is_err() {
        let reason = format!("provisor sends no {}", request.method);
        return Ok(ConvertedRequest::omitted(&reason));
    }
    let mut draft = CallOptions {
        query: address.query.clone(),
        ..CallOptions::default()
    };
    let path = service.and_then(|service| {
        let path = site::path_below(&address.base, &service.url, values)?;
        Some((service, if path.is_empty() { "/".to_owned() } else { path }))
    });
    let url = match &path {
        None => CallOptions::address(address, values)?,
        Some((service, path)) => {
            let name = Code::text(&service.name);
            draft.options.push(("profile".into(), name));
            draft.profile = Some((*service).clone());
            values.address(path)?
        }
    };
    draft.auth(request.auth.as_ref(), address, values)?;
    if !draft.query.is_empty() {
        let query = body::pairs(&draft.query, values)?;
        draft.options.push(("query".into(), query));
    }
    let content_type = draft.body(request, values)?;
    draft.headers(request, content_type.is_none(), values)?;
    if draft.profile.as_ref().is_some_and(|profile| profile.signs) && is_anonymous(request, address) {
        draft.note("Postman sends it without a credential; here the profile's credential is sent");
    }
    if !draft.headers.is_empty() {
        let headers = merged(std::mem::take(&mut draft.headers));
        draft.options.push(("headers".into(), Code::Map(headers)));
    }
    draft
        .options
        .extend(content_type.map(|kind| ("content_type".to_owned(), kind)));
    Ok(ConvertedRequest {
        code: Some(call(&request.method, &url, draft.options)),
        kind: Kind::Web,
        notes: draft.notes,
    })
}

/// Whether the request has no authentication.
fn is_anonymous(request: &Request, address: &Address) -> bool {
    let says = |field: &Field| field.key.trim().eq_ignore_ascii_case("authorization");
    let auth = request.auth.as_ref().filter(|auth| auth.kind != "noauth");
    auth.is_none() && address.user.is_none() && !request.headers.iter().any(says)
}

impl CallOptions {
    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Converts the address, adding a scheme if needed.
    fn address(address: &Address, values: &mut Values) -> Result<String, String> {
        let shown = values.expanded(&address.base);
        let given = address::scheme(&shown);
        let bare = address.base.starts_with("{{") && !shown.starts_with("{{") && given.is_none();
        let host = address::host(&shown);
        if address::is_loopback_address(&shown) {
            // This machine is reached by plain http, as in Postman.
        } else if address.scheme_added || bare {
            values.once(format!("`{host}` has no scheme; it is used with https"));
        } else if given.is_some_and(|scheme| scheme.eq_ignore_ascii_case("http")) {
            values.once(format!(
                "`{host}` uses http; provisor allows http only on this machine. Use https"
            ));
        }
        let scheme = if bare { address::scheme_for(&shown) } else { "" };
        values.address(&format!("{scheme}{}", address.base))
    }

    /// Adds the authentication: as options of the call, a header, or a query field.
    fn auth(&mut self, auth: Option<&Auth>, address: &Address, values: &mut Values) -> Result<(), String> {
        let Some(auth) = auth.filter(|auth| auth.kind != "noauth") else {
            if let Some((user, password)) = &address.user {
                return self.basic(user, password, values);
            }
            return Ok(());
        };
        match auth.kind.as_str() {
            "basic" => self.basic(auth.field("username"), auth.field("password"), values),
            "bearer" => self.bearer(auth.field("token"), values),
            "oauth2" => {
                self.note("its OAuth token comes from elsewhere and is passed to the script");
                let token = Some(auth.field("accessToken")).filter(|token| !token.is_empty());
                self.bearer(token.unwrap_or("{{access_token}}"), values)
            }
            "apikey" => self.api_key(auth, values),
            other => {
                self.note(format!(
                    "it signs in with `{other}`, which you have to write by hand"
                ));
                Ok(())
            }
        }
    }

    fn basic(&mut self, user: &str, password: &str, values: &mut Values) -> Result<(), String> {
        let is_own = |profile: &ImportedProfile| {
            profile.is_taken_from("login", user) && profile.is_taken_from("password", password)
        };
        if self.profile.as_ref().is_some_and(is_own) {
            return Ok(());
        }
        if values.expanded(user).contains(':') {
            self.note(
                "its user name contains a colon, which HTTP does not allow; it is sent without a credential",
            );
            return Ok(());
        }
        let user = values.value(user, "login")?;
        let password = values.value(password, "password")?;
        let both = vec![("user".into(), user), ("password".into(), password)];
        self.options.push(("basic".into(), Code::Map(both)));
        Ok(())
    }

    fn bearer(&mut self, token: &str, values: &mut Values) -> Result<(), String> {
        if self
            .profile
            .as_ref()
            .is_some_and(|profile| profile.is_taken_from("bearer", token))
        {
            return Ok(());
        }
        if token.trim().is_empty() {
            self.note("its token is empty; it is sent without a credential");
            return Ok(());
        }
        self.options
            .push(("bearer".into(), values.value(token.trim(), "token")?));
        Ok(())
    }

    fn api_key(&mut self, auth: &Auth, values: &mut Values) -> Result<(), String> {
        let name = Some(auth.field("key"))
            .filter(|name| !name.is_empty())
            .unwrap_or("X-Api-Key");
        let secret = super::secrets::name_is_secret(name);
        // Registered as a credential whatever its name, so that its other uses share the parameter.
        let value = values.value(auth.field("value"), if secret { name } else { "api_key" })?;
        if auth.field("in") == "query" {
            self.query.push(Field::new(name, auth.field("value")));
        } else {
            self.headers.push((name.to_owned(), value));
        }
        Ok(())
    }

    /// Adds the body. Returns its content type if the option does not imply it.
    fn body(&mut self, request: &Request, values: &mut Values) -> Result<Option<Code>, String> {
        let given = request
            .headers
            .iter()
            .find(|field| field.key.eq_ignore_ascii_case("content-type"));
        let given = given
            .map(|field| field.value.trim())
            .filter(|kind| !kind.is_empty());
        if matches!(request.method.as_str(), "GET" | "HEAD") {
            if super::known::carried(request, values) != RequestPayload::Nothing {
                self.note(format!(
                    "its body is left out: provisor sends none with a {}",
                    request.method
                ));
            }
            return Ok(None);
        }
        let carried = body::read(&request.body, given, values)?;
        self.notes.extend(carried.notes);
        let Some((key, code)) = carried.option else {
            return Ok(None);
        };
        self.options.push((key.to_owned(), code));
        match key {
            "form" | "multipart" => Ok(None),
            "json" if given.is_none_or(is_plain_json) => Ok(None),
            _ => match given.map(str::to_owned).or(carried.content_type) {
                Some(kind) => Ok(Some(values.value(&kind, "Content-Type")?)),
                None => Ok(None),
            },
        }
    }

    /// Adds the headers. A `Content-Type` is kept only if there is no body and `untyped` is set.
    fn headers(&mut self, request: &Request, untyped: bool, values: &mut Values) -> Result<(), String> {
        let carries = self
            .options
            .iter()
            .any(|(key, _)| ["json", "form", "multipart", "body"].contains(&key.as_str()));
        for field in &request.headers {
            let name = field.key.trim().to_lowercase();
            if OMITTED.contains(&name.as_str()) || (name == "content-type" && (carries || !untyped)) {
                continue;
            }
            if !is_header(&name) {
                let shown = super::secrets::scrubbed(field.key.trim(), &values.credentials());
                self.note(format!(
                    "its header `{shown}` is left out: this is not a valid header name"
                ));
                continue;
            }
            if name == "authorization" {
                // The request's authentication takes precedence over a header written by hand.
                if self
                    .options
                    .iter()
                    .any(|(key, _)| key == "bearer" || key == "basic")
                {
                    self.note(
                        "its header `Authorization` is left out: the request also signs in another way",
                    );
                    continue;
                }
                if let Some((scheme, token)) = field.value.trim().split_once(' ')
                    && scheme.eq_ignore_ascii_case("bearer")
                {
                    self.bearer(token, values)?;
                    continue;
                }
            }
            let value = values.value(&field.value, &field.key)?;
            self.headers.push((field.key.trim().to_owned(), value));
        }
        Ok(())
    }
}

fn is_plain_json(kind: &str) -> bool {
    let (kind, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let charset = parameters.trim().to_lowercase();
    kind.trim().eq_ignore_ascii_case("application/json") && (charset.is_empty() || charset == "charset=utf-8")
}

/// Whether the text is a valid header name.
fn is_header(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(allowed)
}

/// Merges headers of the same name into one with a list.
fn merged(headers: Vec<(String, Code)>) -> Vec<(String, Code)> {
    let mut merged: Vec<(String, Code)> = Vec::new();
    for (name, code) in headers {
        match merged
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(&name))
        {
            Some((_, Code::List(items))) => items.push(code),
            Some((_, one)) => *one = Code::List(vec![one.clone(), code]),
            None => merged.push((name, code)),
        }
    }
    merged
}

fn call(method: &str, url: &str, options: Vec<(String, Code)>) -> String {
    let begin = if METHODS.contains(&method) {
        format!("http::{}({url}", method.to_lowercase())
    } else {
        format!("http::request({}, {url}", Code::text(method).render(4))
    };
    if options.is_empty() {
        return format!("{begin})");
    }
    format!("{begin}, {})", Code::Map(options).render(4))
}
