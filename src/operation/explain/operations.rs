//! The codes of operations.

use super::Explanation;

/// One entry for each of `operation::error::Code`, in its order.
pub(super) const CODES: &[Explanation] = &[
    Explanation {
        code: "bad_argument",
        meaning: "An argument of an operation does not fit what the operation takes. Nothing was sent.",
        causes: &[
            "an argument is missing, or one too many is given",
            "an argument has another type than the operation takes",
            "an options map has a key that the operation does not know",
            "a text does not have the form it must have, such as an e-mail address",
        ],
        remedies: &[
            "compare the call with `provisor ops show OPERATION`",
            "a value from a table is text; declare the parameter's type with `@param`",
        ],
        example: "http::get(\"https://api.example.com\", #{query: #{page: 2}})   // not #{queries: …}",
    },
    Explanation {
        code: "bad_profile",
        meaning: "The account that the script asks for cannot be used: its profile is not in the configuration, lacks a \
                  setting, or is another platform's. Nothing was sent.",
        causes: &[
            "there is no profile of this name, or none is chosen",
            "the profile has no address, no login, or no source for its password",
            "the password's file, variable or command cannot be read",
            "the profile belongs to another platform than the module that asks for it",
        ],
        remedies: &[
            "check the profile in the configuration file; `provisor paths` shows where it is",
            "choose another one with --profile NAME",
            "try the script without an account: --sandbox",
        ],
        example: "provisor run onboard.rhai --profile acme --email ann@example.com --site https://ann.example",
    },
    Explanation {
        code: "bad_address",
        meaning: "The address may not be used. Nothing was sent to it.",
        causes: &[
            "it is plain http, and not on this machine",
            "a raw call's path leads out of the account's API, to another origin or above it",
            "the sandbox is on and the address is a real one, or the other way round",
        ],
        remedies: &[
            "write the address with https://, and a raw call's path as it stands below the API",
            "take --sandbox away to reach real addresses",
        ],
        example: "http::get(\"https://api.example.com/items\")   // https, and neither a user nor a password in it",
    },
    Explanation {
        code: "sign_in_refused",
        meaning: "The account refuses the credentials. provisor does not go on trying them, since accounts are locked \
                  after too many attempts.",
        causes: &[
            "the login or the password is wrong, or has been changed",
            "the address belongs to another account than the login",
            "a client has changed the password of its tenant",
        ],
        remedies: &[
            "check login and password, and that the address is the account's own",
            "record a tenant's new password: provisor tenants set-password EMAIL",
        ],
        example: "fn main(session) {\n    try {\n        session.apps();\n    } catch (err) {\n        if err.kind == \"sign_in_refused\" { print(err.hint); } else { throw err; }\n    }\n}",
    },
    Explanation {
        code: "forbidden",
        meaning: "The account may not do this, or the profile's mode does not allow it.",
        causes: &[
            "tenants are asked of an account that the platform has not made a partner",
            "the profile's mode is read-only and the operation changes something",
            "the user who signs in lacks a right on the platform",
        ],
        remedies: &[
            "ask the platform whether the account may do this",
            "choose a profile of another mode",
        ],
        example: "provisor profile edit acme --mode dev",
    },
    Explanation {
        code: "secret_elsewhere",
        meaning: "The request would take a secret to a host where it does not belong. What an account gives (a tenant's \
                  password, a token, a key) goes back to that account and nowhere else, unless `secrets_to` in the profile \
                  of that account says so. Nothing was sent. What a person hands the script, as a parameter or as the answer \
                  to `ask_secret`, goes where the script sends it.",
        causes: &[
            "a tenant's password, or a text joined with it, is sent to another system",
            "a token of one service is used for another one",
            "the line is in a project's provisor.toml that is not trusted",
        ],
        remedies: &[
            "if the host may have it, add the line that the message names, and resume",
            "if not, leave the secret out of the request",
        ],
        example: "http::post(\"https://crm.example.com/clients\", #{json: #{password: tenant.password}})\n// in the configuration: [profiles.acme]  secrets_to = [\"crm.example.com\"]",
    },
    Explanation {
        code: "already_exists",
        meaning: "The object exists already: the ledger holds it, or it is only on the platform, so that provisor cannot \
                  know that it is yours. The message names the case.",
        causes: &[
            "someone created it by hand or with another tool",
            "provisor created it with another home folder",
            "`create_…` was used where `ensure_…` is meant",
            "several objects have this name",
        ],
        remedies: &[
            "if the ledger holds it, the ensure operation returns it",
            "if it is only on the platform, and yours, adopt it with `adopt: true` in the options of the ensure operation",
            "give the new one another name",
        ],
        example: "fn main(session) { session.ensure_tenant(\"ann@example.com\", #{adopt: true}) }",
    },
    Explanation {
        code: "already_done",
        meaning: "The same act, a message or a request that nothing can look up, is done already. It was not sent again.",
        causes: &[
            "an earlier run of the same script has made the same request for the same row",
            "a script was edited after the row had acted, and asks for the act with other arguments",
        ],
        remedies: &[
            "see what was done: provisor runs steps RUN",
            "to repeat it all the same, add --again to the command",
            "mark a request that changes nothing with `reads: true`; give one that is made only once a `key`",
        ],
        example: "provisor resume r7f3k --retry-failed --with-current --again",
    },
    Explanation {
        code: "not_found",
        meaning: "The object does not exist on the platform.",
        causes: &[
            "the identifier belongs to another account",
            "it was deleted",
            "a raw call's path is not one of the platform's",
        ],
        remedies: &[
            "look it up first; `find_…` returns `()` when nothing matches",
            "check that the session is the account that has it",
        ],
        example: "fn main(session) {\n    let app = session.find_app(\"Shop\");\n    if app == () { print(\"there is no such app\"); }\n}",
    },
    Explanation {
        code: "credential_missing",
        meaning: "The tenant exists, but its password is not on record and the platform does not give it again.",
        causes: &[
            "the tenant was taken over, and its row on the platform shows no password",
            "the answer that carried the password was lost, and the platform does not show it afterwards",
        ],
        remedies: &[
            "record its password: provisor tenants set-password EMAIL",
            "have the client reset the password, and record the new one",
        ],
        example: "provisor tenants set-password ann@example.com",
    },
    Explanation {
        code: "refused",
        meaning: "The platform understood the request and refused it. Its own words are part of the message.",
        causes: &[
            "a field's value is not acceptable to the platform",
            "a required field is missing",
            "a limit of the account is reached",
        ],
        remedies: &[
            "read the platform's words in the message, correct the value, and run again",
            "-v shows the exchange",
        ],
        example: "fn main(session) {\n    try {\n        session.ensure_tenant(\"ann@example.com\");\n    } catch (err) {\n        print(`${err.kind}, HTTP ${err.status}: ${err.message}`);\n    }\n}",
    },
    Explanation {
        code: "rate_limited",
        meaning: "The platform is receiving too many requests, and went on refusing after several tries with growing \
                  pauses. Nothing was changed.",
        causes: &["too many rows at once", "another program uses the same account"],
        remedies: &[
            "run with fewer --jobs, or later",
            "provisor resume RUN --retry-failed tries the rows that failed again",
        ],
        example: "provisor run onboard.rhai --rows clients.csv --jobs 2",
    },
    Explanation {
        code: "unreachable",
        meaning: "No connection could be made. Nothing was sent.",
        causes: &[
            "the address is wrong, or its name is not known",
            "the network or a proxy does not let it through",
            "the platform's certificate is not trusted",
        ],
        remedies: &[
            "check the address and the network; nothing was sent",
            "provisor resume RUN --retry-failed tries again when the network is back",
        ],
        example: "provisor resume r7f3k --retry-failed",
    },
    Explanation {
        code: "no_terminal",
        meaning: "A script asked a question, and there is nobody to answer it. The question is put again when the run is \
                  resumed at a terminal.",
        causes: &[
            "the run was started by a job, a pipe or a service",
            "the input ended before the question was answered",
        ],
        remedies: &[
            "run it at a terminal, or make the answer a parameter of `main`",
            "provisor resume RUN --retry-failed asks again",
        ],
        example: "let who = attempt(|| ask(\"Which client? \"));\nif !who.ok { print(who.error.kind) }",
    },
    Explanation {
        code: "unavailable",
        meaning: "The platform failed or did not answer in time, and it is certain that nothing was changed.",
        causes: &[
            "the platform has a fault or is being maintained",
            "it needs longer than the profile allows",
        ],
        remedies: &[
            "try again later: provisor resume RUN --retry-failed",
            "give a slow platform more time: `timeouts` in the profile",
        ],
        example: "provisor resume r7f3k --retry-failed",
    },
    Explanation {
        code: "unreadable_answer",
        meaning: "The platform answered, and the answer cannot be understood. After a change this is in doubt instead, \
                  since the change may have been made.",
        causes: &[
            "the address is a web page or another product, not the platform's API",
            "a proxy or a sign-in page of the network answers in the platform's place",
            "the platform has changed what it answers",
        ],
        remedies: &[
            "check that the address is really the account's; -v shows the exchange",
            "report it to the maintainers if the platform has changed",
        ],
        example: "provisor profile test acme",
    },
    Explanation {
        code: "in_doubt",
        meaning: "A change was sent, and nobody knows whether it was carried out. provisor looks it up where the platform \
                  allows that; when even that cannot tell, the row is parked. It is sent again only \
                  when a look-up finds it absent once it can no longer arrive. A parked row never ends with exit code 0. A script cannot catch this: the row stops where it is.",
        causes: &[
            "the answer was lost on its way: the network broke, or the request timed out",
            "the platform failed while it was working on the request",
            "the operation is an act, which cannot be looked up",
        ],
        remedies: &[
            "provisor resume looks it up again",
            "look at the platform yourself, and record the outcome: provisor resolve RUN STEP --as absent, or --as done \
             --value FILE with what the call gave back",
        ],
        example: "provisor runs show RUN\nprovisor resolve RUN STEP --as absent",
    },
    Explanation {
        code: "internal",
        meaning: "A fault of provisor itself. What the journal holds is kept, and the run can be resumed.",
        causes: &[
            "a mistake in provisor",
            "a file of provisor's was changed by something else",
        ],
        remedies: &[
            "provisor journal check shows whether the journal is intact",
            "report it to the maintainers with the message and the version",
        ],
        example: "provisor journal check",
    },
];
