//! `provisor sandbox`: the simulated platforms, served for any client.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::interrupt::SignalHandlers;
use super::private_file;
use crate::operation::catalogue::Catalogue;
use crate::operation::platform::{Platform, SignIn, SignInRequest};
use crate::operation::resource::{KeyForm, Paging, Resource};
use crate::sandbox::fault::{Fault, KINDS, Route};
use crate::sandbox::{
    self, Collection, Options, PlatformCounts, Role, Sandbox, SimulatedService, SimulatedSignIn, Snapshot,
    Status,
};

/// Serve, inspect and reset the simulated platforms.
#[derive(Args)]
pub(super) struct SandboxCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Serve the sandbox until Ctrl-C, for curl and other clients.
    Serve {
        /// The loopback address to listen on.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Inject a fault, for example `partners:drop-after:0.2`. Repeatable; `provisor sandbox faults` lists them.
        #[arg(long, value_name = "FAULT")]
        fault: Vec<String>,
        /// The seed of random faults.
        #[arg(long, value_name = "N", default_value_t = 0)]
        seed: u64,
    },
    /// Show what the sandbox holds.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Delete everything in the sandbox and start over.
    Reset {
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
    /// List the faults you can inject.
    Faults,
}

pub(super) fn sandbox(app: &App, command: &SandboxCommand) -> Result<Exit, CommandError> {
    let dir = app.paths()?.sandbox();
    match &command.action {
        Action::Serve { listen, fault, seed } => serve(app, *listen, fault, *seed),
        Action::Status { json } => {
            let status = sandbox::status(&dir).map_err(CommandError::usage)?;
            show_status(app, &status, *json)?;
            Ok(Exit::Ok)
        }
        Action::Reset { yes } => {
            app.consent(*yes, "Delete everything in the sandbox?")?;
            sandbox::reset(&dir).map_err(CommandError::usage)?;
            app.ui.note("the sandbox was reset");
            Ok(Exit::Ok)
        }
        Action::Faults => {
            app.print(&described_faults())?;
            Ok(Exit::Ok)
        }
    }
}

/// The names of the routes, and the kinds of faults, as written on the command line.
pub(super) fn known_faults() -> (Vec<String>, Vec<String>) {
    let routes = Route::all().map(|route| route.name().to_owned());
    let kinds = KINDS.iter().map(|kind| {
        let delay = if kind.has_delay() { ":" } else { "" };
        format!("{}{delay}", kind.name)
    });
    (routes.collect(), kinds.collect())
}

/// Parses faults as written on the command line.
pub(super) fn faults(texts: &[String]) -> Result<Vec<Fault>, CommandError> {
    let parse = |text: &String| {
        text.parse::<Fault>()
            .map_err(|error| CommandError::usage(format!("--fault {text}: {error}")))
    };
    texts.iter().map(parse).collect()
}

/// Returns the options of a sandbox in this folder, with the platforms of the catalogue.
pub(super) fn options(catalogue: &Catalogue, folder: PathBuf, seed: u64) -> Options {
    Options {
        seed,
        services: services(catalogue),
        ..Options::new(folder)
    }
}

/// Describes to the sandbox the platforms of a host program: their resources, over plain HTTP and JSON. Platforms that
/// it simulates itself, and those without a `url` or without resources, are left out.
pub(super) fn services(catalogue: &Catalogue) -> Vec<SimulatedService> {
    let platforms = catalogue.platforms().iter();
    let described = platforms.filter(|platform| is_described(platform));
    described
        .map(|platform| SimulatedService {
            name: platform.name.to_lowercase(),
            collections: platform.resources.iter().map(collection).collect(),
            sign_in: match platform.account.as_ref().map(|schema| schema.sign_in) {
                Some(SignIn::Request(request)) => Some(simulated_sign_in(&request)),
                _ => None,
            },
        })
        .collect()
}

/// Returns the address of a platform that the sandbox simulates by [its description](services).
pub(super) fn url_of(platform: &Platform) -> Option<String> {
    is_described(platform).then(|| format!("https://{}.web.sandbox", platform.name.to_lowercase()))
}

fn is_described(platform: &Platform) -> bool {
    let has_url = platform
        .texts()
        .iter()
        .any(|key| key.name == "url" && key.required);
    has_url && !platform.resources.is_empty() && !sandbox::simulates(platform.name)
}

fn simulated_sign_in(request: &SignInRequest) -> SimulatedSignIn {
    let login = request.login.iter().map(|(field, _)| *field);
    SimulatedSignIn {
        path: request.path.to_owned(),
        fields: login.chain([request.password.0]).map(str::to_owned).collect(),
        token: request.token.to_owned(),
        lifetime: request.lifetime.map(str::to_owned),
    }
}

fn collection(resource: &Resource) -> Collection {
    Collection {
        kind: resource.name.to_owned(),
        path: resource.path.to_owned(),
        by_id: resource.by_id.map(str::to_owned),
        by_key: resource.by_key.map(str::to_owned),
        key: resource.key.field.to_owned(),
        ignores_case: resource.key.form == KeyForm::Email,
        items: resource.items.map(str::to_owned),
        pages: match resource.paging {
            Paging::Whole => None,
            Paging::Pages { page, size, .. } => Some((page.to_owned(), size.to_owned())),
        },
    }
}

/// The default settle time and timeouts of the sandbox, unless `[profiles.sandbox]` overrides them: how long a request
/// may still take effect after its sender stopped waiting, and how long a response is awaited. The sandbox responds at
/// once, so its faults need not take as long as a real platform's.
pub(super) const SETTLE: Duration = Duration::from_secs(5);
pub(super) const REPLY: Duration = Duration::from_secs(5);
pub(super) const CONNECT: Duration = Duration::from_secs(1);

fn serve(app: &App, listen: SocketAddr, texts: &[String], seed: u64) -> Result<Exit, CommandError> {
    let dir = app.paths()?.sandbox();
    App::make_private(&dir)?;
    let mut options = options(app.catalogue(), dir, seed);
    options.listen = listen;
    options.faults = faults(texts)?;
    let sandbox = Sandbox::start(options).map_err(CommandError::usage)?;
    if sandbox.role() == Role::Attached {
        return Err(CommandError::usage(format!(
            "the sandbox is already served at http://{}",
            sandbox.address()
        ))
        .hint("stop that process, or set PROVISOR_HOME to serve another sandbox"));
    }
    let signals = SignalHandlers::new()
        .map_err(|error| CommandError::new(Exit::Aborted, format!("cannot wait for signals: {error}")))?;
    announce(app, &sandbox)?;
    signals.wait();
    Ok(Exit::Ok)
}

/// Prints each platform's address and login. Credentials are written to files, for other clients.
fn announce(app: &App, sandbox: &Sandbox) -> Result<(), CommandError> {
    app.print(&format!("serving the sandbox at http://{}", sandbox.address()))?;
    for account in sandbox.accounts() {
        let mut details = account.details;
        for (key, file) in account.files {
            let secret = account.secrets.iter().find(|(known, _)| known == key);
            let path = app.paths()?.sandbox().join(file);
            let secret = secret.map_or("", |(_, secret)| secret);
            private_file::write(&path, |file| Ok(writeln!(file, "{secret}")?))?;
            details.push(format!("{key} in {}", path.display()));
        }
        app.print(&format!("{}: {}", account.place, details.join(", ")))?;
    }
    Ok(())
}

/// Describes the faults: their routes and kinds.
fn described_faults() -> String {
    let routes: Vec<&str> = Route::all().map(Route::name).collect();
    let kinds = KINDS.iter().map(|kind| {
        let name = format!("{}{}", kind.name, if kind.has_delay() { ":MS" } else { "" });
        format!("{name:<12}  {}", kind.summary)
    });
    format!(
        "A fault is ROUTE:KIND[:MS][:RATE][:xN]; a rate is from 0 to 1, xN ends it after N times.\n\n\
         Routes  {}\n\n\
         A route covers all routes that extend its name after a hyphen; * covers all.\n\n\
         Kinds   {}\n\n\
         After a broken connection, an effect later than [profiles.sandbox] settle (5 s) is later than the sandbox promises.",
        routes.join(", "),
        kinds.collect::<Vec<_>>().join("\n        ")
    )
}

/// Prints the counts, as text or as JSON.
fn show_status(app: &App, status: &Status, json: bool) -> Result<(), CommandError> {
    let served = status.served.map(|(address, pid)| (address.to_string(), pid));
    let Some(snapshot) = &status.snapshot else {
        return app.print(if json {
            r#"{"world":null}"#
        } else {
            "the sandbox is empty; the first run with --sandbox creates its data"
        });
    };
    let parts = snapshot.counts();
    if json {
        let served = served.map(|(address, pid)| json!({"address": address, "pid": pid}));
        return app.print(&document(served.as_ref(), snapshot, &parts).to_string());
    }
    match served {
        Some((address, pid)) => app.print(&format!("served at http://{address} by process {pid}"))?,
        None => app.print("not served now")?,
    }
    for part in &parts {
        let resources = part
            .resources
            .iter()
            .map(|(name, count)| format!("{count} {name}"));
        let resources = resources.collect::<Vec<_>>().join(", ");
        app.print(&format!("{}: {resources}", part.title))?;
        for (name, count) in part.totals.as_object().into_iter().flatten() {
            app.print(&format!("  {}: {count}", name.replace('_', " ")))?;
        }
    }
    Ok(())
}

/// The counts of the first platform stay at the top level, where they were when it was the only one.
fn document(served: Option<&Json>, snapshot: &Snapshot, parts: &[PlatformCounts]) -> Json {
    let mut document = json!({"served": served, "pending": snapshot.pending});
    for (at, part) in parts.iter().enumerate() {
        let mut counts: serde_json::Map<String, Json> = part
            .resources
            .iter()
            .map(|(name, count)| ((*name).to_owned(), json!(count)))
            .collect();
        counts.insert("totals".to_owned(), part.totals.clone());
        if at == 0 {
            document
                .as_object_mut()
                .into_iter()
                .for_each(|all| all.extend(counts.clone()));
        } else {
            let name = part.title.to_lowercase().replace(' ', "_");
            document[name] = Json::Object(counts);
        }
    }
    document
}
