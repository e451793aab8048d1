//! Serves a world on its own thread and runtime, and applies faults to requests.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tokio::net::TcpSocket;
use tokio::sync::oneshot;

use super::admin;
use super::call::Call;
use super::error::SandboxError;
use super::fault::{self, Effect, Fault, Faults};
use super::fault_stream::{ConnectionHandle, FaultListener};
use super::platform::{Action, Platform, PlatformState, Refusal};
use super::reply::Reply;
use super::snapshot::{Meter, Traffic, count};
use super::token::Signer;
use super::world::World;
use super::{Behaviour, Options};

/// The largest request body accepted, in bytes.
const BODY_LIMIT: usize = 1 << 20;

/// The maximum number of connections waiting to be accepted.
const BACKLOG: u32 = 4096;

/// The shared state of all request handlers.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) world: World,
    pub(super) faults: Faults,
    pub(super) meter: Arc<Meter>,
    pub(super) signer: Signer,
    pub(super) behaviour: Behaviour,
    /// Identifies this server among others of the same folder.
    pub(super) instance: String,
    /// The folder of the world.
    pub(super) dir: PathBuf,
}

impl Site {
    /// Creates a site for an open world.
    pub(super) fn new(world: World, options: &Options) -> Site {
        Site {
            signer: Signer::new(&world.secret()),
            faults: Faults::new(options.seed ^ (world.found() as u64), &options.faults),
            meter: Arc::default(),
            behaviour: options.behaviour,
            instance: format!("{:016x}", fastrand::u64(..)),
            dir: options.dir.clone(),
            world,
        }
    }

    /// Reads the state of a platform.
    pub(super) fn read<P: PlatformState, T>(&self, look: impl FnOnce(&P) -> T) -> T {
        self.world.read(look)
    }

    /// Returns the counts of the requests received so far.
    pub(super) fn traffic(&self) -> Traffic {
        self.meter.read(self.faults.hits())
    }
}

/// A running server. Dropping it closes the port and every connection.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves on the first free address; if there is none, returns the error of the last.
    pub(super) fn start(addresses: &[SocketAddr], site: Arc<Site>) -> Result<Server, SandboxError> {
        let failed = |error: std::io::Error| SandboxError::Server(error.to_string());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("sandbox-worker")
            .enable_io()
            .enable_time()
            .build()
            .map_err(failed)?;
        let entered = runtime.enter();
        let listening = listen(addresses);
        drop(entered);
        let (listener, address) = match listening {
            Ok(listening) => listening,
            Err(error) => {
                // Dropping it could block, which a caller's own runtime would not allow.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || {
                runtime.block_on(run(listener, site, stopped));
                // Hanging requests would otherwise delay the shutdown.
                runtime.shutdown_timeout(Duration::from_millis(200));
            })
            .map_err(failed)?;
        Ok(Server {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was reported when it happened; here it only has to have ended.
            let _ = thread.join();
        }
    }
}

async fn run(listener: FaultListener, site: Arc<Site>, stopped: oneshot::Receiver<()>) {
    for (id, delay) in site.world.deferred() {
        land_later(Arc::clone(&site), id, delay);
    }
    let service = Router::new().fallback(handle).with_state(site);
    let service = service.into_make_service_with_connect_info::<ConnectionHandle>();
    tokio::select! {
        _ = axum::serve(listener, service) => {}
        _ = stopped => {}
    }
}

fn listen(addresses: &[SocketAddr]) -> Result<(FaultListener, SocketAddr), SandboxError> {
    let mut last = SandboxError::Server("it has no address to listen on".to_owned());
    for &address in addresses {
        let open = || {
            let socket = if address.is_ipv4() {
                TcpSocket::new_v4()
            } else {
                TcpSocket::new_v6()
            }?;
            // Otherwise a port would stay in use for a minute after its last connection.
            #[cfg(unix)]
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let listener = socket.listen(BACKLOG)?;
            let bound = listener.local_addr()?;
            Ok((FaultListener(listener), bound))
        };
        match open() {
            Ok(open) => return Ok(open),
            Err(error) if ErrorKind::AddrInUse == std::io::Error::kind(&error) => {
                last = SandboxError::Busy(address);
            }
            Err(source) => last = SandboxError::Listen { address, source },
        }
    }
    Err(last)
}

async fn handle(
    State(site): State<Arc<Site>>,
    ConnectInfo(hook): ConnectInfo<ConnectionHandle>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return Reply::html(StatusCode::PAYLOAD_TOO_LARGE, "sandbox").into();
    };
    if let Some(path) = parts.uri.path().strip_prefix("/_sandbox/") {
        return admin::answer(&site, &parts.method, path, &body).into();
    }
    let (simulator, call) = Call::read(&parts, body);
    (simulator.respond)(site, call, hook).await.into()
}

/// Responds to a request to a platform.
pub(super) async fn respond<P: Platform>(site: Arc<Site>, call: Call, hook: ConnectionHandle) -> Reply {
    let route = P::route(&site, &call);
    site.meter.count_route(route);
    if P::count_request(&site, &call) {
        count(&site.meter.repeats);
    }
    match site.faults.decide(route) {
        None => answer::<P>(site, call, Duration::ZERO, &hook).await,
        Some(fault) => apply_fault::<P>(fault, site, call, &hook).await,
    }
}

/// Returns the response that the request gets without a fault, after a delay. Delayed work continues if the client does
/// not wait, as on the real platform.
async fn answer<P: Platform>(site: Arc<Site>, call: Call, delay: Duration, hook: &ConnectionHandle) -> Reply {
    let delay = delay + P::latency(&site, &call);
    if delay.is_zero() {
        return settle::<P>(&site, &call);
    }
    if let Some(patience) = hook.patience() {
        if delay >= patience {
            defer::<P>(&site, &call, delay);
            return wait_in_vain(&site, patience, hook);
        }
        site.world.advance(delay);
        land_due(&site);
        return settle::<P>(&site, &call);
    }
    let under_way = site.meter.under_way();
    let work = tokio::spawn(async move {
        let _under_way = under_way;
        tokio::time::sleep(delay).await;
        settle::<P>(&site, &call)
    });
    work.await
        .unwrap_or_else(|_| Reply::html(StatusCode::INTERNAL_SERVER_ERROR, "sandbox"))
}

fn settle<P: Platform>(site: &Site, call: &Call) -> Reply {
    match P::plan(site, call) {
        Ok(Action::Show(reply)) | Err(reply) => reply,
        Ok(Action::Do(wanted)) => match site.world.perform::<P>(wanted) {
            Ok(event) => P::done(site, call, event),
            Err(refusal) => P::refused(site, &refusal),
        },
    }
}

/// Applies a fault to a request and returns the response.
async fn apply_fault<P: Platform>(
    fault: Fault,
    site: Arc<Site>,
    call: Call,
    hook: &ConnectionHandle,
) -> Reply {
    use fault::Response;
    let response = fault.kind.response;
    if response == Response::Expired {
        return expire::<P>(&site, &call);
    }
    let reply = match fault.kind.effect {
        Effect::Nothing => None,
        Effect::Now => Some(answer::<P>(Arc::clone(&site), call, Duration::ZERO, hook).await),
        Effect::Late if response == Response::Correct => {
            Some(answer::<P>(Arc::clone(&site), call, fault.delay, hook).await)
        }
        Effect::Late => defer::<P>(&site, &call, fault.delay),
    };
    match response {
        Response::ServerError => return P::server_error(),
        Response::BadGateway => return Reply::html(StatusCode::BAD_GATEWAY, "nginx"),
        Response::TooMany => return P::too_many(),
        Response::Never => match hook.patience() {
            Some(patience) => return wait_in_vain(&site, patience, hook),
            None => std::future::pending().await,
        },
        Response::Garbage => return Reply::garbage(),
        Response::Empty => {
            // A refusal stays a refusal.
            let refusal = reply.filter(|reply| !reply.status.is_success());
            return refusal.unwrap_or_else(P::empty_success);
        }
        Response::Truncated => hook.truncate_after(reply.as_ref().map_or(0, |reply| reply.body.len() / 2)),
        Response::Dropped => hook.cut(),
        Response::Correct | Response::Expired => {}
    }
    reply.unwrap_or_else(unread)
}

/// Lets a client inside this process wait as long as it does; its own clock advances.
fn wait_in_vain(site: &Site, patience: Duration, hook: &ConnectionHandle) -> Reply {
    site.world.advance(patience);
    hook.ignore();
    unread()
}

/// The response on a connection that delivers none.
fn unread() -> Reply {
    Reply::html(StatusCode::OK, "nobody reads this: the connection is cut")
}

/// Invalidates the access token of a request, and returns the response of the platform.
fn expire<P: Platform>(site: &Site, call: &Call) -> Reply {
    let expiry = P::expiry(site, call);
    let recorded = expiry.map_or(Ok(()), |event| site.world.record::<P>(&event));
    let failed = recorded
        .err()
        .map(|error| P::refused(site, &Refusal::from(error)));
    failed.unwrap_or_else(P::expired)
}

/// Defers the effect of a request. If it has no effect, returns its response.
fn defer<P: Platform>(site: &Arc<Site>, call: &Call, delay: Duration) -> Option<Reply> {
    match P::plan(site, call) {
        Ok(Action::Show(reply)) | Err(reply) => return Some(reply),
        Ok(Action::Do(wanted)) => match site.world.defer::<P>(&wanted, delay) {
            // On the client's clock, it lands before the first request after its time.
            Ok(_) if site.world.is_on_clients_clock() => {}
            Ok(id) => land_later(Arc::clone(site), id, delay),
            Err(error) => tracing::error!(%error, "the sandbox could not delay an effect"),
        },
    }
    None
}

/// Makes the deferred changes that are due.
pub(super) fn land_due(site: &Site) {
    if let Err(error) = site.world.land_due() {
        tracing::error!(%error, "the sandbox could not apply a late effect");
    }
}

fn land_later(site: Arc<Site>, id: u64, delay: Duration) {
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        if let Err(error) = site.world.land(id) {
            tracing::error!(%error, "the sandbox could not apply a late effect");
        }
    });
}
