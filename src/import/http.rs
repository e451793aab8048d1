//! Converts any request to an `http::` call. Its option names are those of the operation table, against which the
//! script is checked.

use super::account::ImportedProfile;
use super::body::{self, Payload};
use super::code::{Code, Converted, Kind};
use super::collection::{self, Address, Field, Request};
use super::credentials::{name_is_secret, scrubbed};
use super::operations::OMITTED;
use super::variables::{Values, parts};
use crate::operation::import::is_sendable_method;

/// Methods that have their own `http::` function.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// A call while it is written.
struct Call<'a> {
    request: &'a Request,
    values: &'a mut Values,
    /// The profile that the call names; its credential need not be repeated.
    profile: Option<&'a ImportedProfile>,
    options: Vec<(String, Code)>,
    headers: Vec<(String, Code)>,
    query: Vec<Field>,
    notes: Vec<String>,
}

/// Converts a request. `service` is the profile made from the environment, if it is for a plain web service. Fails if
/// variables are circular or grow too large.
pub(super) fn convert(
    request: &Request,
    service: Option<&ImportedProfile>,
    values: &mut Values,
) -> Result<Converted, String> {
    if !is_sendable_method(&request.method) {
        return Ok(Converted::omitted(&format!(
            "provisor sends no {}",
            request.method
        )));
    }
    let below = service.and_then(|service| {
        let path = path_below(&request.address.base, service.text("url"), values)?;
        Some((service, if path.is_empty() { "/".to_owned() } else { path }))
    });
    let mut call = Call {
        request,
        values,
        profile: below.as_ref().map(|(service, _)| *service),
        options: Vec::new(),
        headers: Vec::new(),
        query: request.address.query.clone(),
        notes: Vec::new(),
    };
    let url = match &below {
        None => call.address()?,
        Some((service, path)) => {
            call.option("profile", Code::text(&service.name));
            call.values.address(path)?
        }
    };
    call.auth()?;
    if !call.query.is_empty() {
        let query = body::pairs(&call.query, call.values)?;
        call.option("query", query);
    }
    let content_type = call.body()?;
    call.headers()?;
    if call.profile.is_some_and(|profile| !profile.secrets.is_empty()) && is_anonymous(request) {
        call.note("Postman sends it without a credential; here the profile's credential is sent");
    }
    if !call.headers.is_empty() {
        let headers = std::mem::take(&mut call.headers);
        call.option("headers", Code::merged(headers, str::eq_ignore_ascii_case));
    }
    if let Some(kind) = content_type {
        call.option("content_type", kind);
    }
    let begin = if METHODS.contains(&request.method.as_str()) {
        format!("http::{}({url}", request.method.to_lowercase())
    } else {
        format!("http::request({}, {url}", Code::text(&request.method).render(4))
    };
    let code = if call.options.is_empty() {
        format!("{begin})")
    } else {
        format!("{begin}, {})", Code::Map(call.options).render(4))
    };
    Ok(Converted {
        code: Some(code),
        kind: Kind::Web,
        notes: call.notes,
    })
}

/// Whether the request has no authentication.
fn is_anonymous(request: &Request) -> bool {
    let says = |field: &Field| field.key.trim().eq_ignore_ascii_case("authorization");
    let auth = request.auth.as_ref().filter(|auth| auth.kind != "noauth");
    auth.is_none() && request.address.user.is_none() && !request.headers.iter().any(says)
}

/// Returns the path of an address below a service's, as written; `None` if it is not below it.
fn path_below(address: &str, service: &str, values: &Values) -> Option<String> {
    let service = service.trim().trim_end_matches('/');
    let shown = values.expanded(address);
    let scheme = if shown.contains("://") {
        ""
    } else {
        collection::default_scheme(&shown)
    };
    let mut resolved = scheme.to_owned();
    let all: Vec<String> = parts(address).iter().map(ToString::to_string).collect();
    for (index, part) in all.iter().enumerate() {
        resolved.push_str(&values.expanded(part));
        if resolved.len() >= service.len() {
            let rest = resolved.strip_prefix(service)?;
            let rest = format!("{rest}{}", all[index + 1..].concat());
            return (rest.is_empty() || rest.starts_with('/')).then_some(rest);
        }
    }
    None
}

impl Call<'_> {
    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    fn option(&mut self, name: &str, code: Code) {
        self.options.push((name.to_owned(), code));
    }

    fn has_option(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(key, _)| names.contains(&key.as_str()))
    }

    /// Whether the text is the variable that this key of the call's profile was taken from.
    fn is_of_profile(&self, key: &str, text: &str) -> bool {
        self.profile
            .is_some_and(|profile| profile.is_taken_from(key, text))
    }

    /// Converts the address, adding a scheme if needed.
    fn address(&mut self) -> Result<String, String> {
        let Address {
            base, scheme_added, ..
        } = &self.request.address;
        let shown = self.values.expanded(base);
        let given = collection::scheme(&shown);
        let is_bare = base.starts_with("{{") && !shown.starts_with("{{") && given.is_none();
        let host = collection::host(&shown);
        // This machine is reached by plain http, as in Postman.
        if !collection::is_loopback(&shown) {
            if *scheme_added || is_bare {
                let note = format!("`{host}` has no scheme; it is used with https");
                self.values.notes.insert(note);
            } else if given.is_some_and(|scheme| scheme.eq_ignore_ascii_case("http")) {
                self.values.notes.insert(format!(
                    "`{host}` uses http; provisor allows http only on this machine. Use https"
                ));
            }
        }
        let scheme = if is_bare {
            collection::default_scheme(&shown)
        } else {
            ""
        };
        self.values.address(&format!("{scheme}{base}"))
    }

    /// Adds the authentication: as options of the call, a header, or a query field.
    fn auth(&mut self) -> Result<(), String> {
        let request = self.request;
        let Some(auth) = request.auth.as_ref().filter(|auth| auth.kind != "noauth") else {
            return match &request.address.user {
                Some((user, password)) => self.basic(user, password),
                None => Ok(()),
            };
        };
        match auth.kind.as_str() {
            "basic" => self.basic(auth.field("username"), auth.field("password"))?,
            "bearer" => self.bearer(auth.field("token"))?,
            "oauth2" => {
                self.note("its OAuth token comes from elsewhere and is passed to the script");
                let token = Some(auth.field("accessToken")).filter(|token| !token.is_empty());
                self.bearer(token.unwrap_or("{{access_token}}"))?;
            }
            "apikey" => {
                let name = Some(auth.field("key")).filter(|name| !name.is_empty());
                let name = name.unwrap_or("X-Api-Key");
                // Registered as a credential whatever its name, so that its other uses share the parameter.
                let field = if name_is_secret(name) { name } else { "api_key" };
                let value = self.values.value(auth.field("value"), field)?;
                if auth.field("in") == "query" {
                    self.query.push(Field::new(name, auth.field("value")));
                } else {
                    self.headers.push((name.to_owned(), value));
                }
            }
            other => self.note(format!(
                "it signs in with `{other}`, which you have to write by hand"
            )),
        }
        Ok(())
    }

    fn basic(&mut self, user: &str, password: &str) -> Result<(), String> {
        if self.is_of_profile("login", user) && self.is_of_profile("password", password) {
            return Ok(());
        }
        if self.values.expanded(user).contains(':') {
            self.note(
                "its user name contains a colon, which HTTP does not allow; it is sent without a credential",
            );
            return Ok(());
        }
        let user = self.values.value(user, "login")?;
        let password = self.values.value(password, "password")?;
        let both = vec![("user".into(), user), ("password".into(), password)];
        self.option("basic", Code::Map(both));
        Ok(())
    }

    fn bearer(&mut self, token: &str) -> Result<(), String> {
        if self.is_of_profile("bearer", token) {
            return Ok(());
        }
        if token.trim().is_empty() {
            self.note("its token is empty; it is sent without a credential");
            return Ok(());
        }
        let token = self.values.value(token.trim(), "token")?;
        self.option("bearer", token);
        Ok(())
    }

    /// Adds the body. Returns its content type if the option does not imply it.
    fn body(&mut self) -> Result<Option<Code>, String> {
        let request = self.request;
        if matches!(request.method.as_str(), "GET" | "HEAD") {
            if body::payload(&request.body, self.values) != Payload::Nothing {
                self.note(format!(
                    "its body is left out: provisor sends none with a {}",
                    request.method
                ));
            }
            return Ok(None);
        }
        let given = request.header("content-type").map(str::trim);
        let given = given.filter(|kind| !kind.is_empty());
        let converted = body::read(&request.body, given, self.values)?;
        self.notes.extend(converted.notes);
        let Some((name, code)) = converted.option else {
            return Ok(None);
        };
        self.option(name, code);
        let is_implied =
            matches!(name, "form" | "multipart") || (name == "json" && given.is_none_or(is_plain_json));
        let kind = given.map(str::to_owned).or(converted.content_type);
        let kind = kind.filter(|_| !is_implied);
        kind.map(|kind| self.values.value(&kind, "Content-Type"))
            .transpose()
    }

    /// Adds the headers. A `Content-Type` is kept only if there is no body.
    fn headers(&mut self) -> Result<(), String> {
        let request = self.request;
        let has_body = self.has_option(&["json", "form", "multipart", "body"]);
        for field in &request.headers {
            let key = field.key.trim();
            let name = key.to_lowercase();
            if OMITTED.contains(&name.as_str()) || (name == "content-type" && has_body) {
                continue;
            }
            if !is_header(&name) {
                let shown = scrubbed(key, &self.values.credentials());
                self.note(format!(
                    "its header `{shown}` is left out: this is not a valid header name"
                ));
                continue;
            }
            if name == "authorization" {
                // The request's authentication takes precedence over a header written by hand.
                if self.has_option(&["bearer", "basic"]) {
                    self.note(
                        "its header `Authorization` is left out: the request also signs in another way",
                    );
                    continue;
                }
                if let Some((scheme, token)) = field.value.trim().split_once(' ')
                    && scheme.eq_ignore_ascii_case("bearer")
                {
                    self.bearer(token)?;
                    continue;
                }
            }
            let value = self.values.value(&field.value, &field.key)?;
            self.headers.push((key.to_owned(), value));
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
