//! A sandbox in the process of its client, on the client's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::super::{DirectAnswer, DirectRequest, DirectResponse, Master, Sandbox, Timeline};
use super::MASTER_HOST;

const START: i64 = 1_767_225_600_000;
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct Hand(AtomicI64);

impl Timeline for Hand {
    fn now_millis(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap();
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

struct World {
    sandbox: Sandbox,
    clock: Arc<Hand>,
}

impl World {
    fn new(faults: &[&str]) -> World {
        let clock = Arc::new(Hand(AtomicI64::new(START)));
        let sandbox = Sandbox::in_process(clock.clone(), &[]).unwrap();
        let faults: Vec<_> = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        sandbox.add_faults(&faults).unwrap();
        World { sandbox, clock }
    }

    /// Seconds since the start.
    fn elapsed(&self) -> i64 {
        (self.clock.now_millis() - START) / 1000
    }

    fn ask(&self, method: &str, target: &str, body: &str, token: Option<&str>) -> DirectAnswer {
        let host = ("host".to_owned(), MASTER_HOST.to_owned());
        let token = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}")));
        let request = DirectRequest {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: std::iter::once(host).chain(token).collect(),
            body: body.as_bytes().to_vec(),
            patience: PATIENCE,
        };
        // Nothing waits, so any executor will do.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.sandbox.answer(request))
    }

    fn sign_in(&self) -> String {
        let master = self.sandbox.account::<Master>();
        let target = format!("/api/v8/auth?login={}&password={}", master.login, master.password);
        let DirectAnswer::Whole(response) = self.ask("GET", &target, "", None) else {
            unreachable!("there is a fault on signing in")
        };
        let tokens: Value = serde_json::from_slice(&response.body).unwrap();
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    fn create(&self, token: &str) -> DirectAnswer {
        let body = r#"{"email": "ann@example.com"}"#;
        self.ask("POST", "/api/v8/partners", body, Some(token))
    }

    fn tenants(&self) -> usize {
        self.sandbox.snapshot().unwrap().tenants().len()
    }
}

#[test]
fn a_token_expires_on_the_clock_of_the_client() {
    let world = World::new(&[]);
    let token = world.sign_in();
    let list = |token: &str| world.ask("GET", "/api/v8/applications", "", Some(token));
    assert!(matches!(
        list(&token),
        DirectAnswer::Whole(DirectResponse { status: 200, .. })
    ));
    world.clock.advance(Duration::from_hours(7 * 24));
    assert!(matches!(
        list(&token),
        DirectAnswer::Whole(DirectResponse { status: 401, .. })
    ));
}

#[test]
fn a_delay_moves_the_clock_and_one_that_is_too_long_loses_the_response() {
    let world = World::new(&["partners:slow:12000:x1", "partners:slow:40000:x1"]);
    let token = world.sign_in();
    assert!(matches!(world.create(&token), DirectAnswer::Whole(_)));
    assert_eq!((world.elapsed(), world.tenants()), (12, 1));

    let world = World::new(&["partners:slow:40000:x1"]);
    let token = world.sign_in();
    assert_eq!(world.create(&token), DirectAnswer::Late);
    assert_eq!((world.elapsed(), world.tenants()), (30, 0));
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(world.tenants(), 1);
}

#[test]
fn a_deferred_change_is_made_at_its_time() {
    let world = World::new(&["partners:drop-late:5000:x1"]);
    let token = world.sign_in();
    assert_eq!(world.create(&token), DirectAnswer::Cut);
    world.clock.advance(Duration::from_millis(4_999));
    assert_eq!(world.tenants(), 0);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.tenants(), 1);
}

#[test]
fn a_response_that_never_comes_takes_as_long_as_the_client_waits() {
    for (fault, tenants) in [("hang", 0), ("hang-after", 1), ("hang-late:10000", 1)] {
        let world = World::new(&[&format!("partners:{fault}:x1")]);
        let token = world.sign_in();
        assert_eq!(world.create(&token), DirectAnswer::Late, "{fault}");
        assert_eq!((world.elapsed(), world.tenants()), (30, tenants), "{fault}");
    }
}

#[test]
fn a_response_can_break_off_or_be_replaced() {
    let answer = |fault: &str| {
        let world = World::new(&[&format!("partners:{fault}:x1")]);
        let token = world.sign_in();
        let answer = world.create(&token);
        assert_eq!(world.elapsed(), 0, "{fault}");
        (answer, world.tenants())
    };
    assert!(
        matches!(answer("truncate"), (DirectAnswer::Truncated(response), 1) if !response.body.is_empty())
    );
    assert!(matches!(answer("drop-after"), (DirectAnswer::Cut, 1)));
    assert!(matches!(answer("drop-before"), (DirectAnswer::Cut, 0)));
    assert!(matches!(answer("500"), (DirectAnswer::Whole(response), 0) if response.status == 500));
    let (DirectAnswer::Whole(throttled), 0) = answer("429") else {
        unreachable!()
    };
    let retry = ("retry-after".to_owned(), "1".to_owned());
    assert!(throttled.headers.contains(&retry), "{:?}", throttled.headers);
}
