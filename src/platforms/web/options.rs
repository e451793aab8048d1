//! The options of a request.

use crate::operation::spec::{Param, Type};

const fn option(name: &'static str, ty: Type, doc: &'static str) -> Param {
    Param {
        name,
        ty,
        required: false,
        doc,
    }
}

const fn needed(name: &'static str, ty: Type, doc: &'static str) -> Param {
    Param {
        name,
        ty,
        required: true,
        doc,
    }
}

pub(super) const URL: Param = needed(
    "url",
    Type::Text,
    "where to: https, or http on this machine; a path alone is below the profile's address",
);

pub(super) const METHOD: Param = needed(
    "method",
    Type::Text,
    "its name, such as OPTIONS, PROPFIND or PURGE; GET, HEAD and OPTIONS only read",
);

const PROFILE: Param = option(
    "profile",
    Type::Text,
    "whose address, credential, mode and pace count: the name of a profile of the platform web",
);
const QUERY: Param = option(
    "query",
    Type::Map,
    "fields to add to the address; a list repeats its field",
);
const HEADERS: Param = option("headers", Type::Map, "further headers; values may be secrets");
const BEARER: Param = option(
    "bearer",
    Type::SecretText,
    "a token, sent as `Authorization: Bearer …`",
);
const BASIC: Param = option(
    "basic",
    Type::Options(&[
        needed("user", Type::Text, "who asks"),
        needed("password", Type::SecretText, "the password"),
    ]),
    "a user and a password, sent as `Authorization: Basic …`",
);
const TIMEOUT: Param = option(
    "timeout",
    Type::Duration,
    "how long one try may take, from 1ms to 24h; 30 s when not given",
);
const CHECK: Param = option("check", Type::Bool, "true: a status from 400 on is an error");

pub(super) const READING: Param = option(
    "options",
    Type::Options(&[PROFILE, QUERY, HEADERS, BEARER, BASIC, TIMEOUT, CHECK]),
    "profile, query, headers, bearer, basic, timeout, check",
);

pub(super) const CHANGING: Param = option(
    "options",
    Type::Options(&[
        option("json", Type::Any, "the body, as JSON"),
        option("form", Type::Map, "the body, as fields of a form"),
        option(
            "multipart",
            Type::Map,
            "the body, as parts: text, or #{content, filename, type} for a file; a list repeats its part",
        ),
        option("body", Type::SecretText, "the body, as it is"),
        option("content_type", Type::Text, "what `body` or `json` says to be"),
        PROFILE,
        QUERY,
        HEADERS,
        BEARER,
        BASIC,
        TIMEOUT,
        CHECK,
        option(
            "key",
            Type::Id,
            "the name of the thing, or of the request: the same each time, and unique for the method and path in the account",
        ),
        crate::operation::act::REMEMBERED,
        option(
            "reads",
            Type::Bool,
            "true: it only reads, so it may be sent again; modes of profiles take it for a change all the same",
        ),
        option(
            "probe",
            Type::Function,
            "called with the key: gives the thing as a map, an answer, or () when it is not there; may only read",
        ),
    ]),
    "json, form, multipart, body, content_type, profile, query, headers, bearer, basic, timeout, check, key, remember, reads, probe",
);
