//! Signs in, uses refresh tokens, and checks access tokens.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use super::super::call::Call;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::super::token::{Claims, Use};
use super::state::new_uuid;
use super::{Action, Event, HOST_SUFFIX, State, envelope};

/// Plans `GET /auth?login=&password=`.
pub(super) fn sign_in(site: &Site, call: &Call) -> Result<Action, Reply> {
    let (Some(login), Some(password)) = (call.parameter("login"), call.parameter("password")) else {
        return Err(refused("Login and password are required"));
    };
    let known = site.read(|state: &State| {
        let tenant = state.tenant(&call.account);
        tenant.is_some_and(|tenant| {
            let account = &tenant.account;
            account.email.trim().to_lowercase() == login.trim().to_lowercase() && account.password == password
        })
    });
    if !known {
        return Err(refused("Login or password is wrong"));
    }
    Ok(Action::Do(Event::SignedIn {
        tenant: call.account.clone(),
        uid: new_uuid(),
    }))
}

/// Plans `GET /refresh?refresh_token=`. Public clients show that 501 means "not accepted".
pub(super) fn refresh(site: &Site, call: &Call) -> Result<Action, Reply> {
    let claims = call
        .parameter("refresh_token")
        .and_then(|token| site.signer.verify(Use::Refresh, &token))
        .filter(|claims| is_valid_for(site, claims, &call.account));
    let Some(claims) = claims else {
        return Err(envelope::error(
            StatusCode::NOT_IMPLEMENTED,
            "The refresh token is not accepted",
        ));
    };
    Ok(Action::Do(Event::Refreshed {
        tenant: call.account.clone(),
        old: claims.uid,
        new: new_uuid(),
        strict: !site.behaviour.lenient_refresh,
    }))
}

/// Checks the access token and returns the identifier of its sign-in.
pub(super) fn authorise(site: &Site, call: &Call) -> Result<String, Reply> {
    let token = call.bearer();
    let token = token.ok_or_else(|| refused("An Authorization header with a bearer token is required"))?;
    let claims = site.signer.verify(Use::Access, token);
    let claims = claims
        .filter(|claims| is_valid_for(site, claims, &call.account))
        .ok_or_else(unauthorised)?;
    if site.read(|state: &State| state.access_open(&claims.uid)) {
        Ok(claims.uid)
    } else {
        Err(unauthorised())
    }
}

/// Returns the response to an invalid token, whatever the reason.
pub(super) fn unauthorised() -> Reply {
    refused("The access token is invalid or has expired")
}

fn refused(detail: &str) -> Reply {
    envelope::error(StatusCode::UNAUTHORIZED, detail)
}

/// Returns the two tokens of a sign-in in the form of the vendor manual. `expires_in` is the time at which the access
/// token expires, not a duration.
pub(super) fn tokens(site: &Site, account: &str, uid: &str) -> Reply {
    let user = site.read(|state: &State| state.tenant(account).map(|tenant| tenant.account.user.clone()));
    let now = now_seconds(site);
    let until = |life: Duration| now.saturating_add(i64::try_from(life.as_secs()).unwrap_or(i64::MAX));
    let mut claims = Claims {
        iss: format!("{account}{HOST_SUFFIX}"),
        nbf: now,
        exp: until(site.behaviour.access_life),
        uid: uid.to_owned(),
        sub: "api".to_owned(),
        objuuid: String::new(),
        useruuid: user.unwrap_or_default(),
    };
    let expires_in = claims.exp;
    let access_token = site.signer.sign(Use::Access, &claims);
    claims.exp = until(site.behaviour.refresh_life);
    let refresh_token = site.signer.sign(Use::Refresh, &claims);
    Reply::ok(&json!({
        "access_token": access_token,
        "refresh_token": refresh_token,
        "expires_in": expires_in,
    }))
}

fn is_valid_for(site: &Site, claims: &Claims, account: &str) -> bool {
    let now = now_seconds(site);
    claims.iss.strip_suffix(HOST_SUFFIX) == Some(account) && claims.nbf <= now && now < claims.exp
}

fn now_seconds(site: &Site) -> i64 {
    site.world.now() / 1000
}
