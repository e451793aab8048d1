//! Decides which redirects are followed: those of reads, to the same origin, up to a limit.

use url::Url;

use super::error::{ErrorKind, TransportError};
use super::request::Request;
use super::response::Response;

/// The maximum number of redirects; more are considered a loop.
const MAX_REDIRECTS: u32 = 5;

/// What to do with a response.
#[derive(Debug)]
pub(super) enum RedirectAction {
    /// Return it to the caller.
    Answer,
    /// Send the request to this address instead.
    Follow(Url),
}

/// Examines the response to a request that was sent to `url` after `followed` redirects.
///
/// A changing request is never repeated elsewhere, and nothing, least of all a token, is sent to another origin.
pub(super) fn judge(
    request: &Request,
    url: &Url,
    response: &Response,
    followed: u32,
) -> Result<RedirectAction, TransportError> {
    match judged(request, url, response, followed) {
        Err(_) if request.shows_redirects => Ok(RedirectAction::Answer),
        turn => turn,
    }
}

fn judged(
    request: &Request,
    url: &Url,
    response: &Response,
    followed: u32,
) -> Result<RedirectAction, TransportError> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(RedirectAction::Answer);
    }
    let label = request.label();
    let status = response.status;
    if request.method.changes() {
        let message =
            format!("{label} was answered with a redirect ({status}), which is not followed for changes");
        return Err(TransportError::in_doubt(ErrorKind::Redirect, message));
    }
    let refuse = |reason: String| {
        let message = format!("{label} was answered with a redirect ({status}) {reason}");
        Err(TransportError::unsent(ErrorKind::Redirect, message))
    };
    let Some(next) = response.header("location").and_then(|place| url.join(place).ok()) else {
        return refuse("to nowhere".to_owned());
    };
    if next.origin() != url.origin() {
        let place = next.host_str().unwrap_or("elsewhere");
        return refuse(format!("to another origin, {place}, which is not followed"));
    }
    if followed >= MAX_REDIRECTS {
        return refuse(format!("after {MAX_REDIRECTS} others"));
    }
    Ok(RedirectAction::Follow(next))
}
