//! Mobsted's requests.

use super::typed::{Arg, Typed};
use super::{Ask, Done, Meaning};
use crate::cli::import::values::Values;

const ENSURES: &str = "created, or returned unchanged when it is recorded already";

/// The account of a request that signs in.
pub(super) fn sign_in(ask: &Ask) -> Option<Vec<(&'static str, String)>> {
    let is_it = ask.method == "GET" && ask.path == ["auth"];
    is_it.then(|| vec![("login", ask.query("login")), ("password", ask.query("password"))])
}

pub(super) fn meaning(ask: &Ask, values: &mut Values) -> Done {
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    let new = |op, args| Typed::new(op, ask.session, args);
    let typed = match (ask.method, path.as_slice()) {
        ("GET", ["refresh"]) => return Ok(Meaning::ByItself("provisor renews tokens by itself")),
        ("POST", ["partners"]) => new("mobsted::ensure_tenant", vec![Arg::Field("email")]).note(ENSURES),
        ("GET", ["object"]) if ask.query("applicationId") == "1" => {
            new("mobsted::tenants", vec![Arg::Meant("applicationId")])
        }
        ("GET", ["object"]) => new("mobsted::objects", vec![Arg::Query("applicationId")]),
        ("GET", ["applications"]) => new("mobsted::apps", vec![]),
        ("POST", ["applications"]) => new(
            "mobsted::ensure_app",
            vec![
                Arg::Field("Name"),
                Arg::Field("appWebSiteUrl"),
                Arg::More("fields", &["Name", "appWebSiteUrl", "type"]),
            ],
        )
        .note(ENSURES),
        ("PUT", ["applications", id]) => new("mobsted::update_app", vec![Arg::Text(id), Arg::Body]),
        ("DELETE", ["applications", id]) => new("mobsted::delete_app", vec![Arg::Text(id)]),
        ("GET", ["screen"]) => new("mobsted::screens", vec![Arg::Query("ApplicationId")]),
        ("GET", ["lists"]) => new("mobsted::lists", vec![Arg::Query("appId")]),
        ("GET", ["hashtags", "info"]) => new("mobsted::hashtags", vec![Arg::Query("applicationId")]),
        ("POST", ["hashtags", "objects"]) => new(
            "mobsted::object_tags",
            vec![Arg::Field("applicationId"), Arg::Field("ids"), Arg::Field("tags")],
        ),
        ("POST", ["nginx", "config"]) => new(
            "mobsted::set_domain",
            vec![Arg::Field("domain"), Arg::Renamed("appId", "app")],
        )
        .implied(&["isCustom"]),
        _ => return ask.raw(values),
    };
    ask.typed(values, &typed)
}
