//! The failures for which Mobsted has its own code.

use crate::client::error::{Cause, Explanation, OwnCode};

/// All of the codes.
pub(super) static CODES: &[&OwnCode] = &[&PROTECTED_APP];

/// App 1 of a master account must never be changed.
pub(crate) static PROTECTED_APP: OwnCode = OwnCode {
    explanation: Explanation {
        code: "protected_app",
        meaning: "The call would change App 1 of a master account, which keeps the account's sub-accounts. The vendor says \
                  that the partner account stops working when it is changed or deleted, so provisor refuses before \
                  anything is sent. On a master account, only what docs/mobsted.md lists can be changed, be it by an \
                  operation, a raw call or http::. No flag switches this off.",
        causes: &[
            "a loop over all apps includes App 1",
            "a raw call or a request of http:: is not on the list of what may be changed on a master account",
            "an object, screen or list is changed on a master account without naming its app, or with the wrong one",
        ],
        remedies: &[
            "leave App 1 out; a sub-account's own apps are changed through its session: tenant.connect()",
        ],
        example: "for app in mobsted::connect().apps() {\n    if app.id == 1 { continue; }\n    print(app.name);\n}",
    },
    cause: Cause::Protection,
};
