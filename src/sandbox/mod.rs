//! Simulated platforms: the other side of every test, a first hour without an account, and misbehaviour on demand.
//!
//! A sandbox lives in a folder. Its world (accounts, apps, sign-ins) is an append-only log of events there, written
//! before anyone is told, so it survives the death of the process that serves it. Processes share a folder: the first
//! serves it over HTTP on a loopback address, the others use that address, and one of them takes over when the first
//! ends.
//!
//! This module imports nothing of the rest of the program, so that one wrong idea of a platform cannot hide on both
//! sides.
//!
//! To add a platform: a folder next to `jrni/` with its commands, events, state and routes, and one line each in
//! `address` (its names), `serve` (who answers), `world` and `world/memory` (what it knows), `fault` (its routes),
//! `books` (what there is to prove) and `admin` (who signs in).

mod address;
mod admin;
mod books;
mod call;
mod error;
pub mod fault;
mod form;
mod hosts;
mod jrni;
mod lease;
mod log;
mod mobsted;
mod peer;
mod platform;
mod reply;
mod serve;
mod share;
mod sparrow;
mod things;
mod token;
mod web;
mod wire;
mod world;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::http::StatusCode;

use address::Style;
use admin::MasterLogin;
pub use books::{
    AdministratorBook, AppBook, BatchBook, Books, Channel, CompanyBook, JrniBook, JrniTotals, PlatformCounts,
    RecordBook, SparrowBook, SparrowTotals, TenantBook, Totals, Traffic, WebBook, WebTotals,
};
pub use error::SandboxError;
use fault::Fault;
pub(crate) use hosts::HOSTS;
use lease::Lease;
use share::{Found, Posted, Seat};
pub use share::{Status, reset, status};
pub use things::Thing;

/// How to start a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds the world; made when it is missing.
    pub dir: PathBuf,
    /// Where to listen; a loopback address. With port 0, the last port of this folder if it is free, or any.
    pub listen: SocketAddr,
    /// What goes wrong. Limits (`xN`) count anew in each process that serves.
    pub faults: Vec<Fault>,
    /// What faults with a rate decide by, together with what had happened in the world before it was opened: or a
    /// process that dies of a fault would meet the same one each time it is started again.
    pub seed: u64,
    /// How the platforms behave where the real ones are not known or slow.
    pub behaviour: Behaviour,
}

/// Choices about the simulated platforms.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour {
    /// How long an access token works. The vendor's examples show 7 days.
    pub access_life: Duration,
    /// How long a refresh token works. The vendor's examples show 28 days.
    pub refresh_life: Duration,
    /// How long creating a sub-account takes. The vendor speaks of up to a minute; here it is at once by default.
    pub create_latency: Duration,
    /// How a second sub-account for an address is refused.
    pub duplicate: Duplicate,
    /// Whether a refresh token may be traded more than once. The real behaviour is not known.
    pub lenient_refresh: bool,
    /// How long a JRNI token works after it was last used. The vendor says 24 hours.
    pub jrni_idle: Duration,
    /// Whether JRNI describes the sign-in of a token at `GET /login`. The vendor's SDK asks for it, its documents do not
    /// name it.
    pub jrni_describes: bool,
    /// How long a token of Sparrow SMS works. The vendor says 24 hours.
    pub sparrow_life: Duration,
}

/// The status with which a second sub-account for an address is refused. Which one the real platform uses is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicate {
    /// 400, the most likely one.
    #[default]
    BadRequest,
    /// 409.
    Conflict,
    /// 422.
    Unprocessable,
}

/// What a process is to a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It serves it.
    Serving,
    /// It uses what another process serves, and waits to take over.
    Attached,
}

/// The simulated Mobsted's master account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Master {
    /// Its address by host name, as on the real platform. The name resolves nowhere: connect to
    /// [`Sandbox::address`] instead.
    pub url: String,
    /// Its address by path, for clients that know nothing of the sandbox.
    pub plain_url: String,
    /// Who signs in.
    pub login: String,
    /// The password, made at random with the world.
    pub password: String,
}

/// An account of a simulated platform, as a profile describes one.
#[derive(Clone)]
pub struct SimulatedAccount {
    /// The platform, as profiles name it.
    pub platform: &'static str,
    /// What may be shown, by key; the address first.
    pub texts: Vec<(&'static str, String)>,
    /// What must not be shown, by key.
    pub secrets: Vec<(&'static str, String)>,
    /// The platform and its address by path, for clients that know nothing of the sandbox.
    pub place: String,
    /// What such clients need to know besides secrets.
    pub told: Vec<String>,
    /// The secrets that such clients need, each with the name of a file that may hold it.
    pub files: &'static [(&'static str, &'static str)],
}

impl fmt::Debug for SimulatedAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimulatedAccount").field(&self.platform).finish()
    }
}

/// The simulated JRNI's parent company, and who signs in to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JrniAccount {
    /// The address of its API by host name, with `/api/v1`. The name resolves nowhere: connect to
    /// [`Sandbox::address`] instead.
    pub url: String,
    /// The address of its API by path, for clients that know nothing of the sandbox.
    pub plain_url: String,
    /// The parent company's number.
    pub company: u64,
    /// Who signs in.
    pub login: String,
    /// The password, made at random with the world, as the next two are.
    pub password: String,
    /// The header `App-Id`.
    pub app_id: String,
    /// The header `App-Key`.
    pub app_key: String,
}

/// The simulated Sparrow SMS's account, and who signs in to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparrowAccount {
    /// The address of its API by host name. The name resolves nowhere: connect to [`Sandbox::address`] instead.
    pub url: String,
    /// The address of its API by path, for clients that know nothing of the sandbox.
    pub plain_url: String,
    /// The account's token for programs, made at random with the world, as the next one is.
    pub api_token: String,
    /// The token of the account itself.
    pub partner_token: String,
}

/// A running sandbox. Dropping it stops serving, closes the port and lets the folder go.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    /// Faults in another process that end with this.
    lease: Option<Lease>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    master: MasterLogin,
    closed: AtomicBool,
    place: Mutex<Place>,
}

#[derive(Debug)]
enum Place {
    Serving(Box<Seat>),
    /// Where it was served last.
    Attached(Posted),
}

impl Options {
    /// A sandbox in that folder, on any free port of 127.0.0.1, without faults.
    pub fn new(dir: impl Into<PathBuf>) -> Options {
        Options {
            dir: dir.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            faults: Vec::new(),
            seed: 0,
            behaviour: Behaviour::default(),
        }
    }
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour {
            access_life: Duration::from_hours(7 * 24),
            refresh_life: Duration::from_hours(28 * 24),
            create_latency: Duration::ZERO,
            duplicate: Duplicate::BadRequest,
            lenient_refresh: false,
            jrni_idle: Duration::from_hours(24),
            jrni_describes: true,
            sparrow_life: Duration::from_hours(24),
        }
    }
}

impl Duplicate {
    fn status(self) -> StatusCode {
        match self {
            Duplicate::BadRequest => StatusCode::BAD_REQUEST,
            Duplicate::Conflict => StatusCode::CONFLICT,
            Duplicate::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

impl Sandbox {
    /// Serves the sandbox of the folder, or attaches to the process that does. Faults asked for while attaching are
    /// added to those of the serving process until this is dropped, or its process ends.
    ///
    /// Fails when the world cannot be opened, the address cannot be listened on, or the serving process does not answer.
    pub fn start(options: Options) -> Result<Sandbox, SandboxError> {
        let (place, master, lease) = share::looking_again(|| Sandbox::take_place(&options))?;
        let attached = matches!(place, Place::Attached(_));
        let closed = AtomicBool::new(false);
        let shared = Arc::new(Shared {
            options,
            master,
            closed,
            place: Mutex::new(place),
        });
        if attached {
            wait_to_take_over(&shared)?;
        }
        Ok(Sandbox { shared, lease })
    }

    fn take_place(options: &Options) -> Result<(Place, MasterLogin, Option<Lease>), SandboxError> {
        let posted = match share::find(options)? {
            Found::Free(seat) => {
                let master = admin::master(&seat.site);
                return Ok((Place::Serving(seat), master, None));
            }
            Found::Taken(posted) => posted,
        };
        let mut lease = None;
        if !options.faults.is_empty() {
            let lease = lease.insert(Lease::take(&options.dir)?);
            let path = format!("faults/{}", lease.name());
            post_faults(posted.address, &path, &options.faults)?;
        }
        let master = peer::ask(posted.address, "GET", "master", "")?;
        Ok((Place::Attached(posted), master, lease))
    }

    /// Where the sandbox answers now. While attached this can change: ask again after a connection was refused.
    pub fn address(&self) -> SocketAddr {
        match &*self.shared.place() {
            Place::Serving(seat) => seat.posted.address,
            Place::Attached(last) => {
                share::read_address(&self.shared.options.dir)
                    .as_ref()
                    .unwrap_or(last)
                    .address
            }
        }
    }

    /// The master account of the simulated Mobsted.
    pub fn master(&self) -> Master {
        let host = Style::Host(format!("-admin.{}.{}", self.label(), mobsted::SERVER));
        let plain = Style::Path(self.address().to_string());
        Master {
            url: mobsted::url_of(mobsted::MASTER, &host),
            plain_url: mobsted::url_of(mobsted::MASTER, &plain),
            login: self.shared.master.login.clone(),
            password: self.shared.master.password.clone(),
        }
    }

    /// The accounts of all simulated platforms, one of each, under the keys that profiles describe them by.
    pub fn accounts(&self) -> Vec<SimulatedAccount> {
        let (master, jrni, sparrow) = (self.master(), self.jrni(), self.sparrow());
        vec![
            SimulatedAccount {
                platform: "mobsted",
                texts: vec![("url", master.url), ("login", master.login.clone())],
                secrets: vec![("password", master.password)],
                place: format!("Mobsted at {}", master.plain_url),
                told: vec![master.login],
                files: &[("password", "master-password")],
            },
            SimulatedAccount {
                platform: "jrni",
                place: format!("JRNI at {}", jrni.plain_url),
                told: vec![
                    jrni.login.clone(),
                    format!("App-Id {}", jrni.app_id),
                    format!("company {}", jrni.company),
                ],
                files: &[("password", "jrni-password"), ("app_key", "jrni-app-key")],
                texts: vec![("url", jrni.url), ("login", jrni.login), ("app_id", jrni.app_id)],
                secrets: vec![("password", jrni.password), ("app_key", jrni.app_key)],
            },
            SimulatedAccount {
                platform: "sparrow",
                texts: vec![("url", sparrow.url)],
                secrets: vec![
                    ("api_token", sparrow.api_token),
                    ("partner_token", sparrow.partner_token),
                ],
                place: format!("Sparrow SMS at {}", sparrow.plain_url),
                told: Vec::new(),
                files: &[
                    ("api_token", "sparrow-api-token"),
                    ("partner_token", "sparrow-partner-token"),
                ],
            },
            // It takes any token.
            SimulatedAccount {
                platform: "web",
                texts: vec![("url", "https://api.web.sandbox".to_owned())],
                secrets: vec![("bearer", "of-the-sandbox".to_owned())],
                place: format!("a service of the web at {}", self.web_url()),
                told: vec!["no sign-in".to_owned()],
                files: &[],
            },
        ]
    }

    /// The parent company of the simulated JRNI.
    pub fn jrni(&self) -> JrniAccount {
        let access = &self.shared.master.jrni;
        let host = Style::Host(format!("bookings.{}.jrni.sandbox", self.label()));
        let plain = Style::Path(self.address().to_string());
        JrniAccount {
            url: format!("{}/api/v1", jrni::root(&host)),
            plain_url: format!("{}/api/v1", jrni::root(&plain)),
            company: access.company,
            login: access.login.clone(),
            password: access.password.clone(),
            app_id: access.app_id.clone(),
            app_key: access.app_key.clone(),
        }
    }

    /// The account of the simulated Sparrow SMS.
    pub fn sparrow(&self) -> SparrowAccount {
        let access = &self.shared.master.sparrow;
        let host = Style::Host(format!("ent-api.{}.sparrow.sandbox", self.label()));
        let plain = Style::Path(self.address().to_string());
        SparrowAccount {
            url: sparrow::root(&host),
            plain_url: sparrow::root(&plain),
            api_token: access.api_token.clone(),
            partner_token: access.partner_token.clone(),
        }
    }

    /// The address of the simulated service of the web by path, for clients that know nothing of the sandbox.
    pub fn web_url(&self) -> String {
        format!("http://{}/web", self.address())
    }

    /// The label in the host names of this world: each has its own, so that nobody takes an account of one for an
    /// account of another.
    fn label(&self) -> String {
        let digest = token::digest(&self.shared.master.password);
        format!("w{}", &digest[..6])
    }

    /// Whether this process serves the sandbox.
    pub fn role(&self) -> Role {
        match &*self.shared.place() {
            Place::Serving(_) => Role::Serving,
            Place::Attached(_) => Role::Attached,
        }
    }

    /// The platform's books, from the serving process if that is another one.
    pub fn books(&self) -> Result<Books, SandboxError> {
        share::looking_again(|| {
            if let Place::Serving(seat) = &*self.shared.place() {
                return Ok(seat.site.world.books(seat.site.traffic()));
            }
            peer::ask(self.address(), "GET", "books", "")
        })
    }

    /// Adds faults to those in force, in the serving process if that is another one.
    pub fn add_faults(&self, faults: &[Fault]) -> Result<(), SandboxError> {
        share::looking_again(|| {
            if let Place::Serving(seat) = &*self.shared.place() {
                seat.site.faults.add(faults, None);
                return Ok(());
            }
            post_faults(self.address(), "faults", faults)
        })
    }

    /// Do faults that were asked for here hit requests of other processes, too?
    pub fn shares_faults(&self) -> bool {
        self.lease.is_some()
    }

    /// Stops serving, closes the port and lets the folder go. Dropping the sandbox does the same.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        let mut place = self.shared.place();
        // The waiting thread may hold on to the rest for long: what serves has to go now.
        if let Place::Serving(seat) = &*place {
            let last = seat.posted.clone();
            *place = Place::Attached(last);
        }
    }
}

impl Shared {
    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn post_faults(address: SocketAddr, path: &str, faults: &[Fault]) -> Result<(), SandboxError> {
    let texts: Vec<String> = faults.iter().map(Fault::to_string).collect();
    peer::ask::<serde_json::Value>(address, "POST", path, &texts.join("\n")).map(|_| ())
}

/// Starts a thread that serves the folder as soon as the process that serves it now has ended. The thread may outlive
/// the sandbox while it waits; then it lets the folder go as soon as it gets it.
fn wait_to_take_over(shared: &Arc<Shared>) -> Result<(), SandboxError> {
    let waiting = Arc::downgrade(shared);
    let dir = shared.options.dir.clone();
    let thread = std::thread::Builder::new().name("sandbox-heir".to_owned());
    let spawned = thread.spawn(move || match share::wait_for_lock(&dir) {
        Ok(lock) => take_over(&waiting, lock),
        Err(error) => tracing::error!(%error, "the sandbox will not be taken over by this process"),
    });
    spawned
        .map(|_| ())
        .map_err(|error| SandboxError::Server(error.to_string()))
}

fn take_over(waiting: &Weak<Shared>, lock: std::fs::File) {
    let Some(shared) = waiting.upgrade() else { return };
    let mut place = shared.place();
    if shared.closed.load(Ordering::SeqCst) {
        return;
    }
    match share::serve(&shared.options, lock) {
        Ok(seat) => *place = Place::Serving(Box::new(seat)),
        Err(error) => tracing::error!(%error, "the sandbox could not be taken over by this process"),
    }
}
