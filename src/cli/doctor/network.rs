//! Checks whether platforms respond and whether their clocks agree with this machine's.

use std::time::Duration;

use super::Check;
use crate::cli::app::App;
use crate::cli::config::{Profile, check_address};
use crate::cli::times;
use crate::clock::Clock;
use crate::transport::Http;
use crate::transport::request::{Method, Request};
use crate::transport::response::Response;

/// The timeout for a platform's response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// A clock difference above this is a warning, in milliseconds.
const SKEW: i64 = 60_000;

/// A clock difference above this makes valid tokens look expired, or expired ones valid, in milliseconds.
const BAD_SKEW: i64 = 300_000;

/// Checks whether the platform responds and its clock agrees with this machine's.
pub(super) async fn check_reachability(app: &App, http: &Http, profile: &Profile) -> (Check, Option<Check>) {
    let name = profile.name.as_str();
    let area = "network";
    if profile.sandboxed().is_some() {
        return (Check::skipped(area, name, "the sandbox replaces it"), None);
    }
    let (Ok(text), Ok(())) = (profile.url(), profile.usable().map(drop)) else {
        return (Check::skipped(area, name, "the profile is not complete"), None);
    };
    let address = check_address(text, profile.plain_http.is_some());
    let (url, line) = match (address, profile.connect_options(&app.env)) {
        (Ok(url), Ok(line)) => (url, line),
        (Err(problem), _) => return (Check::problem(area, name, format!("the address {problem}")), None),
        (_, Err(error)) => return (Check::failed(area, name, error.into()), None),
    };
    let request = Request::new(Method::Get, url)
        .timeout(REQUEST_TIMEOUT)
        .not_idempotent();
    let clock = Clock::system();
    let before = clock.now_millis();
    match http.with_connect_options(&line).send(&request).await {
        Ok(response) => {
            let after = clock.now_millis();
            let found = format!("{text} answers in {}", times::format_elapsed(before, after));
            (
                Check::ok(area, name, found),
                skew(&response, (before, after), text),
            )
        }
        Err(error) => (
            Check::problem(area, name, error.to_string())
                .fix("check the address, the network, and the proxy: HTTPS_PROXY, or `proxy` in the profile"),
            None,
        ),
    }
}

/// Compares this machine's clock with the platform's; `None` if the response has no usable date.
fn skew(response: &Response, (before, after): (i64, i64), whose: &str) -> Option<Check> {
    let server_time = response.header("date")?;
    let server_time = jiff::fmt::rfc2822::parse(server_time)
        .ok()?
        .timestamp()
        .as_millisecond();
    // The header has whole seconds, and was set between the request and the response.
    let ahead = before.saturating_sub(server_time.saturating_add(1_000)).max(0);
    let behind = server_time.saturating_sub(after).max(0);
    let differs = ahead.max(behind);
    let area = "clock";
    if differs < SKEW {
        return Some(Check::ok(area, "", "agrees with the platform's"));
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    let found = format!("{} s {direction} that of {whose}", differs / 1_000);
    let fix = "set this machine's clock, for example: timedatectl set-ntp true";
    Some(if differs < BAD_SKEW {
        Check::warning(area, "", found).fix(fix)
    } else {
        Check::problem(area, "", found).fix(fix)
    })
}
