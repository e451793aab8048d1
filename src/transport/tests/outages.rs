//! Platforms that become unreachable, and come back.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::transport::address::Routes;
use crate::transport::circuit_breaker::{FAILURE_THRESHOLD, Listener, Notice};
use crate::transport::connect_options::ConnectOptions;

/// A platform that is reachable or not, as the test requires; nothing listens at its alternative address.
struct Platform {
    http: Http,
    clock: Clock,
    /// Whether it is reachable.
    up: Arc<AtomicBool>,
    /// The time, by the clock, from which it is reachable in any case.
    up_at: Arc<Mutex<Option<i64>>>,
    tries: Arc<AtomicU32>,
    notices: Arc<Mutex<Vec<Notice>>>,
}

/// Nothing listens at the first port.
const NOWHERE: &str = "127.0.0.1:1";

impl Platform {
    /// Hosts whose names start with `dead` are never reachable.
    async fn start(max_outage_unresponsive: Duration) -> Platform {
        let server = Server::start(|_, _| Act::json(200, "{}")).await;
        let clock = Clock::frozen(0);
        let up = Arc::new(AtomicBool::new(true));
        let (up_at, tries): (Arc<Mutex<Option<i64>>>, Arc<AtomicU32>) = Default::default();
        let notices: Arc<Mutex<Vec<Notice>>> = Arc::default();
        let (there, time, at, count) = (up.clone(), clock.clone(), up_at.clone(), tries.clone());
        let routes = Routes::new(move |host| {
            count.fetch_add(1, Ordering::SeqCst);
            let late = at.lock().unwrap().is_some_and(|at| time.now_millis() >= at);
            let is_up = (there.load(Ordering::SeqCst) || late) && !host.starts_with("dead");
            Some(if is_up {
                server.address
            } else {
                NOWHERE.parse().unwrap()
            })
        });
        let told = notices.clone();
        let config = HttpConfig {
            only_sandbox: true,
            routes,
            max_outage_unresponsive,
            listener: Listener::new(move |notice| told.lock().unwrap().push(notice)),
            ..HttpConfig::default()
        };
        Platform {
            http: Http::new(config, clock.clone()),
            clock,
            up,
            up_at,
            tries,
            notices,
        }
    }

    /// The platform has responded, and is then gone.
    async fn seen_and_gone(max_outage: Duration) -> Platform {
        let platform = Platform::start(max_outage).await;
        assert_eq!(platform.ask("acme").await.unwrap().status, 200);
        platform.up.store(false, Ordering::SeqCst);
        platform.tries.store(0, Ordering::SeqCst);
        platform
    }

    async fn ask(&self, tenant: &str) -> Result<crate::transport::Response, TransportError> {
        self.http.send(&request(tenant)).await
    }

    fn tries(&self) -> u32 {
        self.tries.load(Ordering::SeqCst)
    }

    fn notices(&self) -> Vec<Notice> {
        self.notices.lock().unwrap().clone()
    }
}

fn request(tenant: &str) -> Request {
    let url = format!("http://{tenant}.mobsted.sandbox/api");
    Request::new(Method::Post, url::Url::parse(&url).unwrap())
}

#[tokio::test]
async fn a_never_reachable_host_fails_at_once_without_an_outage_notice() {
    let platform = Platform::start(Duration::ZERO).await;
    for tries in [4, 8, 12] {
        let error = platform.ask("dead").await.unwrap_err();
        assert_failed(&error, ErrorKind::Connect, Sent::No, 4);
        assert_eq!(platform.tries(), tries);
    }
    assert!(
        platform.clock.now_millis() < 6_000,
        "{}",
        platform.clock.now_millis()
    );
    assert_eq!(platform.notices(), []);
}

#[tokio::test]
async fn a_platform_outage_is_waited_for_and_announced_once() {
    let platform = Platform::seen_and_gone(Duration::ZERO).await;
    let gone = platform.clock.now_millis();
    *platform.up_at.lock().unwrap() = Some(gone + 20_000);
    assert_eq!(platform.ask("acme").await.unwrap().status, 200);
    let notices = platform.notices();
    let [
        Notice::Down {
            host,
            reason,
            retry_in,
        },
        Notice::Up { host: back, after },
    ] = &notices[..]
    else {
        panic!("{notices:?}");
    };
    assert_eq!((host.as_str(), back), ("acme.mobsted.sandbox", host));
    assert!(
        reason.contains("no connection to acme.mobsted.sandbox"),
        "{reason}"
    );
    assert_eq!(*retry_in, Duration::from_secs(1));
    // Attempts after 1, 3, 7, 15 and 31 seconds.
    assert_eq!(after.as_secs(), 31);
    assert_eq!(platform.tries(), FAILURE_THRESHOLD + 5);
    // The breaker is closed again: the next request is not delayed.
    let now = platform.clock.now_millis();
    assert_eq!(platform.ask("acme").await.unwrap().tries, 1);
    assert_eq!(platform.clock.now_millis(), now);
}

#[tokio::test]
async fn during_an_outage_one_caller_probes_for_all() {
    let platform = Arc::new(Platform::seen_and_gone(Duration::ZERO).await);
    *platform.up_at.lock().unwrap() = Some(platform.clock.now_millis() + 60_000);
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let platform = Arc::clone(&platform);
            tokio::spawn(async move { platform.ask("acme").await.map(|answer| answer.status) })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Ok(200));
    }
    // At most one attempt each before the outage is known, then one at a time at growing intervals, then one each.
    assert!(platform.tries() <= 20 + 6 + 20, "{}", platform.tries());
    assert_eq!(platform.notices().len(), 2, "{:?}", platform.notices());
}

#[tokio::test]
async fn the_circuit_breaker_fails_fast_after_the_maximum_outage_until_recovery() {
    let platform = Platform::start(Duration::from_secs(30)).await;
    let error = platform.ask("dead").await.unwrap_err();
    assert_eq!((error.kind, error.sent), (ErrorKind::Connect, Sent::No));
    assert!(error.to_string().contains("it has been so for 30 s"), "{error}");
    let notices = platform.notices();
    assert!(
        matches!(&notices[..], [Notice::Down { .. }, Notice::GaveUp { after, .. }] if after.as_secs() == 30),
        "{notices:?}"
    );
    let tries = platform.tries();
    for _ in 0..10 {
        let error = platform.ask("acme").await.unwrap_err();
        assert!(error.to_string().contains("it has been so for"), "{error}");
    }
    assert_eq!(platform.tries(), tries, "nobody knocks");
    platform.clock.sleep(Duration::from_secs(30)).await;
    assert_eq!(platform.ask("acme").await.unwrap().status, 200);
    assert!(matches!(platform.notices().last(), Some(Notice::Up { .. })));
}

#[tokio::test]
async fn the_maximum_outage_is_set_by_the_connect_options() {
    let platform = Platform::seen_and_gone(Duration::ZERO).await;
    let connect_options = ConnectOptions {
        outage: Some(Duration::from_secs(10)),
        ..ConnectOptions::default()
    };
    let http = platform.http.with_connect_options(&connect_options);
    // Other options have their own state.
    assert_failed(
        &http.send(&request("acme")).await.unwrap_err(),
        ErrorKind::Connect,
        Sent::No,
        4,
    );
    platform.up.store(true, Ordering::SeqCst);
    assert_eq!(http.send(&request("acme")).await.unwrap().status, 200);
    platform.up.store(false, Ordering::SeqCst);
    let error = http.send(&request("acme")).await.unwrap_err();
    assert!(error.to_string().contains("it has been so for 10 s"), "{error}");
    assert!(!platform.http.with_connect_options(&connect_options).is_waiting());
}

#[tokio::test]
async fn an_unreachable_host_does_not_block_other_hosts_of_its_site() {
    let platform = Platform::seen_and_gone(Duration::from_secs(30)).await;
    platform.up.store(true, Ordering::SeqCst);
    let (dead, alive) = tokio::join!(platform.ask("dead"), async {
        // Until the dead host has made the site count as down.
        while !platform.http.is_waiting() {
            tokio::task::yield_now().await;
        }
        platform.ask("acme").await
    });
    assert_eq!(alive.unwrap().status, 200);
    assert_eq!(dead.unwrap_err().kind, ErrorKind::Connect);
}

#[tokio::test]
async fn a_cancelled_caller_releases_its_circuit_breaker_permit() {
    let platform = Platform::seen_and_gone(Duration::ZERO).await;
    tokio::select! {
        biased;
        answer = platform.ask("acme") => panic!("{answer:?}"),
        () = async {
            while !platform.http.is_waiting() {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    platform.up.store(true, Ordering::SeqCst);
    assert_eq!(platform.ask("acme").await.unwrap().status, 200);
    assert!(!platform.http.is_waiting());
}
