//! The failures that the vendor's documents list for Sparrow SMS, each with its own text or status, and with the
//! vendor's resolution.

use crate::client::error::{Cause, Explanation, OwnCode};

/// All of the codes.
pub(crate) static CODES: &[&OwnCode] = &[
    &INVALID_PARTNER_TOKEN,
    &TOKENS_MISSING,
    &ACCOUNT_EXPIRED,
    &INVALID_API_TOKEN,
    &API_TOKEN_EXPIRED,
    &LOGIN_FAILED,
    &INVALID_USER,
    &DRAFT,
];

/// The partner token is mistyped or does not exist.
pub(crate) static INVALID_PARTNER_TOKEN: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_invalid_partner_token",
        meaning: "Sparrow SMS does not recognize the partner token. Nothing was sent.",
        causes: &[
            "the partner token is mistyped",
            "it belongs to another installation of the platform",
        ],
        remedies: &[
            "compare `partner_token` with the one that came with the agreement",
            "a partner token stays the same for the life of the account; ask the support desk if you lose it",
        ],
        example: "provisor profile edit sms",
    },
    cause: Cause::Credentials,
};

/// One of the two tokens is missing.
pub(crate) static TOKENS_MISSING: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_tokens_missing",
        meaning: "Sparrow SMS received only one of the two tokens that a sign-in needs. Nothing was sent.",
        causes: &[
            "a token is blank",
            "a variable or a file that should hold it is empty",
        ],
        remedies: &["set both `api_token` and `partner_token` in the profile, or pass them to connect()"],
        example: "sparrow::connect(#{url: \"https://ent-api.sparrowsms.com\", api_token: api, partner_token: partner})",
    },
    cause: Cause::Credentials,
};

/// The account has expired.
pub(crate) static ACCOUNT_EXPIRED: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_account_expired",
        meaning: "The partner token is correct, but its Sparrow SMS account has expired. Nothing was sent.",
        causes: &["the agreement was not renewed"],
        remedies: &["ask Sparrow's business or support desk to renew the account"],
        example: "provisor profile test sms",
    },
    cause: Cause::Account,
};

/// The API token does not belong to the account.
pub(crate) static INVALID_API_TOKEN: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_invalid_api_token",
        meaning: "Sparrow SMS recognizes the partner token, but not the API token. Nothing was sent.",
        causes: &[
            "the API token is mistyped",
            "it was revoked in the portal",
            "it belongs to another account",
        ],
        remedies: &[
            "copy `api_token` from the portal's token management; the partner token is correct",
            "generate a new one there, and put it into the profile",
        ],
        example: "provisor profile edit sms",
    },
    cause: Cause::Credentials,
};

/// The API token has expired.
pub(crate) static API_TOKEN_EXPIRED: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_api_token_expired",
        meaning: "The API token of Sparrow SMS has expired. Nothing was sent.",
        causes: &["API tokens expire on a date that the portal shows"],
        remedies: &[
            "generate a new API token in the portal, and put it into the profile as `api_token`",
            "provisor resume --retry-failed retries the failed rows",
        ],
        example: "provisor profile edit sms",
    },
    cause: Cause::Credentials,
};

/// The two tokens do not belong together.
pub(crate) static LOGIN_FAILED: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_login_failed",
        meaning: "Sparrow SMS refuses this pair of tokens, and does not report which one is wrong. Nothing was sent.",
        causes: &[
            "the tokens belong to different accounts",
            "one of them is mistyped",
        ],
        remedies: &["check both `api_token` and `partner_token`: they must belong to the same account"],
        example: "provisor profile edit sms",
    },
    cause: Cause::Credentials,
};

/// The account is no longer active.
pub(crate) static INVALID_USER: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_invalid_user",
        meaning: "The Sparrow SMS account is no longer active. Nothing was sent.",
        causes: &["the account was closed or suspended"],
        remedies: &["the account is no longer active: ask Sparrow's support desk"],
        example: "provisor profile test sms",
    },
    cause: Cause::Account,
};

/// The account cannot pay: the message is kept as a draft.
pub(crate) static DRAFT: OwnCode = OwnCode {
    explanation: Explanation {
        code: "sparrow_draft",
        meaning: "Sparrow SMS accepted the message but did not send it: the account cannot pay for it, and the message is \
                  kept in the portal as a draft. provisor does not send it again automatically, since the draft may still \
                  go out.",
        causes: &[
            "the account has too few credits for that many recipients",
            "the account's billing is suspended",
        ],
        remedies: &[
            "top up the account and send the draft from the portal; sending the message again would create a second one",
            "a retry of the run does not send it again: if you deleted the draft, run provisor resolve RUN STEP \
             --as absent, then provisor resume RUN",
        ],
        example: "try {\n    sparrow::connect().send_sms(#{sender: \"Bakery\", text: \"Hello\", recipients: \"+4915112345678\"});\n} catch (err) {\n    if err.kind == \"sparrow_draft\" { print(err.message); } else { throw err; }\n}",
    },
    cause: Cause::HalfDone,
};

/// The vendor's texts for refused sign-ins, as its documents print them.
static TEXTS: [(&str, &OwnCode); 7] = [
    ("Invalid Partner Token", &INVALID_PARTNER_TOKEN),
    (
        "Must include \"partner_token\" and \"api_token\"",
        &TOKENS_MISSING,
    ),
    ("Account is Expired", &ACCOUNT_EXPIRED),
    ("Invalid API Token", &INVALID_API_TOKEN),
    ("API Token Expired", &API_TOKEN_EXPIRED),
    ("Unable to log in with provided credentials.", &LOGIN_FAILED),
    ("Invalid User", &INVALID_USER),
];

/// The fault that the response to a sign-in names. Ignores case, quotes and the final full stop.
pub(super) fn fault_in_text(text: &str) -> Option<&'static OwnCode> {
    let normalized = normalized_words(text);
    let found = TEXTS
        .iter()
        .find(|(known, _)| normalized.contains(&normalized_words(known)));
    found.map(|(_, fault)| *fault)
}

/// The words in lower case, separated by single spaces.
fn normalized_words(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_error_text_is_recognized_despite_case_and_quoting() {
        for (text, fault) in &TEXTS {
            assert_eq!(fault_in_text(text), Some(*fault));
            assert_eq!(fault_in_text(&text.to_uppercase()), Some(*fault));
            assert_eq!(
                fault_in_text(&format!("{{\"errors\":[\"{}\"]}}", text.replace('"', "\\\""))),
                Some(*fault)
            );
        }
        assert_eq!(
            fault_in_text("Unable to log in with provided credentials"),
            Some(&LOGIN_FAILED)
        );
        assert_eq!(fault_in_text("Please try later"), None);
    }
}
