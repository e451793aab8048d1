//! Import of JRNI requests recorded by other tools.

use crate::operation::import::ImportArg::{Field, Path, Rest};
use crate::operation::import::{ApiRoot, ImportArg, ImportRoute, ImportRules, ImportScope, Mark};

const ENSURES: &str = "created, or returned unchanged if already recorded";
const PERSON: &str =
    "created, or returned unchanged if already recorded; no e-mail is sent unless `notify` is true";
const COMPANY: &str = "created, or returned unchanged if already recorded; the vendor documents no such call";

/// The rules that convert requests to calls.
pub(super) const RULES: ImportRules = ImportRules {
    roots: &[root("/api/v1"), root("/api/v3"), root("/api/v5")],
    hosts: &["jrni.", "bookingbug."],
    marks: &[Mark::Header("app-id")],
    aliases: &[
        ("app_id", &["xappid"]),
        ("app_key", &["xappkey"]),
        ("company", &["companyid"]),
        ("url", &["bburl"]),
    ],
    headers: &[
        ("app-id", Some("app_id")),
        ("app-key", Some("app_key")),
        ("auth-token", None),
    ],
    scope: Some(ImportScope {
        key: "company",
        switch: "within",
    }),
    routes: ROUTES,
};

const fn root(path: &'static str) -> ApiRoot {
    ApiRoot {
        path,
        in_address: true,
        distinctive: false,
    }
}

/// The arguments of a sign-in whose body may name the company.
const SIGN_IN: &[(&str, ImportArg)] = &[
    ("login", Field("email")),
    ("password", Field("password")),
    ("company", Field("id")),
];

// Members and single sign-on have separate paths, which provisor does not use; the forgotten-password request uses a
// subpath of the same path.
const ROUTES: &[ImportRoute] = &[
    ImportRoute::sign_in("POST", "login", SIGN_IN).requiring_fields(&["email", "password"]),
    ImportRoute::sign_in("POST", "login/admin", SIGN_IN).requiring_fields(&["email", "password"]),
    ImportRoute::sign_in(
        "POST",
        "login/admin/{company}",
        &[
            ("login", Field("email")),
            ("password", Field("password")),
            ("company", Path("company")),
        ],
    )
    .requiring_fields(&["email", "password"]),
    ImportRoute::call("DELETE", "login", "jrni::logout", &[]),
    ImportRoute::automatic(
        "PUT",
        "login/admin",
        "provisor acts on another company by `within`",
    ),
    ImportRoute::call("GET", "admin/{company}/company", "jrni::company", &[]).within("company"),
    ImportRoute::call("GET", "company/{company}", "jrni::company", &[]).within("company"),
    ImportRoute::call("GET", "company/{company}/children", "jrni::children", &[]).within("company"),
    ImportRoute::call(
        "GET",
        "admin/{company}/company/find_by_ref/{ref}",
        "jrni::find_company",
        &[Path("ref")],
    )
    .within("company"),
    ImportRoute::call(
        "GET",
        "company/find_by_ref/{ref}",
        "jrni::find_company",
        &[Path("ref")],
    ),
    ImportRoute::call(
        "POST",
        "admin/{company}/company",
        "jrni::ensure_company",
        &[Field("ref"), Rest],
    )
    .within("company")
    .note(COMPANY),
    ImportRoute::call(
        "PUT",
        "admin/{company}/company",
        "jrni::update_company",
        &[Path("company"), Rest],
    ),
    ImportRoute::call(
        "DELETE",
        "admin/{company}/company",
        "jrni::disable_company",
        &[Path("company")],
    ),
    ImportRoute::call(
        "GET",
        "admin/{company}/administrators",
        "jrni::administrators",
        &[],
    )
    .within("company"),
    ImportRoute::call(
        "POST",
        "admin/{company}/administrators",
        "jrni::ensure_administrator",
        &[Field("email"), Rest],
    )
    .within("company")
    .note(ENSURES),
    ImportRoute::call("GET", "admin/{company}/people", "jrni::people", &[]).within("company"),
    ImportRoute::call(
        "POST",
        "admin/{company}/people",
        "jrni::ensure_person",
        &[Field("reference"), Rest],
    )
    .within("company")
    .note(PERSON),
];
