//! Rules for the importer: how requests recorded by other tools become calls of a platform's operations, and how their
//! environments become accounts.

use crate::client::Method;

/// Whether operations can send requests with this method.
pub(crate) fn is_sendable_method(name: &str) -> bool {
    Method::parse(name).is_ok()
}

/// The importer's rules for a platform.
#[derive(Debug)]
pub struct ImportRules {
    /// The roots of its API in an address.
    pub roots: &'static [ApiRoot],
    /// Texts of which one occurs in each of its host names: `crm.`.
    pub hosts: &'static [&'static str],
    /// Marks that identify its requests on any other host.
    pub marks: &'static [Mark],
    /// Further names, besides the key itself, of environment variables that hold an account's keys; in lower-case
    /// letters and digits.
    pub aliases: &'static [(&'static str, &'static [&'static str])],
    /// Headers that its sessions set themselves, in lower case, and the account key that each holds, if any.
    pub headers: &'static [(&'static str, Option<&'static str>)],
    /// How a session switches to another part of its account; `None` if it cannot.
    pub scope: Option<ImportScope>,
    /// The recognized requests. The first match counts.
    pub routes: &'static [ImportRoute],
}

impl ImportRules {
    /// Rules that match no request.
    pub const NONE: ImportRules = ImportRules {
        roots: &[],
        hosts: &[],
        marks: &[],
        aliases: &[],
        headers: &[],
        scope: None,
        routes: &[],
    };
}

/// The common prefix of all paths of an API.
#[derive(Debug, Clone, Copy)]
pub struct ApiRoot {
    /// The path: `/api/v8`.
    pub path: &'static str,
    /// Whether the address of an account ends with it.
    pub in_address: bool,
    /// Whether it identifies the platform on any host.
    pub distinctive: bool,
}

/// A mark that identifies the platform of a request.
#[derive(Debug, Clone, Copy)]
pub enum Mark {
    /// The request has a header with this name, in lower case.
    Header(&'static str),
    /// The path below an API root begins with this.
    Path(&'static str),
    /// The accompanying environment has a variable with this name, in lower-case letters and digits.
    Variable(&'static str),
}

/// How a session switches to another part of its account.
#[derive(Debug, Clone, Copy)]
pub struct ImportScope {
    /// The account key that names the part.
    pub key: &'static str,
    /// The operation that takes the name of another part and returns the session for it.
    pub switch: &'static str,
}

/// A recognized request.
#[derive(Debug, Clone, Copy)]
pub struct ImportRoute {
    /// The methods, separated by `|`: `GET|POST`.
    pub methods: &'static str,
    /// The path below the root: `customers/{id}`. A name in braces matches any one segment.
    pub path: &'static str,
    /// A query parameter that must have this value.
    pub query: Option<(&'static str, &'static str)>,
    /// Body fields that must be present.
    pub needs: &'static [&'static str],
    /// The meaning of the request.
    pub meaning: RouteMeaning,
    /// The path segment that names the part of the account; see [`ImportScope`].
    pub within: Option<&'static str>,
    /// Fields that the operation sets itself: of the body, or of the query if the request has no body. One whose name is
    /// that of a credential identifies the account.
    pub implied: &'static [&'static str],
    /// Whether the script returns the result of the operation, not only that it was called.
    pub returns: bool,
    /// A note for readers of the script.
    pub note: Option<&'static str>,
}

/// The meaning of a request.
#[derive(Debug, Clone, Copy)]
pub enum RouteMeaning {
    /// It signs in; the listed arguments are keys of the account.
    SignIn(&'static [(&'static str, ImportArg)]),
    /// provisor does this by itself; the sentence says how.
    ByItself(&'static str),
    /// A call of this operation with these arguments.
    Call(&'static str, &'static [ImportArg]),
}

/// The source of an operation's argument. Each takes its part of the request, so that a later one does not see it; a
/// request of which too much is left over is not converted.
#[derive(Debug, Clone, Copy)]
pub enum ImportArg {
    /// A path segment.
    Path(&'static str),
    /// A query parameter.
    Query(&'static str),
    /// A body field.
    Field(&'static str),
    /// A body field that must be new for each call: a literal becomes a parameter of the script, with the literal as its
    /// default.
    Unique(&'static str),
    /// The rest of the body. It comes last: it takes every field that no argument before it took.
    Rest,
    /// The rest of the body, under this option key; omitted if nothing remains. It comes last, like [`ImportArg::Rest`].
    RestAs(&'static str),
    /// A body field, under this option key; omitted if the field is absent.
    FieldAs(&'static str, &'static str),
    /// A fixed text.
    Text(&'static str),
    /// A map of the rest of the JSON body or form, or of the query of a GET: each key with the JSON pointer (RFC 6901)
    /// of its value. First, the value at the first pointer of each pair in `moves` is moved to the second, or dropped if
    /// there is no place for it. Where the operation takes a list, a text is split at its commas.
    Map {
        /// Keys and pointers.
        places: &'static [(&'static str, &'static str)],
        /// Source and target pointers.
        moves: &'static [(&'static str, &'static str)],
    },
}

impl ImportRoute {
    const fn new(methods: &'static str, path: &'static str, meaning: RouteMeaning) -> ImportRoute {
        ImportRoute {
            methods,
            path,
            query: None,
            needs: &[],
            meaning,
            within: None,
            implied: &[],
            returns: false,
            note: None,
        }
    }

    /// Creates a route for a request that calls this operation.
    pub const fn call(
        methods: &'static str,
        path: &'static str,
        operation: &'static str,
        args: &'static [ImportArg],
    ) -> ImportRoute {
        ImportRoute::new(methods, path, RouteMeaning::Call(operation, args))
    }

    /// Creates a route for a request that signs in.
    pub const fn sign_in(
        methods: &'static str,
        path: &'static str,
        keys: &'static [(&'static str, ImportArg)],
    ) -> ImportRoute {
        ImportRoute::new(methods, path, RouteMeaning::SignIn(keys))
    }

    /// Creates a route for a request that provisor sends by itself.
    pub const fn automatic(methods: &'static str, path: &'static str, sentence: &'static str) -> ImportRoute {
        ImportRoute::new(methods, path, RouteMeaning::ByItself(sentence))
    }

    /// Matches only if the query has this parameter with this value.
    #[must_use]
    pub const fn where_query(self, name: &'static str, value: &'static str) -> ImportRoute {
        ImportRoute {
            query: Some((name, value)),
            ..self
        }
    }

    /// Matches only if the body has these fields.
    #[must_use]
    pub const fn requiring_fields(self, needs: &'static [&'static str]) -> ImportRoute {
        ImportRoute { needs, ..self }
    }

    /// Applies to the part of the account named by this path segment.
    #[must_use]
    pub const fn within(self, part: &'static str) -> ImportRoute {
        ImportRoute {
            within: Some(part),
            ..self
        }
    }

    /// Does not pass these fields to the operation: of the body, or of the query if the request has no body.
    #[must_use]
    pub const fn implied(self, implied: &'static [&'static str]) -> ImportRoute {
        ImportRoute { implied, ..self }
    }

    /// Makes the script return the result of the operation.
    #[must_use]
    pub const fn returning(self) -> ImportRoute {
        ImportRoute {
            returns: true,
            ..self
        }
    }

    /// Adds a note for readers of the script.
    #[must_use]
    pub const fn note(self, note: &'static str) -> ImportRoute {
        ImportRoute {
            note: Some(note),
            ..self
        }
    }
}
