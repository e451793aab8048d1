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

const fn required_param(name: &'static str, ty: Type, doc: &'static str) -> Param {
    Param {
        name,
        ty,
        required: true,
        doc,
    }
}

pub(super) const URL: Param = required_param(
    "url",
    Type::Text,
    "the address: https, or http on this machine; a path alone is relative to the profile's address",
);

pub(super) const METHOD: Param = required_param(
    "method",
    Type::Text,
    "its name, such as OPTIONS, PROPFIND or PURGE; GET, HEAD and OPTIONS only read",
);

const PROFILE: Param = option(
    "profile",
    Type::Text,
    "the name of a profile of the platform web, whose address, credential, mode and pace apply",
);
const QUERY: Param = option(
    "query",
    Type::Map,
    "query fields to add to the address; a list repeats its field",
);
const HEADERS: Param = option("headers", Type::Map, "additional headers; values may be secrets");
const BEARER: Param = option(
    "bearer",
    Type::SecretText,
    "a token, sent as `Authorization: Bearer …`",
);
const BASIC: Param = option(
    "basic",
    Type::Options(&[
        required_param("user", Type::Text, "who asks"),
        required_param("password", Type::SecretText, "the password"),
    ]),
    "a user and a password, sent as `Authorization: Basic …`",
);
const TIMEOUT: Param = option(
    "timeout",
    Type::Duration,
    "how long one attempt may take, from 1ms to 24h; default 30 s",
);
const CHECK: Param = option("check", Type::Bool, "true: a status of 400 or above is an error");

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
            "the body, as parts: text, or #{content, filename, type} for a file, such as read_bytes(path); a list repeats its \
             part",
        ),
        option("body", Type::SecretText, "the body, sent as it is"),
        option("content_type", Type::Text, "the media type of `body` or `json`"),
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
            "the name of the object or of the request: the same each time, and unique for the method and path in the \
             account",
        ),
        crate::operation::act::REMEMBERED,
        option(
            "reads",
            Type::Bool,
            "true: the request only reads, so it may be sent again; profile modes and limits of changes still treat it as a change",
        ),
        option(
            "probe",
            Type::Function,
            "called with the key: returns the object as a map or a response, or () if it does not exist; may only read",
        ),
    ]),
    "json, form, multipart, body, content_type, profile, query, headers, bearer, basic, timeout, check, key, remember, reads, probe",
);
