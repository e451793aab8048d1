//! A sandbox inside the process of its only client: in memory, without sockets, on the clock of that client.
//!
//! Nothing takes real time. A response that is delayed moves the client's clock, and so does a response that never comes:
//! by as long as the client waits. A change that a fault defers is made before the first request after its time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http;

use super::call::Call;
use super::error::SandboxError;
use super::fault_stream::{ConnectionHandle, Delivery};
use super::platform::Simulator;
use super::serve::{self, Site};
use super::web::SimulatedService;
use super::world::World;
use super::{Options, Sandbox, ServingState};

/// The clock that a sandbox shares with its client.
pub trait Timeline: fmt::Debug + Send + Sync {
    /// Returns the time of day, in milliseconds since the Unix epoch.
    fn now_millis(&self) -> i64;

    /// Lets time pass.
    fn advance(&self, by: Duration);
}

/// A request to a platform.
#[derive(Debug, Clone)]
pub struct DirectRequest {
    /// The method: `POST`.
    pub method: String,
    /// The path with the query.
    pub target: String,
    /// The headers; `host` names the account.
    pub headers: Vec<(String, String)>,
    /// The body; empty without one.
    pub body: Vec<u8>,
    /// How long the client waits for the response.
    pub patience: Duration,
}

/// What the client gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectAnswer {
    /// A response.
    Whole(DirectResponse),
    /// A response whose body broke off.
    Truncated(DirectResponse),
    /// Nothing: the connection was closed.
    Cut,
    /// Nothing within the time that it waits.
    Late,
}

/// A response of a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectResponse {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Sandbox {
    /// Starts a sandbox with an empty world in memory, which ends with it. Only [`Sandbox::answer`] reaches its platforms.
    pub fn in_process(
        time: Arc<dyn Timeline>,
        services: &[SimulatedService],
    ) -> Result<Sandbox, SandboxError> {
        let options = Options::new("");
        let world = World::in_memory(time)?;
        world.describe(services)?;
        let site = Arc::new(Site::new(world, &options));
        let credentials = site.world.credentials();
        Ok(Sandbox::new(
            options,
            credentials,
            ServingState::InProcess(site),
            None,
        ))
    }

    /// Answers a request to a platform. Only for a sandbox [in the process of its client](Sandbox::in_process); any other
    /// closes the connection.
    pub async fn answer(&self, request: DirectRequest) -> DirectAnswer {
        let site = match &*self.shared.place() {
            ServingState::InProcess(site) => Arc::clone(site),
            _ => return DirectAnswer::Cut,
        };
        serve::land_due(&site);
        let hook = ConnectionHandle::in_process(request.patience);
        let Some((simulator, call)) = call_of(request) else {
            return DirectAnswer::Cut;
        };
        let reply = (simulator.respond)(site, call, hook.clone()).await;
        let response = |body| DirectResponse {
            status: reply.status.as_u16(),
            headers: reply.headers(),
            body,
        };
        match hook.delivery() {
            Delivery::Whole => DirectAnswer::Whole(response(reply.body.clone())),
            Delivery::Truncated => {
                let half = reply.body.len() / 2;
                DirectAnswer::Truncated(response(reply.body.get(..half).unwrap_or_default().to_vec()))
            }
            Delivery::Cut => DirectAnswer::Cut,
            Delivery::Late => DirectAnswer::Late,
        }
    }
}

fn call_of(request: DirectRequest) -> Option<(&'static Simulator, Call)> {
    let mut builder = http::Request::builder()
        .method(request.method.as_str())
        .uri(request.target);
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    let (parts, ()) = builder.body(()).ok()?.into_parts();
    Some(Call::read(&parts, Bytes::from(request.body)))
}
