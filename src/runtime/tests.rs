#![allow(clippy::unwrap_used, reason = "tests")]

mod resources;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::journal::{RowStatus, RunStatus};
use crate::operation::error::{Code, OpError};
use crate::operation::spec::{Param, Type};
use crate::value::{Record, Value};

/// A desk that sells seats: its state, on which the operations act.
#[derive(Default)]
struct Desk {
    drawn: AtomicU64,
    seats: Mutex<BTreeSet<String>>,
    is_closed: AtomicBool,
    loses_answers: AtomicBool,
}

const NAME: &[Param] = &[Param::required("name", Type::Text, "who sits there")];

fn builder(desk: &Arc<Desk>) -> Builder {
    let (at_draw, at_find, at_seat) = (Arc::clone(desk), Arc::clone(desk), Arc::clone(desk));
    let draw = OpSpec::act("desk::draw", move |_| {
        let drawn = at_draw.drawn.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Ok(Value::Int(i64::try_from(drawn).unwrap())) }
    });
    let find = move |call: crate::operation::call::Call| {
        let found = at_find.seats.lock().unwrap().contains(&call.text("name"));
        async move { Ok(found.then(|| Value::from("seat"))) }
    };
    let seat = OpSpec::ensure(
        "desk::ensure_seat",
        |call| call.text("name"),
        find,
        move |call| {
            let desk = Arc::clone(&at_seat);
            async move {
                if desk.is_closed.load(Ordering::SeqCst) {
                    return Err(OpError::new(Code::Refused, "the desk is closed"));
                }
                desk.seats.lock().unwrap().insert(call.text("name"));
                if desk.loses_answers.load(Ordering::SeqCst) {
                    let lost = OpError::new(Code::Unavailable, "no answer");
                    return Err(OpError {
                        sent: crate::operation::error::Sent::Maybe,
                        ..lost
                    });
                }
                Ok("seat".into())
            }
        },
    );
    Runtime::builder()
        .operation(draw)
        .operation(seat.params(NAME))
        .clock(Clock::frozen(0))
}

fn row(name: &str) -> Record {
    Record::from([("name".to_owned(), name.into())])
}

#[test]
fn a_host_operation_is_recorded_and_replayed_from_the_journal() {
    let desk = Arc::new(Desk::default());
    let runtime = builder(&desk).in_memory().unwrap();
    let text = "fn main(name) { let n = desk::draw(); desk::ensure_seat(name); #{ n: n } }";
    let script = runtime.script("seat.rhai", text).unwrap();
    desk.is_closed.store(true, Ordering::SeqCst);
    let refused = runtime.start(&script, [("name", "Ann")]).unwrap().wait().unwrap();
    assert_eq!(refused.status, RunStatus::Failed);
    let reason = refused.output().unwrap_err().to_string();
    assert!(reason.contains("the desk is closed"), "{reason}");
    desk.is_closed.store(false, Ordering::SeqCst);
    let done = runtime.start(&script, [("name", "Ann")]).unwrap().wait().unwrap();
    assert_eq!(done.output().unwrap()["n"], Value::Int(2));
    // A run that has ended can be resumed at once, and repeatedly.
    for _ in 0..50 {
        let again = runtime.resume(&done.run).unwrap().wait().unwrap();
        assert_eq!(
            (again.status, again.output().unwrap()),
            (done.status, done.output().unwrap())
        );
    }
    assert_eq!(desk.drawn.load(Ordering::SeqCst), 2);
}

#[test]
fn a_lost_answer_of_the_hosts_operation_is_looked_up() {
    let desk = Arc::new(Desk::default());
    desk.loses_answers.store(true, Ordering::SeqCst);
    let runtime = builder(&desk).in_memory().unwrap();
    let script = runtime
        .script("seat.rhai", "fn main(name) { desk::ensure_seat(name) }")
        .unwrap();
    let outcome = runtime.start(&script, [("name", "Ann")]).unwrap().wait().unwrap();
    assert_eq!(outcome.output().unwrap()["result"], Value::from("seat"));
}

#[test]
fn finished_rows_are_reported_and_counted() {
    let desk = Arc::new(Desk::default());
    let runtime = builder(&desk).in_memory().unwrap();
    let text = "fn main(name) { if name == \"Eve\" { throw \"no\" } desk::ensure_seat(name) }";
    let script = runtime.script("seat.rhai", text).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let rows = ["Ann", "Bob", "Eve", "Ann"].map(row);
    let run = runtime
        .start_rows(&script, rows, move |row| note.lock().unwrap().push(row.position))
        .unwrap();
    let outcome = run.wait().unwrap();
    assert_eq!(outcome.status, RunStatus::Failed);
    assert_eq!(outcome.rows.of(RowStatus::Done), 3);
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3]);
    assert_eq!(desk.seats.lock().unwrap().len(), 2);
}

#[test]
fn an_interrupted_run_resumes_with_its_remaining_rows() {
    let desk = Arc::new(Desk::default());
    let runtime = builder(&desk).in_memory().unwrap();
    let script = runtime
        .script("seat.rhai", "fn main(name) { desk::ensure_seat(name) }")
        .unwrap();
    let (reached, is_reached) = std::sync::mpsc::channel();
    let (stopped, is_stopped) = std::sync::mpsc::channel::<()>();
    // More rows than are read at once: the source blocks in the second batch until the run is stopped.
    let names = || (0..600).map(|number| format!("guest {number}"));
    let source = names().enumerate().map(move |(at, name)| {
        if at == 300 {
            reached.send(()).unwrap();
            is_stopped.recv().ok();
        }
        row(&name)
    });
    let run = runtime.start_rows(&script, source, |_| {}).unwrap();
    is_reached.recv().unwrap();
    run.stop();
    drop(stopped);
    let outcome = run.wait().unwrap();
    assert_eq!(outcome.status, RunStatus::Interrupted);
    let needs_rows = runtime.resume(&outcome.run).unwrap_err().to_string();
    assert!(needs_rows.contains("`resume_rows`"), "{needs_rows}");
    let all = || names().map(|name| row(&name));
    let others = runtime.resume_rows(&outcome.run, all().skip(1), |_| {});
    let others = others.unwrap_err().to_string();
    assert!(others.contains("row 1 "), "{others}");
    let again = runtime.resume_rows(&outcome.run, all().collect::<Vec<_>>(), |_| {});
    let done = again.unwrap().wait().unwrap();
    assert_eq!(
        (done.status, done.rows.of(RowStatus::Done)),
        (RunStatus::Done, 600)
    );
    assert_eq!(desk.seats.lock().unwrap().len(), 600);
}

#[test]
fn a_run_resumes_from_a_reopened_journal_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let key = Secret::new("a passphrase of some length");
    let desk = Arc::new(Desk::default());
    let text = "fn main() { desk::draw() }";
    let run = {
        let runtime = builder(&desk).open(folder.path(), &key).unwrap();
        let script = runtime.script("draw.rhai", text).unwrap();
        let none: [(&str, Value); 0] = [];
        runtime.start(&script, none).unwrap().wait().unwrap().run
    };
    let runtime = builder(&desk).open(folder.path(), &key).unwrap();
    let outcome = runtime.resume(&run).unwrap().wait().unwrap();
    assert_eq!(outcome.output().unwrap()["result"], Value::Int(1));
    assert_eq!(desk.drawn.load(Ordering::SeqCst), 1);
}

#[test]
fn duplicate_operations_and_invalid_scripts_or_parameters_are_refused() {
    let refusal = |builder: Builder| builder.in_memory().unwrap_err().to_string();
    let op = |id| OpSpec::observe(id, |_| async { Ok(Value::Null) });
    let twice = Runtime::builder()
        .operation(op("desk::draw"))
        .operation(op("desk::draw"));
    assert_eq!(refusal(twice), "there are two operations called `desk::draw`");
    let nowhere = Runtime::builder().operation(op("draw"));
    assert!(refusal(nowhere).contains("needs a module"));
    let both = Runtime::builder()
        .platforms(crate::platforms::all())
        .operation(op("mobsted::draw"));
    assert_eq!(refusal(both), "there are two platforms called `mobsted`");
    let runtime = Runtime::builder().in_memory().unwrap();
    let script = runtime.script("hello.rhai", "fn main(name) { name }").unwrap();
    let error = runtime.start(&script, [("nam", "Ann")]).unwrap_err().to_string();
    assert!(error.contains("name") && error.contains("nam"), "{error}");
    assert!(runtime.script("bad.rhai", "fn main( {").is_err());
    assert!(runtime.resume("rnone").is_err());
}

#[test]
fn a_session_evaluates_inputs_over_shared_variables() {
    let desk = Arc::new(Desk::default());
    let lines = Arc::new(Mutex::new(Vec::new()));
    let printed = Arc::clone(&lines);
    let builder = builder(&desk).print(move |line| printed.lock().unwrap().push(line.to_owned()));
    let runtime = builder.in_memory().unwrap();
    let mut session = runtime.session().unwrap();
    assert_eq!(session.eval("let n = desk::draw()").unwrap(), Value::Null);
    assert_eq!(session.eval("desk::draw() + n").unwrap(), Value::Int(3));
    assert_eq!(session.eval("print(`n is ${n}`)").unwrap(), Value::Null);
    assert_eq!(*lines.lock().unwrap(), ["n is 1"]);
    desk.is_closed.store(true, Ordering::SeqCst);
    let refused = session
        .eval("desk::ensure_seat(\"Ann\")")
        .unwrap_err()
        .to_string();
    assert!(refused.contains("the desk is closed"), "{refused}");
    let invalid = session.eval("let = 1").unwrap_err().to_string();
    assert!(invalid.contains("input 5"), "{invalid}");
    let alone = session.eval("import \"other\" as other").unwrap_err().to_string();
    assert!(alone.contains("other"), "{alone}");
    assert_eq!(session.eval("n").unwrap(), Value::Int(1));
    let id = session.id();
    assert_eq!(session.close().unwrap(), 0);
    let outcome = runtime.resume(&id).unwrap().wait().unwrap();
    assert_eq!(outcome.status, RunStatus::Done);
    assert_eq!(desk.drawn.load(Ordering::SeqCst), 2, "no input is run again");
}

#[test]
fn a_step_that_a_session_leaves_in_doubt_keeps_its_run_open() {
    let lose = OpSpec::act("desk::lose", |_| async {
        Err::<Value, _>(OpError {
            sent: crate::operation::error::Sent::Maybe,
            ..OpError::new(Code::Unavailable, "no answer")
        })
    });
    let runtime = Runtime::builder()
        .operation(lose)
        .clock(Clock::frozen(0))
        .in_memory()
        .unwrap();
    let mut session = runtime.session().unwrap();
    let id = session.id();
    let doubt = session.eval("desk::lose()").unwrap_err().to_string();
    assert!(doubt.contains("in doubt") && doubt.contains(&id), "{doubt}");
    assert_eq!(session.eval("1").unwrap(), Value::Int(1));
    assert_eq!(session.close().unwrap(), 1);
    let outcome = runtime.resume(&id).unwrap().wait().unwrap();
    assert_eq!(outcome.status, RunStatus::Parked);
    assert_eq!(
        (
            outcome.rows.of(RowStatus::Done),
            outcome.rows.of(RowStatus::Parked)
        ),
        (1, 1)
    );
}

#[test]
fn a_closed_session_releases_its_run_although_an_input_with_a_function_is_in_doubt() {
    use crate::transport::testing::{Act, Server};

    let host = tokio::runtime::Runtime::new().unwrap();
    let (arrived, has_arrived) = std::sync::mpsc::channel();
    let server = host.block_on(Server::start(move |_, _| {
        arrived.send(()).unwrap();
        Act::Hang
    }));
    let runtime = Runtime::builder()
        .platforms(crate::platforms::all())
        .in_memory()
        .unwrap();
    let mut session = runtime.session().unwrap();
    let (id, stop) = (session.id(), session.stopper());
    let stopping = std::thread::spawn(move || {
        has_arrived.recv().unwrap();
        stop();
        stop();
    });
    let url = server.url("/items");
    let input = format!("http::post(\"{url}\", #{{json: #{{a: 1}}, key: \"K\", probe: |key| ()}})");
    let doubt = session.eval(&input).unwrap_err().to_string();
    stopping.join().unwrap();
    assert!(doubt.contains("in doubt"), "{doubt}");
    drop(session);
    assert!(runtime.resume(&id).is_ok(), "the run is not locked any more");
}

#[test]
fn an_input_of_a_session_can_be_stopped() {
    let runtime = Runtime::builder().in_memory().unwrap();
    let mut session = runtime.session().unwrap();
    let stop = session.stopper();
    stop();
    assert_eq!(session.eval("1 + 1").unwrap(), Value::Int(2));
    let (begun, has_begun) = std::sync::mpsc::channel();
    let running = Runtime::builder()
        .print(move |_| begun.send(()).unwrap())
        .in_memory()
        .unwrap();
    let mut session = running.session().unwrap();
    let stop = session.stopper();
    let stopping = std::thread::spawn(move || {
        has_begun.recv().unwrap();
        stop();
    });
    let stopped = session.eval("print(1); loop {}").unwrap_err().to_string();
    stopping.join().unwrap();
    assert_eq!(stopped, "the input was stopped");
    assert_eq!(session.eval("2").unwrap(), Value::Int(2));
}
