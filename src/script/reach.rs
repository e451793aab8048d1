//! What a workflow can reach, computed from its sources before anything runs.
//!
//! The operations of a module are called by a name that stands in the text, and methods need an object, which only such a
//! call returns. So the text shows all that a script can reach, except for what it computes: an address, a path or a name
//! that is not a literal counts as any.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::bundle::Source;
use super::parse;
use super::program::Script;
use super::types::ParamType;
use crate::operation::files::is_secret;
use crate::operation::platform::Operation;
use crate::operation::spec::Effect;
use crate::value::origin::Origin;

/// What a script can reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// The platforms that it works with, by name.
    pub platforms: BTreeMap<&'static str, PlatformReach>,
    /// The hosts of addresses in the script. `None` is any host.
    pub hosts: Mentions,
    /// The files that it reads. `None` is any file of the project.
    pub files: Mentions,
    /// The variables of the environment that it reads. `None` is any variable.
    pub variables: Mentions,
    /// Where it gets secrets from, besides the answers of its accounts: parameters, `ask_secret`, `env`.
    pub secrets: BTreeSet<String>,
}

/// The accounts of a platform, and what may be called on them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlatformReach {
    /// The profiles; `None` is any profile. The active one is [`ACTIVE`].
    pub profiles: Mentions,
    /// The operations that change something, by their stable names.
    pub changes: BTreeSet<String>,
    /// The operations that only read.
    pub reads: BTreeSet<String>,
}

/// The name of the active profile, which no profile can have.
pub(crate) const ACTIVE: &str = "";

/// What a script names, and the first place where it does.
pub(crate) type Mentions = BTreeMap<Option<String>, Place>;

/// A place in a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The name of the source.
    pub source: String,
    /// The line, from 1.
    pub line: usize,
}

/// A text in a script, as far as it is known.
enum Known {
    /// All of it.
    Whole(String),
    /// How it begins.
    Start(String),
    /// Nothing.
    Nothing,
}

impl Script {
    /// Returns what the script and its imports can reach.
    pub fn reach(&self) -> Reach {
        let mut reach = Reach::default();
        let mut methods = BTreeSet::new();
        for source in self.bundle().sources() {
            // It has compiled before, so this does not fail.
            let Ok(parsed) = parse::parse(source) else {
                continue;
            };
            let mut reader = Reader {
                operations: self.host().operations(),
                source,
                reach: &mut reach,
                methods: &mut methods,
            };
            parsed.ast.walk(&mut |path: &[ASTNode]| {
                match path.last() {
                    Some(ASTNode::Stmt(Stmt::FnCall(call, at)) | ASTNode::Expr(Expr::FnCall(call, at))) => {
                        reader.function(call, *at);
                    }
                    Some(ASTNode::Expr(Expr::MethodCall(call, at))) => reader.method(call, *at),
                    _ => {}
                }
                true
            });
        }
        // A method may be called on any account that the script connects to.
        for operation in self.host().operations() {
            if operation.method_kind().is_some() && methods.contains(operation.name) {
                add_operation(&mut reach, *operation);
            }
        }
        let secrets = self.declaration().params().iter();
        let secrets = secrets.filter(|param| param.ty == ParamType::Secret);
        reach
            .secrets
            .extend(secrets.map(|param| format!("`{}`", param.name)));
        reach
    }
}

/// Adds an operation to a platform that the script works with.
fn add_operation(reach: &mut Reach, operation: Operation) {
    let Some(platform) = reach.platforms.get_mut(operation.platform().name) else {
        return;
    };
    match operation.effect {
        // Names an account; what is called on it counts.
        Effect::Sign => {}
        effect if effect.changes() => drop(platform.changes.insert(operation.id())),
        _ => drop(platform.reads.insert(operation.id())),
    }
}

/// Reads the calls of one source.
struct Reader<'a> {
    operations: &'a [Operation],
    source: &'a Source,
    reach: &'a mut Reach,
    /// The names of all methods that are called.
    methods: &'a mut BTreeSet<String>,
}

impl Reader<'_> {
    fn function(&mut self, call: &FnCallExpr, at: Position) {
        let module = call.namespace.to_string();
        let module = module.trim_end_matches("::");
        // What a library calls by itself fails.
        let is_free = !self.source.is_library();
        if module.is_empty() || module == "global" {
            self.methods.insert(call.name.to_string());
            if call.name == "Fn" {
                self.pointer(call.args.first(), at);
            } else if is_free {
                self.global(&call.name, call.args.first(), at);
            }
            return;
        }
        let named = |op: &&Operation| op.module == module && op.name == call.name && op.receiver.is_none();
        let Some(operation) = self.operations.iter().find(named).copied().filter(|_| is_free) else {
            return;
        };
        let platform = operation.platform().name;
        self.reach.platforms.entry(platform).or_default();
        if operation.name == "connect" {
            self.account(platform, call.args.first(), at);
        } else if operation.takes_any_address() {
            self.request(operation, call, at);
        }
        add_operation(self.reach, operation);
    }

    fn method(&mut self, call: &FnCallExpr, at: Position) {
        self.methods.insert(call.name.to_string());
        // `"terms.txt".read_text()` calls the function with a value that is not looked at here.
        let is_global = self
            .operations
            .iter()
            .any(|op| op.module.is_empty() && op.name == call.name);
        if is_global && !self.source.is_library() {
            self.global(&call.name, None, at);
        }
    }

    /// Reads `Fn(name)`, which can call a global function or a method.
    fn pointer(&mut self, name: Option<&Expr>, at: Position) {
        if let Some(Known::Whole(name)) = name.map(known) {
            self.methods.insert(name.clone());
            if !self.source.is_library() {
                self.global(&name, None, at);
            }
            return;
        }
        let names: Vec<&str> = self.operations.iter().map(|op| op.spec().name).collect();
        for name in names {
            self.methods.insert(name.to_owned());
            if !self.source.is_library() {
                self.global(name, None, at);
            }
        }
    }

    /// Reads the call of a global function with this first argument.
    fn global(&mut self, name: &str, first: Option<&Expr>, at: Position) {
        let whole = match first.map(known) {
            Some(Known::Whole(text)) => Some(text),
            _ => None,
        };
        let place = self.place(at);
        match name {
            "read_text" | "read_json" | "read_csv" | "read_bytes" => {
                self.reach.files.entry(whole).or_insert(place);
            }
            "env" => {
                if whole.as_deref().is_none_or(is_secret) {
                    self.reach.secrets.insert("`env`".to_owned());
                }
                self.reach.variables.entry(whole).or_insert(place);
            }
            "ask_secret" => {
                self.reach.secrets.insert("`ask_secret`".to_owned());
            }
            _ => {}
        }
    }

    /// Reads the account that `connect` names.
    fn account(&mut self, platform: &'static str, account: Option<&Expr>, at: Position) {
        let Some(account) = account else {
            self.profile(platform, Some(ACTIVE.to_owned()), at);
            return;
        };
        if let Expr::Map(map, _) = account {
            match map.0.iter().find(|(key, _)| key.name == "url") {
                Some((_, url)) => self.host(url, at),
                None => self.any_host(at),
            }
            return;
        }
        match known(account) {
            Known::Whole(text) if !text.contains("://") => {
                self.profile(platform, Some(text.trim().to_owned()), at);
            }
            Known::Whole(_) => self.host(account, at),
            Known::Start(text) if text.contains("://") => self.host(account, at),
            Known::Start(_) | Known::Nothing if matches!(account, Expr::Unit(_)) => {
                self.profile(platform, Some(ACTIVE.to_owned()), at);
            }
            Known::Start(_) | Known::Nothing => {
                self.profile(platform, None, at);
                self.any_host(at);
            }
        }
    }

    /// Reads a request to a given address.
    fn request(&mut self, operation: Operation, call: &FnCallExpr, at: Position) {
        let arg = |name: &str| {
            let place = operation.params.iter().position(|param| param.name == name)?;
            call.args.get(place)
        };
        let platform = operation.platform().name;
        let profile = match arg("options") {
            None => None,
            Some(Expr::Map(map, _)) => map.0.iter().find(|(key, _)| key.name == "profile"),
            Some(_) => {
                self.profile(platform, None, at);
                None
            }
        };
        match profile {
            // As if it were not given.
            None | Some((_, Expr::Unit(_))) => {}
            Some((_, profile)) => {
                if let Known::Whole(name) = known(profile) {
                    self.profile(platform, Some(name.trim().to_owned()), at);
                    return;
                }
                // It may turn out to be `()`.
                self.profile(platform, None, at);
            }
        }
        let Some(url) = arg("url") else { return };
        match known(url) {
            Known::Whole(path) | Known::Start(path) if path.trim_start().starts_with('/') => {
                self.profile(platform, Some(ACTIVE.to_owned()), at);
            }
            Known::Nothing => {
                self.profile(platform, Some(ACTIVE.to_owned()), at);
                self.any_host(at);
            }
            Known::Start(text) if !text.contains("://") => {
                self.profile(platform, Some(ACTIVE.to_owned()), at);
                self.any_host(at);
            }
            _ => self.host(url, at),
        }
    }

    fn profile(&mut self, platform: &'static str, name: Option<String>, at: Position) {
        let place = self.place(at);
        let platform = self.reach.platforms.entry(platform).or_default();
        platform.profiles.entry(name).or_insert(place);
    }

    /// Adds the host of an address.
    fn host(&mut self, url: &Expr, at: Position) {
        let origin = match known(url) {
            Known::Whole(text) => Origin::parse(&text),
            // The host is known if something follows it.
            Known::Start(text) => {
                let host = text.find("://").map(|at| at + 3);
                let end = host.and_then(|host| Some(host + text[host..].find(['/', '?', '#'])?));
                end.and_then(|end| Origin::parse(&text[..end]))
            }
            Known::Nothing => None,
        };
        let place = self.place(at);
        let name = origin.map(|origin| origin.as_str().to_owned());
        self.reach.hosts.entry(name).or_insert(place);
    }

    fn any_host(&mut self, at: Position) {
        let place = self.place(at);
        self.reach.hosts.entry(None).or_insert(place);
    }

    fn place(&self, at: Position) -> Place {
        Place {
            source: self.source.name.clone(),
            line: parse::place(at).0,
        }
    }
}

/// Returns what is known of the text that an expression yields.
fn known(expr: &Expr) -> Known {
    match expr {
        Expr::StringConstant(text, _) => Known::Whole(text.to_string()),
        Expr::InterpolatedString(parts, _) => match parts.first() {
            Some(Expr::StringConstant(text, _)) => Known::Start(text.to_string()),
            _ => Known::Nothing,
        },
        Expr::FnCall(call, _) if call.name == "+" && call.namespace.is_empty() => {
            match call.args.first().map(known) {
                Some(Known::Whole(text) | Known::Start(text)) => Known::Start(text),
                _ => Known::Nothing,
            }
        }
        _ => Known::Nothing,
    }
}
