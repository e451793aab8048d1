//! The failures that the vendor's documents list for the bulk API, each with its own number and text.

use crate::client::error::{Cause, Explanation, OwnCode};

/// All of the codes.
pub(crate) static CODES: &[&OwnCode] = &[
    &INVALID_TOKEN,
    &INVALID_IP,
    &ACCOUNT_INACTIVE,
    &ACCOUNT_EXPIRED,
    &NO_CREDIT,
    &INVALID_SENDER,
    &INVALID_RECEIVER,
    &FIELD_MISSING,
    &TEXT_EMPTY,
];

/// The token is not accepted.
pub(crate) static INVALID_TOKEN: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_bulk_invalid_token",
        meaning: "The bulk API of Sparrow SMS does not accept the token (1002). Nothing was sent.",
        causes: &[
            "the token is mistyped, or was generated anew on the website",
            "it is a token of the enterprise API, which has other tokens and another platform name: `sparrow`",
        ],
        remedies: &[
            "copy the token from Sparrow's website, and put it into the profile as `api_token`",
            "provisor resume --retry-failed retries the failed rows",
        ],
        example: "provisor profile edit bulk --secret api_token=sealed",
    },
    cause: Cause::Credentials,
};

/// The address of this machine is not admitted.
pub(crate) static INVALID_IP: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_bulk_invalid_ip",
        meaning: "The bulk API of Sparrow SMS does not accept requests from this machine's address (1001). Nothing was \
                  sent.",
        causes: &[
            "the account admits certain addresses only, and this one is not among them",
            "a proxy or another network changed the address that the platform sees",
        ],
        remedies: &[
            "ask Sparrow to admit this machine's public address, or run provisor where the address is admitted",
            "provisor resume --retry-failed retries the failed rows",
        ],
        example: "provisor profile test bulk",
    },
    cause: Cause::Account,
};

/// The account is not active.
pub(crate) static ACCOUNT_INACTIVE: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_bulk_account_inactive",
        meaning: "The account at the bulk API of Sparrow SMS is not active (1003, 1004). Nothing was sent.",
        causes: &["the account was not activated yet, or was closed or suspended"],
        remedies: &["ask Sparrow's support desk to activate the account"],
        example: "provisor profile test bulk",
    },
    cause: Cause::Account,
};

/// The account has expired.
pub(crate) static ACCOUNT_EXPIRED: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_bulk_account_expired",
        meaning: "The account at the bulk API of Sparrow SMS has expired (1005, 1006). Nothing was sent.",
        causes: &["the account was not renewed"],
        remedies: &["ask Sparrow's business or support desk to renew the account"],
        example: "provisor profile test bulk",
    },
    cause: Cause::Account,
};

/// The account cannot pay for the message.
pub(crate) static NO_CREDIT: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_bulk_no_credit",
        meaning: "The account at the bulk API of Sparrow SMS has no credit (1012), or not enough for this message (1013). \
                  Nothing was sent, and the message is not kept.",
        causes: &[
            "the account has fewer credits than the message costs for all its recipients",
            "a long text counts as several messages",
        ],
        remedies: &[
            "top up the account, then provisor resume --retry-failed",
            "`credit()` shows what is left",
        ],
        example: "provisor resume --retry-failed",
    },
    cause: Cause::Refusal,
};

/// The account may not send as this sender.
pub(crate) static INVALID_SENDER: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_bulk_invalid_sender",
        meaning: "The account at the bulk API of Sparrow SMS may not send as this sender (1008). Nothing was sent.",
        causes: &["`sender` is not an identity that Sparrow has given to the account"],
        remedies: &["use an identity of the account as `sender`, spelled as Sparrow has registered it"],
        example: "provisor explain sparrow_bulk_invalid_sender",
    },
    cause: Cause::Refusal,
};

/// None of the recipients can be reached.
pub(crate) static INVALID_RECEIVER: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_bulk_invalid_receiver",
        meaning: "The bulk API of Sparrow SMS considers a recipient invalid (1007), or all of them (1011). Nothing was \
                  sent.",
        causes: &["a number is not a mobile number of Nepal"],
        remedies: &["correct the recipients: mobile numbers of Nepal, 10 digits without the country code"],
        example: "provisor explain sparrow_bulk_invalid_receiver",
    },
    cause: Cause::Refusal,
};

/// The platform misses a field.
pub(crate) static FIELD_MISSING: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_bulk_field_missing",
        meaning: "The bulk API of Sparrow SMS misses a required field (1000). Nothing was sent.",
        causes: &[
            "a proxy removed a part of the request",
            "the platform has changed its fields",
        ],
        remedies: &["-v shows the exchange; report it to the maintainers if the platform has changed"],
        example: "provisor explain sparrow_bulk_field_missing",
    },
    cause: Cause::Refusal,
};

/// The text is empty.
pub(crate) static TEXT_EMPTY: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_bulk_text_empty",
        meaning: "The bulk API of Sparrow SMS considers the text empty (1010). Nothing was sent.",
        causes: &["the text holds only characters that the platform removes"],
        remedies: &["give the message a text that can be read"],
        example: "provisor explain sparrow_bulk_text_empty",
    },
    cause: Cause::Refusal,
};

/// The failure with this number, as the vendor's documents list them.
pub(super) fn of_code(code: i64) -> Option<&'static OwnCode> {
    Some(match code {
        1000 => &FIELD_MISSING,
        1001 => &INVALID_IP,
        1002 => &INVALID_TOKEN,
        1003 | 1004 => &ACCOUNT_INACTIVE,
        1005 | 1006 => &ACCOUNT_EXPIRED,
        1007 | 1011 => &INVALID_RECEIVER,
        1008 => &INVALID_SENDER,
        1010 => &TEXT_EMPTY,
        1012 | 1013 => &NO_CREDIT,
        _ => return None,
    })
}
