//! Import of Sparrow requests recorded by other tools.

use crate::operation::import::ImportArg::{self, Field, Path, Text};
use crate::operation::import::{ApiRoot, ImportRoute, ImportRules, Mark};

/// The rules that convert requests to calls.
pub(super) const RULES: ImportRules = ImportRules {
    roots: &[ApiRoot {
        path: "/v1",
        in_address: false,
        distinctive: false,
    }],
    // The bulk API is another platform, on a host without a prefix.
    hosts: &["-api.sparrowsms.", "ent.sparrowsms."],
    marks: &[Mark::Path("autho/apitoken/login"), Mark::Variable("partnertoken")],
    aliases: &[("api_token", &["token", "apikey"])],
    routes: ROUTES,
    ..ImportRules::NONE
};

const ROUTES: &[ImportRoute] = &[
    ImportRoute::sign_in(
        "POST",
        "autho/apitoken/login",
        &[
            ("api_token", Field("api_token")),
            ("partner_token", Field("partner_token")),
        ],
    ),
    ImportRoute::call(
        "POST",
        "viber/message/compose",
        "sparrow::send_viber",
        &[COMPOSED],
    ),
    ImportRoute::call(
        "POST",
        "viber/message/transactional",
        "sparrow::send_viber_template",
        &[TEMPLATE],
    ),
    ImportRoute::call("POST", "intlsms/compose", "sparrow::send_sms", &[SMS]),
    ImportRoute::call("POST", "whatsapp/messages", "sparrow::send_whatsapp", &[WHATSAPP]),
    ImportRoute::call(GET_OR_POST, "viber/campaign/report/{id}", VIBER, &[Path("id")]),
    ImportRoute::call(
        GET_OR_POST,
        "viber/campaign/report/{id}/delivery",
        VIBER,
        DELIVERED,
    ),
    ImportRoute::call(GET_OR_POST, "viber/campaign/report/{id}/failed", VIBER, FAILED),
    ImportRoute::call(GET_OR_POST, "intlsms/compose/report/{id}", BY_SMS, &[Path("id")]),
    ImportRoute::call(
        GET_OR_POST,
        "intlsms/compose/report/{id}/delivery",
        BY_SMS,
        DELIVERED,
    ),
    ImportRoute::call(GET_OR_POST, "intlsms/compose/report/{id}/failed", BY_SMS, FAILED),
    ImportRoute::call("GET", "intlsms/compose/tarrif", "sparrow::tariffs", &[]),
];

/// Reports are read with GET; an older vendor document says POST.
const GET_OR_POST: &str = "GET|POST";
const VIBER: &str = "sparrow::viber_report";
const BY_SMS: &str = "sparrow::sms_report";
const DELIVERED: &[ImportArg] = &[Path("id"), Text("delivery")];
const FAILED: &[ImportArg] = &[Path("id"), Text("failed")];

const COMPOSED: ImportArg = ImportArg::Map {
    places: &[
        ("sender", "/session/sender_name"),
        ("recipients", "/session/recipients"),
        ("text", "/data/text"),
        ("image", "/data/image"),
        ("action", "/action"),
        ("tag", "/session/tag"),
    ],
    moves: &[],
};
const TEMPLATE: ImportArg = ImportArg::Map {
    places: &[
        ("sender", "/session/sender_name"),
        ("campaign", "/session/campaign_name"),
        ("recipients", "/session/recipients"),
        ("template", "/data/template_id"),
        ("params", "/data/template_params"),
        ("tag", "/session/tag"),
    ],
    moves: &[],
};
const SMS: ImportArg = ImportArg::Map {
    places: &[
        ("sender", "/session/sender_name"),
        ("recipients", "/session/recipients"),
        ("text", "/data/text"),
        ("type", "/data/msg_type"),
        ("tag", "/session/tag"),
    ],
    moves: &[],
};
const WHATSAPP: ImportArg = ImportArg::Map {
    places: &[
        ("recipient", "/recipient"),
        ("template", "/template_id"),
        ("parameters", "/parameters"),
        ("media_url", "/media_url"),
        ("filename", "/filename"),
        ("text", "/session_text"),
        ("media", "/session_media"),
    ],
    // The message type of a conversation is a key of its file's map.
    moves: &[("/message_type", "/session_media/type")],
};
