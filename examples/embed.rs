//! A program that embeds provisor, with one operation of its own that keeps state: the next ticket of a desk.
//!
//! Each ticket is drawn once. `Runtime::resume` continues a run that was killed, and the run gets the same ticket.

#![expect(clippy::print_stdout, reason = "it is a program")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use provisor::{Error, OpSpec, Runtime, Value};

fn main() -> Result<(), Error> {
    let drawn = Arc::new(AtomicI64::new(0));
    let counter = Arc::clone(&drawn);
    let draw = OpSpec::act("desk::draw", move |_call| {
        let ticket = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Ok(Value::Int(ticket)) }
    });
    let runtime = Runtime::builder()
        .operation(draw.summary("Draw the next ticket"))
        .in_memory()?;

    let text = "fn main(name) { #{ name: name, ticket: desk::draw() } }";
    let script = runtime.script("tickets.rhai", text)?;
    for name in ["Ann", "Bob"] {
        let outcome = runtime.start(&script, [("name", name)])?.wait()?;
        println!("{}", Value::Record(outcome.output()?.clone()).to_masked_json());
    }

    assert_eq!(drawn.load(Ordering::SeqCst), 2);
    Ok(())
}
