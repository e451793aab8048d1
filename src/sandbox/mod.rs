//! Simulated platforms with fault injection on demand, used by tests and by users who have no account yet.
//!
//! A sandbox lives in a folder. Its world (accounts, apps, sign-ins) is an append-only event log there, written before
//! any response is sent, so it survives the death of the serving process. Processes share a folder: the first serves it
//! over HTTP on a loopback address, the others use that address, and one of them takes over when the first ends.
//!
//! This module imports nothing from the rest of the program, so that a misconception about a platform cannot hide on
//! both sides.
//!
//! To add a platform: create a folder next to `web/` with its events, state and routes, implement `Platform` for the
//! state, and add it here and to [`hosts`]. No other code names a platform; `tests/it/house.rs` checks that.

mod address;
mod admin;
mod call;
mod error;
pub mod fault;
mod fault_stream;
mod form;
mod hosts;
mod in_process;
mod jrni;
mod lease;
mod log;
mod mobsted;
mod peer;
mod platform;
mod reply;
mod serve;
mod share;
mod snapshot;
mod sparrow;
mod sparrow_bulk;
mod token;
mod web;
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

pub use error::SandboxError;
use fault::Fault;
pub(crate) use hosts::HOSTS;
pub use in_process::{DirectAnswer, DirectRequest, DirectResponse, Timeline};
pub use jrni::{AdministratorBook, CompanyBook, JrniAccount, JrniBook, JrniTotals, RecordBook};
use lease::Lease;
pub use mobsted::{AppBook, Master, MobstedBook, TenantBook, Totals};
use platform::Simulator;
use serve::Site;
use share::{Found, ServedWorld, ServingAddress};
pub use share::{Status, reset, status};
pub use snapshot::{Account, Book, Part, Parts, Place, PlatformCounts, SimulatedResource, Snapshot, Traffic};
pub use sparrow::{BatchBook, Channel, SparrowAccount, SparrowBook, SparrowTotals};
pub use sparrow_bulk::{SparrowBulkAccount, SparrowBulkBook, SparrowBulkMessageBook, SparrowBulkTotals};
pub use web::{Collection, DescribedItem, SimulatedService, SimulatedSignIn, WebAccount, WebBook, WebTotals};

/// The simulated platforms. Requests that name none go to the first, whose data is at the top level of snapshots.
static SIMULATORS: &[Simulator] = &[
    Simulator::of::<mobsted::State>(),
    Simulator::of::<jrni::State>(),
    Simulator::of::<sparrow::State>(),
    Simulator::of::<sparrow_bulk::State>(),
    Simulator::of::<web::State>(),
];

/// Returns whether the sandbox simulates the platform of this name itself, or needs the name: `api` is the web service.
pub fn simulates(platform: &str) -> bool {
    platform.eq_ignore_ascii_case("api") || SIMULATORS.iter().any(|own| own.name == platform)
}

/// Options for starting a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds the world; created if missing.
    pub dir: PathBuf,
    /// The loopback address to listen on. With port 0, the last port of this folder if it is free, else any free port.
    pub listen: SocketAddr,
    /// The faults to inject. Each serving process counts their limits (`xN`) from zero.
    pub faults: Vec<Fault>,
    /// The seed of faults with a rate. The number of log entries at start is mixed in, or a process that dies of a
    /// fault would meet the same one each time it is restarted.
    pub seed: u64,
    /// How the platforms behave where the real ones are unknown or slow.
    pub behaviour: Behaviour,
    /// Services of a host program, simulated besides the platforms. A world keeps their descriptions.
    pub services: Vec<SimulatedService>,
}

/// Settings of the simulated platforms.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour {
    /// The lifetime of an access token. The vendor's examples show 7 days.
    pub access_life: Duration,
    /// The lifetime of a refresh token. The vendor's examples show 28 days.
    pub refresh_life: Duration,
    /// How long creating a sub-account takes. The vendor mentions up to a minute; the default is no delay.
    pub create_latency: Duration,
    /// The status that refuses a second sub-account for an address.
    pub duplicate: Duplicate,
    /// Whether a refresh token may be used more than once. The real behaviour is unknown.
    pub lenient_refresh: bool,
    /// The lifetime of a token that each use renews. The vendor documents 24 hours.
    pub idle_life: Duration,
    /// Whether `GET /login` describes the sign-in of a token. The vendor's SDK uses it; its documentation does not
    /// mention it.
    pub describes_sign_in: bool,
    /// The lifetime of a token that nothing renews. The vendor documents 24 hours.
    pub session_life: Duration,
}

/// The status that refuses a second sub-account for an address. Which one the real platform uses is unknown.
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

/// The role of a process in a shared sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It serves the sandbox.
    Serving,
    /// It uses the sandbox that another process serves, and waits to take over.
    Attached,
}

/// An account of a simulated platform, in the form of a profile.
#[derive(Clone)]
pub struct SimulatedAccount {
    /// The platform's name in profiles.
    pub platform: &'static str,
    /// The values that may be shown, by key; the URL first.
    pub texts: Vec<(&'static str, String)>,
    /// The secret values, by key.
    pub secrets: Vec<(&'static str, String)>,
    /// The platform and its URL by path, for clients that do not know the sandbox.
    pub place: String,
    /// What such clients need to know besides secrets.
    pub details: Vec<String>,
    /// The secrets that such clients need, each with the name of a file to hold it.
    pub files: &'static [(&'static str, &'static str)],
}

impl fmt::Debug for SimulatedAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimulatedAccount").field(&self.platform).finish()
    }
}

/// A running sandbox. Dropping it stops the server, closes the port and releases the folder.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    /// The lease of faults added in another process; they end with it.
    lease: Option<Lease>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    credentials: Parts,
    closed: AtomicBool,
    place: Mutex<ServingState>,
}

#[derive(Debug)]
enum ServingState {
    Serving(Box<ServedWorld>),
    /// Without an address, for a client in the same process.
    InProcess(Arc<Site>),
    /// The last known address of the serving process.
    Attached(ServingAddress),
}

impl Options {
    /// Returns options for a sandbox in that folder, on any free port of 127.0.0.1, without faults.
    pub fn new(dir: impl Into<PathBuf>) -> Options {
        Options {
            dir: dir.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            faults: Vec::new(),
            seed: 0,
            behaviour: Behaviour::default(),
            services: Vec::new(),
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
            idle_life: Duration::from_hours(24),
            describes_sign_in: true,
            session_life: Duration::from_hours(24),
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
    /// Serves the sandbox of the folder, or attaches to the process that does. When attaching, the faults are added to
    /// those of the serving process until this sandbox is dropped or its process ends.
    ///
    /// Errors: the world cannot be opened, the address cannot be listened on, or the serving process does not respond.
    pub fn start(options: Options) -> Result<Sandbox, SandboxError> {
        let (place, credentials, lease) = share::retry_if_server_ends(|| Sandbox::serve_or_join(&options))?;
        let attached = matches!(place, ServingState::Attached(_));
        let sandbox = Sandbox::new(options, credentials, place, lease);
        if attached {
            wait_to_take_over(&sandbox.shared)?;
        }
        Ok(sandbox)
    }

    fn new(options: Options, credentials: Parts, place: ServingState, lease: Option<Lease>) -> Sandbox {
        let shared = Arc::new(Shared {
            options,
            credentials,
            closed: AtomicBool::new(false),
            place: Mutex::new(place),
        });
        Sandbox { shared, lease }
    }

    fn serve_or_join(options: &Options) -> Result<(ServingState, Parts, Option<Lease>), SandboxError> {
        let posted = match share::find(options)? {
            Found::Free(seat) => {
                let credentials = seat.site.world.credentials();
                return Ok((ServingState::Serving(seat), credentials, None));
            }
            Found::Taken(posted) => posted,
        };
        if !options.services.is_empty() {
            let services = serde_json::to_string(&options.services).unwrap_or_default();
            peer::ask::<serde_json::Value>(posted.address, "POST", "services", &services)?;
        }
        let mut lease = None;
        if !options.faults.is_empty() {
            let lease = lease.insert(Lease::take(&options.dir)?);
            let path = format!("faults/{}", lease.name());
            post_faults(posted.address, &path, &options.faults)?;
        }
        let credentials = peer::ask(posted.address, "GET", "master", "")?;
        Ok((ServingState::Attached(posted), credentials, lease))
    }

    /// Returns the current address. While attached it can change: call this again after a refused connection. Port 0 for
    /// a sandbox that does not listen.
    pub fn address(&self) -> SocketAddr {
        match &*self.shared.place() {
            ServingState::Serving(seat) => seat.posted.address,
            ServingState::InProcess(_) => self.shared.options.listen,
            ServingState::Attached(last) => {
                share::read_address(&self.shared.options.dir)
                    .as_ref()
                    .unwrap_or(last)
                    .address
            }
        }
    }

    /// Returns the account of a simulated platform.
    pub fn account<A: Account>(&self) -> A {
        self.shared.credentials.get::<A>().located(&self.location())
    }

    /// Returns one account of each simulated platform, under the keys that profiles use.
    pub fn accounts(&self) -> Vec<SimulatedAccount> {
        let (credentials, place) = (&self.shared.credentials, self.location());
        let accounts = SIMULATORS.iter().map(|one| (one.profile)(credentials, &place));
        accounts.collect()
    }

    /// Each world has a random password of its own, from which its label is made.
    fn location(&self) -> Place {
        let digest = token::digest(self.shared.credentials.password());
        Place {
            address: self.address(),
            label: format!("w{}", &digest[..6]),
        }
    }

    /// Returns whether this process serves the sandbox or is attached.
    pub fn role(&self) -> Role {
        match &*self.shared.place() {
            ServingState::Serving(_) | ServingState::InProcess(_) => Role::Serving,
            ServingState::Attached(_) => Role::Attached,
        }
    }

    /// Returns the records of the platforms, from the serving process if that is another one.
    pub fn snapshot(&self) -> Result<Snapshot, SandboxError> {
        share::retry_if_server_ends(|| {
            if let Some(site) = self.shared.place().site() {
                site.world.land_due()?;
                return Ok(site.world.snapshot(site.traffic()));
            }
            peer::ask(self.address(), "GET", "books", "")
        })
    }

    /// Adds faults to those in force, in the serving process if that is another one.
    pub fn add_faults(&self, faults: &[Fault]) -> Result<(), SandboxError> {
        share::retry_if_server_ends(|| {
            if let Some(site) = self.shared.place().site() {
                site.faults.add(faults, None);
                return Ok(());
            }
            post_faults(self.address(), "faults", faults)
        })
    }

    /// Whether faults added here also hit requests of other processes.
    pub fn shares_faults(&self) -> bool {
        self.lease.is_some()
    }

    /// Stops the server, closes the port and releases the folder. Dropping the sandbox does the same.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        let mut place = self.shared.place();
        // The waiting thread may keep the rest alive for long: the server has to stop now.
        if let ServingState::Serving(seat) = &*place {
            let last = seat.posted.clone();
            *place = ServingState::Attached(last);
        }
    }
}

impl ServingState {
    /// The served world, if it is in this process.
    fn site(&self) -> Option<&Arc<Site>> {
        match self {
            ServingState::Serving(seat) => Some(&seat.site),
            ServingState::InProcess(site) => Some(site),
            ServingState::Attached(_) => None,
        }
    }
}

impl Shared {
    fn place(&self) -> MutexGuard<'_, ServingState> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn post_faults(address: SocketAddr, path: &str, faults: &[Fault]) -> Result<(), SandboxError> {
    let texts: Vec<String> = faults.iter().map(Fault::to_string).collect();
    peer::ask::<serde_json::Value>(address, "POST", path, &texts.join("\n")).map(|_| ())
}

/// Starts a thread that serves the folder once the serving process has ended. While waiting, the thread may outlive the
/// sandbox; it then releases the folder as soon as it acquires it.
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
        Ok(seat) => *place = ServingState::Serving(Box::new(seat)),
        Err(error) => tracing::error!(%error, "the sandbox could not be taken over by this process"),
    }
}
