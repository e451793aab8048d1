//! The failures that Sparrow SMS names.

/// A failure with a text or a status of its own in the vendor's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The partner token is mistyped or does not exist.
    InvalidPartnerToken,
    /// One of the two tokens is missing.
    TokensMissing,
    /// The account has run out.
    AccountExpired,
    /// The API token is not one of the account's.
    InvalidApiToken,
    /// The API token has run out.
    ApiTokenExpired,
    /// The two tokens do not go together.
    LoginFailed,
    /// The account is no longer active.
    InvalidUser,
    /// The account cannot pay: the message is kept as a draft.
    Draft,
}

/// The vendor's texts for refused sign-ins, as its documents print them.
const TEXTS: &[(&str, Fault)] = &[
    ("Invalid Partner Token", Fault::InvalidPartnerToken),
    (
        "Must include \"partner_token\" and \"api_token\"",
        Fault::TokensMissing,
    ),
    ("Account is Expired", Fault::AccountExpired),
    ("Invalid API Token", Fault::InvalidApiToken),
    ("API Token Expired", Fault::ApiTokenExpired),
    ("Unable to log in with provided credentials.", Fault::LoginFailed),
    ("Invalid User", Fault::InvalidUser),
];

impl Fault {
    /// Does it refuse the sign-in, so that asking again is useless?
    pub fn refuses_sign_in(self) -> bool {
        self != Fault::Draft
    }

    /// The fault that an answer to a sign-in speaks of. Case, quotes and the final dot do not count.
    pub(super) fn of_text(text: &str) -> Option<Fault> {
        let said = letters(text);
        let found = TEXTS.iter().find(|(known, _)| said.contains(&letters(known)));
        found.map(|(_, fault)| *fault)
    }
}

/// Letters in lower case, and single blanks between the words.
fn letters(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_known_however_it_is_quoted() {
        for (text, fault) in TEXTS {
            assert_eq!(Fault::of_text(text), Some(*fault));
            assert_eq!(Fault::of_text(&text.to_uppercase()), Some(*fault));
            assert_eq!(
                Fault::of_text(&format!("{{\"errors\":[\"{}\"]}}", text.replace('"', "\\\""))),
                Some(*fault)
            );
        }
        assert_eq!(
            Fault::of_text("Unable to log in with provided credentials"),
            Some(Fault::LoginFailed)
        );
        assert_eq!(Fault::of_text("Please try later"), None);
    }
}
