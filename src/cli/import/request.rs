//! Converts one request to a function of the script.

use super::address;
use super::code::comment;
use super::collection::{Request, Script};
use super::known::{self, Meaning};
use super::secrets::scrubbed;
use super::sessions::{self, Sessions};
use super::values::Values;
use super::web;

/// A converted request.
#[derive(Debug)]
pub(super) struct ConvertedRequest {
    /// The expression that makes the request; `None` if it is left out.
    pub(super) code: Option<String>,
    pub(super) kind: Kind,
    /// Notes for the reader of the script, one line each.
    pub(super) notes: Vec<String>,
}

impl ConvertedRequest {
    pub(super) fn omitted(reason: &str) -> ConvertedRequest {
        ConvertedRequest {
            code: None,
            kind: Kind::Omitted,
            notes: vec![reason.to_owned()],
        }
    }
}

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By an operation of a platform.
    Typed,
    /// By a raw web operation.
    Web,
    /// Not at all: provisor does it automatically, or cannot make it.
    Omitted,
}

/// Converts a request. Fails if variables are circular or grow too large.
pub(super) fn write(
    request: &Request,
    values: &mut Values,
    sessions: &mut Sessions,
) -> Result<ConvertedRequest, String> {
    let address = address::read(&request.url);
    if address.base.trim().is_empty() {
        return Ok(ConvertedRequest::omitted("it has no address"));
    }
    if address::host(&address.base).is_empty() {
        return Ok(ConvertedRequest::omitted("its address has no host"));
    }
    let shown = values.expanded(&address.base);
    if let Some(scheme) = address::scheme(&shown)
        && !scheme.contains("{{")
        && !["http", "https"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
    {
        let shown = scrubbed(&address.base, &values.credentials());
        let reason = format!(
            "provisor supports only http and https; the request is {} {shown}",
            request.method
        );
        return Ok(ConvertedRequest::omitted(&reason));
    }
    if let Some(written) = typed(request, &address, values, sessions)? {
        return Ok(written);
    }
    web::write(request, &address, sessions.service(), values)
}

/// Converts the request to an operation of its platform, if one matches.
fn typed(
    request: &Request,
    address: &address::Address,
    values: &mut Values,
    sessions: &mut Sessions,
) -> Result<Option<ConvertedRequest>, String> {
    let Some(site) = sessions.site(&address.base, values) else {
        return Ok(None);
    };
    let session = sessions.of(&site, values)?;
    let part = session.part.as_deref();
    let ask = sessions::ask(
        sessions.catalogue(),
        request,
        address,
        site,
        &session.name,
        part,
        values,
    );
    Ok(match known::meaning(&ask, values)? {
        Meaning::ByItself(note) => Some(ConvertedRequest::omitted(note)),
        Meaning::Call(called) => {
            sessions.uses(&session.name);
            Some(ConvertedRequest {
                code: Some(called.code),
                kind: Kind::Typed,
                notes: called.notes,
            })
        }
        Meaning::Unknown => None,
    })
}

/// Renders Postman scripts as comments, with credentials masked.
pub(super) fn scripts_as_comments(scripts: &[Script], marker: &str, known: &[String]) -> String {
    let mut text = String::new();
    for script in scripts {
        let of = if script.of.is_empty() {
            String::new()
        } else {
            format!(" of {}", script.of)
        };
        text.push_str(&comment(
            marker,
            &format!("Its script ({}){of}, which does not run:", script.when),
        ));
        let shown = script.lines.iter().take(MAX_SCRIPT_LINES);
        for line in shown {
            let line = scrubbed(line, known);
            text.push_str(comment(&format!("{marker}    "), &line).as_str());
        }
        if script.lines.len() > MAX_SCRIPT_LINES {
            let more = script.lines.len() - MAX_SCRIPT_LINES;
            text.push_str(&comment(marker, &format!("… and {more} more lines")));
        }
    }
    text
}

/// The maximum number of lines kept of a script.
const MAX_SCRIPT_LINES: usize = 400;
