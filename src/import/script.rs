//! Converts a collection to a documented script.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value as Json;

use super::account::ImportedProfile;
use super::code::{Code, Converted, Kind, comment, is_reserved, name_of, quoted};
use super::collection::{self, Collection, EventScript, Request, Variable};
use super::credentials::{MIN_SECRET_LEN, has_credentials, scrubbed};
use super::http;
use super::operations::Sessions;
use super::variables::{Findings, Param, Values, unique};
use crate::operation::catalogue::Catalogue;
use crate::value::visible::counted;

/// The maximum number of lines kept of a description.
const MAX_ABOUT_LINES: usize = 200;

/// The maximum number of lines kept of a script of the collection.
const MAX_SCRIPT_LINES: usize = 400;

/// A generated script, with statistics.
#[derive(Debug, Default)]
pub(crate) struct ImportedScript {
    pub(crate) text: String,
    /// The requests that became platform operations.
    pub(crate) typed: usize,
    /// The requests that became `http::` calls.
    pub(crate) web: usize,
    /// The requests that were left out.
    pub(crate) omitted: usize,
    /// The Postman scripts that became comments.
    pub(crate) scripts: usize,
    /// The secret parameters of `main`.
    pub(crate) secrets: Vec<String>,
    /// Notes on the whole collection, then on single requests by name.
    pub(crate) notes: Vec<String>,
}

impl ImportedScript {
    /// Counts its requests by what they became.
    pub(crate) fn summary(&self, http: &str) -> String {
        format!(
            "{}: {} with platform operations, {} with {http}, {} left out",
            counted(self.typed + self.web + self.omitted, "request"),
            self.typed,
            self.web,
            self.omitted
        )
    }

    /// A clause that counts the Postman scripts kept as comments.
    pub(crate) fn scripts_note(&self) -> String {
        match self.scripts {
            1 => "1 script is a comment".to_owned(),
            many => format!("{many} scripts are comments"),
        }
    }
}

/// The inputs of the conversion besides the collection.
#[derive(Debug)]
pub(super) struct Context<'a> {
    /// The operations that requests can be converted to.
    pub(super) catalogue: &'a Catalogue,
    /// The environment's variables, which take precedence over the collection's.
    pub(super) variables: &'a [Variable],
    /// The profile made from the environment, if any.
    pub(super) profile: Option<&'a ImportedProfile>,
    /// Names that parameters cannot have because provisor's own options use them.
    pub(super) reserved: &'a BTreeSet<String>,
}

/// Writes the script. The error completes a sentence whose subject is the collection.
pub(super) fn write(collection: &Collection, context: &Context) -> Result<ImportedScript, String> {
    // The first pass finds the credentials; the second recognizes them everywhere. A request that the first cannot
    // convert is not retried, so that nothing of it is left in the script.
    let mut failed = BTreeMap::new();
    let first = Conversion::of(collection, context, Findings::default(), &mut failed);
    let findings = first.values.findings();
    Conversion::of(collection, context, findings, &mut failed).script(collection)
}

/// A converted collection.
struct Conversion<'a> {
    values: Values,
    sessions: Sessions<'a>,
    functions: Vec<Function<'a>>,
}

/// The function for a request.
struct Function<'a> {
    request: &'a Request,
    name: String,
    params: Vec<String>,
    converted: Converted,
}

impl<'a> Conversion<'a> {
    /// Converts the requests. `failed` maps indices of requests to the reasons why they cannot be converted.
    fn of(
        collection: &'a Collection,
        context: &Context<'a>,
        findings: Findings,
        failed: &mut BTreeMap<usize, String>,
    ) -> Conversion<'a> {
        let mut refused = context.reserved.clone();
        refused.extend(["done", "session"].map(str::to_owned));
        refused.extend(context.catalogue.modules().map(str::to_owned));
        let mut values = Values::new(&collection.variables, context.variables, refused, findings);
        let mut sessions = Sessions::find(context.catalogue, collection, context.profile, &mut values);
        let service = context
            .profile
            .filter(|profile| profile.platform.module == "http");
        let mut names = BTreeSet::new();
        let mut functions = Vec::new();
        for (index, request) in collection.requests.iter().enumerate() {
            values.used.clear();
            values.request_notes.clear();
            sessions.used.clear();
            values.enter(&request.variables);
            let converted = match failed.get(&index) {
                Some(reason) => Err(reason.clone()),
                None => convert(request, service, &mut sessions, &mut values),
            };
            let mut converted = converted.unwrap_or_else(|reason| {
                let omitted = Converted::omitted(&format!("it {reason}"));
                failed.insert(index, reason);
                omitted
            });
            converted.notes.append(&mut values.request_notes);
            let name = match name_of(&values.without_credentials(&request.name), "request") {
                name if is_reserved(&name) => format!("{name}_request"),
                name => name,
            };
            let params = values.used.iter().map(|index| &values.params[*index].name);
            functions.push(Function {
                request,
                name: unique(&name, &mut names),
                params: sessions.used.iter().chain(params).cloned().collect(),
                converted,
            });
        }
        Conversion {
            values,
            sessions,
            functions,
        }
    }

    fn script(&self, collection: &Collection) -> Result<ImportedScript, String> {
        let known = self.values.credentials();
        let of_kind = |kind: Kind| {
            let all = self.functions.iter();
            all.filter(|function| function.converted.kind == kind).count()
        };
        let own = collection.requests.iter().map(|request| request.scripts.len());
        let params = self.values.params.iter();
        let secrets = params.filter(|param| param.secret && !param.in_text);
        let notes = self.functions.iter().flat_map(|function| {
            let path = function.request.path();
            let notes = function.converted.notes.iter();
            notes.map(move |note| (path.clone(), note))
        });
        let notes = notes.map(|(path, note)| format!("{}: {note}", scrubbed(&path, &known)));
        let general = self.values.notes.iter().map(|note| scrubbed(note, &known));
        let general: Vec<String> = general.collect();
        let mut script = ImportedScript {
            text: String::new(),
            typed: of_kind(Kind::Typed) + of_kind(Kind::Returned),
            web: of_kind(Kind::Web),
            omitted: of_kind(Kind::Omitted),
            scripts: collection.scripts.len() + own.sum::<usize>(),
            secrets: secrets.map(|param| param.name.clone()).collect(),
            notes: general.iter().cloned().chain(notes).collect(),
        };
        script.text = head(collection, &script, &general, &known);
        script.text.push_str(&self.main(&known));
        for function in &self.functions {
            script.text.push_str(&function.text(&known));
        }
        let is_shown =
            |secret: &String| secret.len() >= MIN_SECRET_LEN && script.text.contains(secret.as_str());
        if known.iter().any(is_shown) {
            // The message cannot say where without revealing the credential.
            let problem =
                "has a credential in a place where the script cannot use a parameter, such as a field's name";
            return Err(problem.to_owned());
        }
        Ok(script)
    }

    fn main(&self, known: &[String]) -> String {
        let mut text = String::from("/// Send the requests in order, and return the outcome of each.\n");
        let params = &self.values.params;
        if !params.is_empty() {
            text.push_str("///\n");
        }
        for param in params {
            text.push_str(&param_line(param, known));
        }
        let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
        let _ = writeln!(text, "fn main({}) {{", names.join(", "));
        for (name, code) in self.sessions.all() {
            let _ = writeln!(text, "    let {name} = {code};");
        }
        text.push_str("    let done = #{};\n");
        let mut folder: &[String] = &[];
        for function in &self.functions {
            if function.request.folders != folder {
                folder = &function.request.folders;
                let path = scrubbed(&folder.join(" / "), known);
                let _ = write!(text, "\n{}", comment("    //", &path));
            }
            text.push_str(&function.call());
        }
        text.push_str("    done\n}\n");
        text
    }
}

/// Converts a request. Fails if variables are circular or grow too large.
fn convert(
    request: &Request,
    service: Option<&ImportedProfile>,
    sessions: &mut Sessions,
    values: &mut Values,
) -> Result<Converted, String> {
    let base = request.address.base.as_str();
    if base.trim().is_empty() {
        return Ok(Converted::omitted("it has no address"));
    }
    if collection::host(base).is_empty() {
        return Ok(Converted::omitted("its address has no host"));
    }
    let shown = values.expanded(base);
    let scheme = collection::scheme(&shown).filter(|scheme| !scheme.contains("{{"));
    if scheme.is_some_and(|scheme| !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str())) {
        return Ok(Converted::omitted(&format!(
            "provisor supports only http and https; the request is {} {}",
            request.method,
            scrubbed(base, &values.credentials())
        )));
    }
    match sessions.convert(request, values)? {
        Some(converted) => Ok(converted),
        None => http::convert(request, service, values),
    }
}

/// The file comment: what the script was made of, and notes on the whole collection.
fn head(collection: &Collection, script: &ImportedScript, notes: &[String], known: &[String]) -> String {
    let name = scrubbed(collection.name.trim(), known);
    let name = match name.replace('`', "'").replace('\n', " ") {
        name if name.is_empty() => "without a name".to_owned(),
        name => format!("`{name}`"),
    };
    let mut about = format!("Imported from the Postman collection {name}.\n");
    if !collection.about.trim().is_empty() {
        let _ = write!(about, "\n{}\n", shortened(collection.about.trim(), known));
    }
    let _ = write!(about, "\n{}.", script.summary("`http::`"));
    if script.scripts > 0 {
        let note = script.scripts_note();
        let _ = write!(about, "\nScripts of the collection do not run here; {note}.");
    }
    for note in notes {
        let _ = write!(about, "\n\nNote: {note}.");
    }
    let mut head = comment("//!", &about);
    head.push('\n');
    if !collection.scripts.is_empty() {
        head.push_str(&scripts_as_comments(&collection.scripts, known));
        head.push('\n');
    }
    head
}

/// The first lines of a text, with credentials masked.
fn shortened(text: &str, known: &[String]) -> String {
    let lines: Vec<&str> = text.lines().take(MAX_ABOUT_LINES).collect();
    scrubbed(&lines.join("\n"), known)
}

impl Function<'_> {
    /// Renders its call in `main`.
    fn call(&self) -> String {
        let (name, params) = (&self.name, self.params.join(", "));
        match self.converted.kind {
            Kind::Omitted => {
                let reason = self.converted.notes.first().map_or("", String::as_str);
                format!("    // {name}: {reason}\n")
            }
            Kind::Web => format!("    done.{name} = {name}({params}).status;\n"),
            Kind::Returned => format!("    done.{name} = {name}({params});\n"),
            Kind::Typed => format!("    {name}({params});\n    done.{name} = \"done\";\n"),
        }
    }

    fn text(&self, known: &[String]) -> String {
        let request = self.request;
        let scripts = scripts_as_comments(&request.scripts, known);
        let path = request.path();
        let Some(code) = &self.converted.code else {
            if scripts.is_empty() {
                return scripts;
            }
            return format!(
                "\n{}\n{scripts}",
                comment("//", &scrubbed(&path, known)).trim_end()
            );
        };
        let mut about = format!("{path} ({})", request.method);
        if !request.about.trim().is_empty() {
            let _ = write!(about, "\n\n{}", request.about.trim());
        }
        for note in &self.converted.notes {
            let _ = write!(about, "\n\nNote: {note}.");
        }
        let about = comment("///", &shortened(&about, known));
        let (name, params) = (&self.name, self.params.join(", "));
        format!("\n{scripts}{about}fn {name}({params}) {{\n    {code}\n}}\n")
    }
}

/// Renders Postman scripts as comments, with credentials masked.
fn scripts_as_comments(scripts: &[EventScript], known: &[String]) -> String {
    let mut text = String::new();
    for script in scripts {
        let of = match script.of.as_str() {
            "" => String::new(),
            of => format!(" of {of}"),
        };
        let title = format!("Its script ({}){of}, which does not run:", script.when);
        text.push_str(&comment("//", &title));
        for line in script.lines.iter().take(MAX_SCRIPT_LINES) {
            text.push_str(&comment("//    ", &scrubbed(line, known)));
        }
        if script.lines.len() > MAX_SCRIPT_LINES {
            let more = script.lines.len() - MAX_SCRIPT_LINES;
            text.push_str(&comment("//", &format!("… and {more} more lines")));
        }
    }
    text
}

/// The line for a parameter in the doc comment of `main`.
fn param_line(param: &Param, known: &[String]) -> String {
    let about = scrubbed(&param.about, known).replace('\n', " ");
    let is_url = |text: &str| {
        let is_web = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        is_web && !text.contains(char::is_whitespace)
    };
    let default = param.default.as_deref().filter(|_| !param.secret);
    let ty = match default {
        _ if param.secret && !param.in_text => "secret",
        _ if param.json && !param.in_text => "json",
        Some(text) if is_url(text) => "url",
        _ => "string",
    };
    let default = match default {
        None => String::new(),
        Some(text) if ty == "json" => json_default(text, known),
        Some(text) => format!(" = {}", quoted(text)),
    };
    let plain = if param.secret && param.in_text {
        "; it is part of a longer text, so it is plain text"
    } else {
        ""
    };
    let line = format!("@param {} {ty}{default}  {about}{plain}", param.name);
    comment("///", &line)
}

/// The default of a JSON parameter; empty if its value contains a credential.
fn json_default(text: &str, known: &[String]) -> String {
    match serde_json::from_str(text) {
        Ok(Json::String(_) | Json::Bool(_) | Json::Number(_)) | Err(_) => format!(" = {text}"),
        Ok(_) if has_credentials(text, known) => String::new(),
        Ok(json) => format!(" = {}", Code::json(&json).line()),
    }
}
