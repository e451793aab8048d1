//! The codes of operations.

use super::Explanation;

/// One entry for each of `operation::error::Code`, in its order.
pub(super) const CODES: &[Explanation] = &[
    Explanation {
        code: "bad_argument",
        meaning: "An argument of an operation is not valid. Nothing was sent.",
        causes: &[
            "an argument is missing, or there are too many",
            "an argument has the wrong type",
            "an options map has a key that the operation does not know",
            "a text does not have the required form, such as that of an e-mail address",
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
            "no profile has this name, or none is selected",
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
            "it is plain http, not on this machine, and no profile of yours accepts that",
            "a raw call's path leads out of the account's API: to another origin, or to a path above it",
            "the sandbox is on and the address is real, or the other way round",
        ],
        remedies: &[
            "use https:// in the address, and give a raw call a path relative to the API",
            "for a service without https, a profile in your own file can accept that with `plain_http`",
            "remove --sandbox to reach real addresses",
        ],
        example: "http::get(\"https://api.example.com/items\")   // https, without a user or password",
    },
    Explanation {
        code: "sign_in_refused",
        meaning: "The account refuses the credentials. provisor does not keep trying them, because too many attempts lock \
                  an account.",
        causes: &[
            "the login or the password is wrong or was changed",
            "the address and the login belong to different accounts",
            "a client changed the tenant's password",
        ],
        remedies: &[
            "check the login and password, and that the address belongs to the account",
            "record a tenant's new password: provisor tenants set-password EMAIL",
        ],
        example: "fn main(session) {\n    try {\n        session.apps();\n    } catch (err) {\n        if err.kind == \"sign_in_refused\" { print(err.hint); } else { throw err; }\n    }\n}",
    },
    Explanation {
        code: "forbidden",
        meaning: "The account may not do this, or the profile's mode or a limit of the script or the run does not allow it.",
        causes: &[
            "the operation needs a partner account, and the platform has not made this account one",
            "the profile's mode is read-only and the operation changes something",
            "the user who signs in lacks a permission on the platform",
            "the object is limited to other operations or to fewer changes, or the run has `--max-changes`",
        ],
        remedies: &[
            "ask the platform whether the account has this permission",
            "choose a profile with a different mode",
            "call the operation on the object before `limit`, or resume with a larger --max-changes",
        ],
        example: "provisor profile edit acme --mode dev",
    },
    Explanation {
        code: "no_authority",
        meaning: "A library called an operation by itself: `connect`, `ask`, `now`, or any other that is not a method of an \
                  object it was given. A file with the line `//! library` at its top computes, and uses what its importer \
                  passes to it. Nothing was sent.",
        causes: &[
            "the library signs in by itself instead of taking a session",
            "the library asks a question or reads the time instead of taking the answer",
        ],
        remedies: &[
            "take the session, or the value, as a parameter of the library's function",
            "take a closure that calls the operation: it keeps the authority of the workflow that passes it",
        ],
        example: "//! library\n\nfn add_site(account, name, site) {\n    account.ensure_app(name, site)\n}",
    },
    Explanation {
        code: "secret_elsewhere",
        meaning: "The request would send a secret to a host where it does not belong. A secret that an account issues (a \
                  tenant's password, a token, a key) goes back to that account and nowhere else, unless `secrets_to` in \
                  the profile of that account says so. Nothing was sent. A secret that a person gives to the script, as a \
                  parameter or as the answer to `ask_secret`, goes wherever the script sends it.",
        causes: &[
            "a tenant's password, or a text joined with it, is sent to another system",
            "a token of one service is used for another",
            "the line is in a project's provisor.toml that is not trusted",
        ],
        remedies: &[
            "if the host may receive it, add the line that the message shows, and resume",
            "if not, leave the secret out of the request",
        ],
        example: "http::post(\"https://crm.example.com/clients\", #{json: #{password: tenant.password}})\n// in the configuration: [profiles.acme]  secrets_to = [\"crm.example.com\"]",
    },
    Explanation {
        code: "already_exists",
        meaning: "The object already exists, either in the ledger or only on the platform, where provisor cannot know \
                  whether it is yours. The message says which.",
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
        meaning: "The same act (a message, or a request whose outcome cannot be looked up) was already done. It was not \
                  sent again.",
        causes: &[
            "an earlier run of the same script made the same request for the same row",
            "a script was edited after the row had acted, and now repeats the act with other arguments",
        ],
        remedies: &[
            "see what was done: provisor runs steps RUN",
            "to repeat it anyway, add --again to the command",
            "mark a request that changes nothing with `reads: true`; give a request that must be sent only once a `key`",
        ],
        example: "provisor resume r7f3k --retry-failed --with-current --again",
    },
    Explanation {
        code: "not_found",
        meaning: "The object does not exist on the platform.",
        causes: &[
            "the identifier belongs to another account",
            "it was deleted",
            "a raw call's path does not exist on the platform",
        ],
        remedies: &[
            "look it up first; `find_…` returns `()` when nothing matches",
            "check that the session uses the account that owns it",
        ],
        example: "fn main(session) {\n    let app = session.find_app(\"Shop\");\n    if app == () { print(\"there is no such app\"); }\n}",
    },
    Explanation {
        code: "credential_missing",
        meaning: "The tenant exists, but its password is not on record and the platform does not return it again.",
        causes: &[
            "the tenant was taken over, and its row on the platform shows no password",
            "the response with the password was lost, and the platform does not show it afterwards",
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
            "the account has reached a limit",
        ],
        remedies: &[
            "read the platform's words in the message, correct the value, and run again",
            "-v shows the exchange",
        ],
        example: "fn main(session) {\n    try {\n        session.ensure_tenant(\"ann@example.com\");\n    } catch (err) {\n        print(`${err.kind}, HTTP ${err.status}: ${err.message}`);\n    }\n}",
    },
    Explanation {
        code: "rate_limited",
        meaning: "The platform is receiving too many requests, and kept refusing them after several attempts with \
                  increasing pauses. Nothing was changed.",
        causes: &["too many rows at once", "another program uses the same account"],
        remedies: &[
            "use fewer --jobs, or run it later",
            "provisor resume RUN --retry-failed retries the failed rows",
        ],
        example: "provisor run onboard.rhai --rows clients.csv --jobs 2",
    },
    Explanation {
        code: "unreachable",
        meaning: "No connection could be made. Nothing was sent.",
        causes: &[
            "the address is wrong, or its host cannot be found",
            "the network or a proxy blocks it",
            "the platform's certificate is not trusted",
        ],
        remedies: &[
            "check the address and the network; nothing was sent",
            "once the network is back, retry: provisor resume RUN --retry-failed",
        ],
        example: "provisor resume r7f3k --retry-failed",
    },
    Explanation {
        code: "no_terminal",
        meaning: "A script asked a question, and there is no one to answer it. The question is asked again when the run is \
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
        meaning: "The platform failed or did not respond in time, and certainly nothing was changed.",
        causes: &[
            "the platform has a fault or is under maintenance",
            "it takes longer than the profile allows",
        ],
        remedies: &[
            "try again later: provisor resume RUN --retry-failed",
            "give a slow platform more time: `timeouts` in the profile",
        ],
        example: "provisor resume r7f3k --retry-failed",
    },
    Explanation {
        code: "unreadable_answer",
        meaning: "The platform responded, but the response cannot be understood. For a change, the step is in doubt \
                  instead, because the change may have been made.",
        causes: &[
            "the address is a web page or another product, not the platform's API",
            "a proxy or a sign-in page of the network responds instead of the platform",
            "the platform has changed its responses",
        ],
        remedies: &[
            "check that the address belongs to the account; -v shows the exchange",
            "report it to the maintainers if the platform has changed",
        ],
        example: "provisor profile test acme",
    },
    Explanation {
        code: "in_doubt",
        meaning: "A change was sent, and it is not known whether it was carried out. provisor looks it up where the \
                  platform allows it; if that does not settle it, the row is parked. It is sent again only when a look-up \
                  finds it absent once it can no longer arrive. A parked row never ends with exit code 0. A script cannot \
                  catch this: the row stops where it is.",
        causes: &[
            "the response was lost: the network failed, or the request timed out",
            "the platform failed while processing the request",
            "the operation is an act, which cannot be looked up",
        ],
        remedies: &[
            "provisor resume looks it up again",
            "check the platform yourself, and record the outcome: provisor resolve RUN STEP --as absent, or --as done \
             --value FILE with the result of the call",
        ],
        example: "provisor runs show RUN\nprovisor resolve RUN STEP --as absent",
    },
    Explanation {
        code: "internal",
        meaning: "An internal error of provisor. The contents of the journal are kept, and the run can be resumed.",
        causes: &[
            "a bug in provisor",
            "another program changed one of provisor's files",
        ],
        remedies: &[
            "provisor journal check shows whether the journal is intact",
            "report it to the maintainers with the message and the version",
        ],
        example: "provisor journal check",
    },
];
