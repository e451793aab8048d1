//! The failures specific to JRNI.

use crate::client::error::{Cause, Explanation, OwnCode};

/// All of the codes.
pub(crate) static CODES: &[&OwnCode] = &[&CHOOSE_COMPANY];

/// The credentials are valid for several companies, and none was named.
pub(crate) static CHOOSE_COMPANY: OwnCode = OwnCode {
    explanation: Explanation {
        code: "choose_company",
        meaning: "The login and password are valid for several JRNI companies, and none was selected. The message lists \
                  them.",
        causes: &[
            "one person is the administrator of several companies, with one password",
            "the platform does not report which company it signed the account in to",
        ],
        remedies: &[
            "name one of them: `company` in the profile, or jrni::connect(#{company: …, …})",
            "create a profile for each company, so that scripts can name them: company = \"37001\"",
        ],
        example: "jrni::connect(\"booking-37001\")   // a profile that names its company",
    },
    // The credentials are right.
    cause: Cause::Profile,
};
