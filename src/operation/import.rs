//! What the importer knows of a platform: how requests that other tools recorded become calls of its operations, and how an
//! environment of such a tool becomes one of its accounts.

/// What the importer knows of a platform.
#[derive(Debug)]
pub struct ImportRules {
    /// Where its API begins in an address.
    pub roots: &'static [ApiRoot],
    /// Texts of which one is part of the name of each of its hosts: `crm.`.
    pub hosts: &'static [&'static str],
    /// What shows that a request is meant for it on a host of any other name.
    pub marks: &'static [Mark],
    /// What variables of an environment that hold an account's keys may be called besides the key's own name, in
    /// lower-case letters and digits.
    pub aliases: &'static [(&'static str, &'static [&'static str])],
    /// Headers that its sessions write by themselves, in lower case, and the account key that each holds, if any.
    pub headers: &'static [(&'static str, Option<&'static str>)],
    /// How a session turns to another part of its account; `None` when it cannot.
    pub scope: Option<ImportScope>,
    /// The requests that have a meaning. The first that fits counts.
    pub routes: &'static [ImportRoute],
}

impl ImportRules {
    /// Rules that recognize no request.
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

/// The first part of every path of an API.
#[derive(Debug, Clone, Copy)]
pub struct ApiRoot {
    /// The path: `/api/v8`.
    pub path: &'static str,
    /// Does the address of an account end with it?
    pub in_address: bool,
    /// Does it show the platform by itself, whatever the host is called?
    pub distinctive: bool,
}

/// What shows the platform of a request.
#[derive(Debug, Clone, Copy)]
pub enum Mark {
    /// It has a header of this name, in lower case.
    Header(&'static str),
    /// Its path begins like this below a root of the API.
    Path(&'static str),
    /// An environment beside it has a variable of this name, in lower-case letters and digits.
    Variable(&'static str),
}

/// How a session turns to another part of its account.
#[derive(Debug, Clone, Copy)]
pub struct ImportScope {
    /// The account key that names the part.
    pub key: &'static str,
    /// The operation that takes the name of another part, and returns the session for it.
    pub switch: &'static str,
}

/// A request that has a meaning.
#[derive(Debug, Clone, Copy)]
pub struct ImportRoute {
    /// Its methods, with `|` between them: `GET|POST`.
    pub methods: &'static str,
    /// Its path below the root: `customers/{id}`. A name in braces stands for any one part.
    pub path: &'static str,
    /// A field of the query that must have this value.
    pub query: Option<(&'static str, &'static str)>,
    /// Fields of the body that must be there.
    pub needs: &'static [&'static str],
    /// What it is.
    pub meaning: RouteMeaning,
    /// The part of the path that names the part of the account; see [`ImportScope`].
    pub within: Option<&'static str>,
    /// Fields of the body that the operation knows without being told.
    pub implied: &'static [&'static str],
    /// What a reader of the script must know.
    pub note: Option<&'static str>,
}

/// What a request is.
#[derive(Debug, Clone, Copy)]
pub enum RouteMeaning {
    /// It signs in, and tells these keys of the account.
    SignIn(&'static [(&'static str, ImportArg)]),
    /// provisor does it without being asked, as this sentence says.
    ByItself(&'static str),
    /// A call of this operation with these arguments.
    Call(&'static str, &'static [ImportArg]),
}

/// Where an argument of an operation comes from.
#[derive(Debug, Clone, Copy)]
pub enum ImportArg {
    /// A part of the path.
    Path(&'static str),
    /// A field of the query.
    Query(&'static str),
    /// A field of the body.
    Field(&'static str),
    /// The whole body.
    Body,
    /// The body without these fields; an empty map when nothing is left.
    Rest(&'static [&'static str]),
    /// The body without these fields, under this key of the options; left out when nothing is left.
    RestAs(&'static str, &'static [&'static str]),
    /// A field of the body, under this key of the options; left out when the field is not there.
    FieldAs(&'static str, &'static str),
    /// This text.
    Text(&'static str),
    /// A map that holds everything in the JSON body: each key, and the JSON pointer (RFC 6901) of its value. Before, the first
    /// of each pair of `moves` goes to the second, or is dropped where that has no place.
    Map {
        /// Keys and pointers.
        places: &'static [(&'static str, &'static str)],
        /// Pointers from and to.
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
            note: None,
        }
    }

    /// A request that calls this operation.
    pub const fn call(
        methods: &'static str,
        path: &'static str,
        operation: &'static str,
        args: &'static [ImportArg],
    ) -> ImportRoute {
        ImportRoute::new(methods, path, RouteMeaning::Call(operation, args))
    }

    /// A request that signs in.
    pub const fn sign_in(
        methods: &'static str,
        path: &'static str,
        keys: &'static [(&'static str, ImportArg)],
    ) -> ImportRoute {
        ImportRoute::new(methods, path, RouteMeaning::SignIn(keys))
    }

    /// A request that provisor sends without being asked.
    pub const fn by_itself(methods: &'static str, path: &'static str, sentence: &'static str) -> ImportRoute {
        ImportRoute::new(methods, path, RouteMeaning::ByItself(sentence))
    }

    /// Only where the query has this field with this value.
    #[must_use]
    pub const fn where_query(self, name: &'static str, value: &'static str) -> ImportRoute {
        ImportRoute {
            query: Some((name, value)),
            ..self
        }
    }

    /// Only where the body has these fields.
    #[must_use]
    pub const fn needing(self, needs: &'static [&'static str]) -> ImportRoute {
        ImportRoute { needs, ..self }
    }

    /// On the part of the account that this part of the path names.
    #[must_use]
    pub const fn within(self, part: &'static str) -> ImportRoute {
        ImportRoute {
            within: Some(part),
            ..self
        }
    }

    /// These fields of the body are not told to the operation.
    #[must_use]
    pub const fn implied(self, implied: &'static [&'static str]) -> ImportRoute {
        ImportRoute { implied, ..self }
    }

    /// With this note for whoever reads the script.
    #[must_use]
    pub const fn note(self, note: &'static str) -> ImportRoute {
        ImportRoute {
            note: Some(note),
            ..self
        }
    }
}
