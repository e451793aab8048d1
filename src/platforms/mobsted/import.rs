//! Import of Mobsted requests recorded by other tools.

use crate::operation::import::ImportArg::{Field, FieldAs, Path, Query, Rest, RestAs, Unique};
use crate::operation::import::{ApiRoot, ImportRoute, ImportRules};

const ENSURES: &str = "created, or returned unchanged if already recorded";

/// The rules that convert requests to calls.
pub(super) const RULES: ImportRules = ImportRules {
    roots: &[ApiRoot {
        path: "/api/v8",
        in_address: false,
        distinctive: true,
    }],
    hosts: &["mobsted"],
    routes: ROUTES,
    ..ImportRules::NONE
};

const ROUTES: &[ImportRoute] = &[
    ImportRoute::sign_in(
        "GET",
        "auth",
        &[("login", Query("login")), ("password", Query("password"))],
    ),
    ImportRoute::automatic("GET", "refresh", "provisor renews tokens automatically"),
    // The vendor's manual: the e-mail address "has to be a new unique email for every new sub-account/tenant", and of the
    // response: "Save this info".
    ImportRoute::call("POST", "partners", "mobsted::ensure_tenant", &[Unique("email")])
        .returning()
        .note(ENSURES),
    ImportRoute::call("GET", "object", "mobsted::tenants", &[]).where_query("applicationId", "1"),
    ImportRoute::call("GET", "object", "mobsted::objects", &[Query("applicationId")]),
    ImportRoute::call("GET", "applications", "mobsted::apps", &[]),
    ImportRoute::call(
        "POST",
        "applications",
        "mobsted::ensure_app",
        &[Field("Name"), Field("appWebSiteUrl"), RestAs("fields")],
    )
    .implied(&["type"])
    .note(ENSURES),
    ImportRoute::call(
        "PUT",
        "applications/{id}",
        "mobsted::update_app",
        &[Path("id"), Rest],
    ),
    ImportRoute::call(
        "DELETE",
        "applications/{id}",
        "mobsted::delete_app",
        &[Path("id")],
    ),
    ImportRoute::call("GET", "screen", "mobsted::screens", &[Query("ApplicationId")]),
    ImportRoute::call("GET", "lists", "mobsted::lists", &[Query("appId")]),
    ImportRoute::call(
        "GET",
        "hashtags/info",
        "mobsted::hashtags",
        &[Query("applicationId")],
    ),
    ImportRoute::call(
        "POST",
        "hashtags/objects",
        "mobsted::object_tags",
        &[Field("applicationId"), Field("ids"), Field("tags")],
    ),
    ImportRoute::call(
        "POST",
        "nginx/config",
        "mobsted::set_domain",
        &[Field("domain"), FieldAs("appId", "app")],
    )
    .implied(&["isCustom"]),
];
