//! The failures for which Mobsted has its own code.

use crate::client::error::{Cause, Explanation, OwnCode};

/// All of the codes.
pub(super) static CODES: &[&OwnCode] = &[&PROTECTED_APP];

/// App 1 of a master account must never be changed.
pub(crate) static PROTECTED_APP: OwnCode = OwnCode {
    explanation: Explanation {
        code: "protected_app",
        meaning: "The call would change App 1 of a master account, which stores the account's sub-accounts. According to \
                  the vendor, the partner account stops working if App 1 is changed or deleted, so provisor refuses before \
                  anything is sent. On a master account, only what docs/mobsted.md lists can be changed, whether by an \
                  operation, a raw call or http::. No flag switches this off.",
        causes: &[
            "a loop over all apps includes App 1",
            "a raw call or an http:: request is not on the list of permitted changes to a master account",
            "an object, screen or list is changed on a master account without naming its app, or with the wrong one",
        ],
        remedies: &["skip App 1; change a sub-account's apps through its own session: tenant.connect()"],
        example: "for app in mobsted::connect().apps() {\n    if app.id == 1 { continue; }\n    print(app.name);\n}",
    },
    cause: Cause::Protection,
};
