//! A simulated web service: it echoes requests and has a collection of items.

mod items;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use items::Event;
pub(super) use items::State;
pub use items::{
    Collection, DescribedItem, SimulatedService, SimulatedSignIn, WebAccount, WebBook, WebTotals,
};

use super::address::Style;
use super::call::Call;
use super::fault::Route;
use super::form;
use super::platform::{self, Platform, Refusal};
use super::reply::Reply;
use super::serve::Site;

type Action = platform::Action<Event>;

impl Platform for State {
    const ROUTES: &'static [&'static str] = &[
        "web",
        "web-get",
        "web-post",
        "web-items",
        "web-items-get",
        "web-items-post",
        "web-items-put",
        "web-items-delete",
        "web-sign-in",
    ];

    const DELAYS: &'static [(&'static str, u32, &'static str)] = &[("web-items-get", 12, "web-items-post")];

    const CREATING: &'static [(&'static str, bool)] = &[("web-items-post", true)];

    fn route(site: &Site, call: &Call) -> Route {
        if items::is_sign_in(site, call) {
            return Route::named("web-sign-in");
        }
        Route::named(match (items::is_for_items(call), call.method.as_str()) {
            (true, "GET" | "HEAD") => "web-items-get",
            (true, "POST") => "web-items-post",
            (true, "PUT" | "PATCH") => "web-items-put",
            (true, "DELETE") => "web-items-delete",
            (true, _) => "web-items",
            (false, "GET" | "HEAD") => "web-get",
            (false, "POST") => "web-post",
            (false, _) => "web",
        })
    }

    fn count_request(site: &Site, call: &Call) -> bool {
        items::is_repeat(site, call)
    }

    fn plan(site: &Site, call: &Call) -> Result<Action, Reply> {
        if let Some(planned) = items::plan(site, call) {
            return planned;
        }
        if items::is_for_items(call) {
            let text = "the sandbox simulates only the described collections of this service";
            return Err(missing(text));
        }
        let segments = call.segments();
        let shown = match segments.as_slice() {
            ["status", status] => answer_with(status)?,
            ["bearer"] => bearer(call)?,
            ["basic", user, password] => basic(call, user, password)?,
            ["text"] => Reply::text(StatusCode::OK, "plain words"),
            ["html"] => Reply::html(StatusCode::OK, "a page"),
            ["redirect"] => {
                let to = match &call.style {
                    Style::Host(_) => "/anything",
                    Style::Path(_) => "/web/anything",
                };
                Reply::empty(StatusCode::FOUND).header("location", to)
            }
            ["anything", ..] => Reply::ok(&echo(call)),
            _ => {
                let text = "the routes are /anything, /status/{code}, /bearer, /basic/{user}/{password}, /text, /html, \
                        /redirect and /items";
                return Err(missing(text));
            }
        };
        Ok(Action::Show(shown))
    }

    fn done(site: &Site, _: &Call, event: Event) -> Reply {
        items::done(site, event)
    }

    fn refused(_: &Site, refusal: &Refusal) -> Reply {
        error(refusal.status, &refusal.text)
    }

    fn expiry(site: &Site, call: &Call) -> Option<Event> {
        items::expiry(site, call)
    }

    fn expired() -> Reply {
        error(StatusCode::UNAUTHORIZED, "the token has expired")
    }

    fn server_error() -> Reply {
        error(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong")
    }

    fn too_many() -> Reply {
        error(StatusCode::TOO_MANY_REQUESTS, "too many requests").retry_after(1)
    }

    fn empty_success() -> Reply {
        Reply::empty(StatusCode::CREATED)
    }
}

/// Returns the request as the server received it.
fn echo(call: &Call) -> Value {
    let text = std::str::from_utf8(&call.body).unwrap_or_default();
    let kind = call.header("content-type").unwrap_or_default();
    let mut echoed = json!({
        "method": call.method.as_str(),
        "path": format!("/{}", call.path),
        "query": pairs(call.pairs()),
        "headers": headers(call),
        "body": text,
    });
    if let Some(boundary) = form::boundary(kind) {
        let parts = form::parts(&call.body, boundary).unwrap_or_default();
        let part = |part: form::Part| {
            json!({
                "name": part.name,
                "filename": part.filename,
                "type": part.kind,
                "size": part.content.len(),
                "text": std::str::from_utf8(part.content).ok(),
            })
        };
        echoed["parts"] = parts.into_iter().map(part).collect();
    } else if kind.starts_with("application/x-www-form-urlencoded") {
        echoed["form"] = pairs(form::pairs(&call.body));
    } else if let Ok(json) = serde_json::from_slice::<Value>(&call.body) {
        echoed["json"] = json;
    }
    echoed
}

/// Returns fields by name, as a list if a name occurs more than once.
fn pairs(pairs: Vec<(String, String)>) -> Value {
    let mut fields: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        match fields.get_mut(&name) {
            None => {
                fields.insert(name, value.into());
            }
            Some(Value::Array(items)) => items.push(value.into()),
            Some(first) => *first = json!([first.clone(), value]),
        }
    }
    Value::Object(fields)
}

fn headers(call: &Call) -> Value {
    let texts = call.headers().iter();
    let texts = texts.map(|(name, value)| {
        (
            name.as_str().to_owned(),
            value.to_str().unwrap_or_default().into(),
        )
    });
    Value::Object(texts.collect())
}

fn answer_with(status: &str) -> Result<Reply, Reply> {
    let status = status
        .parse::<u16>()
        .ok()
        .and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.filter(|status| status.as_u16() >= 200);
    let status = status.ok_or_else(|| missing("there is no such status"))?;
    Ok(match status {
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => Reply::empty(status),
        status => Reply::json(status, &json!({ "status": status.as_u16() })),
    })
}

fn bearer(call: &Call) -> Result<Reply, Reply> {
    let token = call.bearer();
    let token = token.ok_or_else(|| error(StatusCode::UNAUTHORIZED, "a bearer token is required"))?;
    Ok(Reply::ok(&json!({ "authenticated": true, "token": token })))
}

fn basic(call: &Call, user: &str, password: &str) -> Result<Reply, Reply> {
    use base64::Engine as _;
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let given = call
        .header("authorization")
        .and_then(|header| header.strip_prefix("Basic "));
    if given == Some(expected.as_str()) {
        Ok(Reply::ok(&json!({ "authenticated": true, "user": user })))
    } else {
        Err(error(StatusCode::UNAUTHORIZED, "wrong user or password"))
    }
}

fn missing(text: &str) -> Reply {
    error(StatusCode::NOT_FOUND, text)
}

fn not_allowed() -> Reply {
    error(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
}

fn error(status: StatusCode, text: &str) -> Reply {
    Reply::json(status, &json!({ "error": text }))
}
