//! A service that starts and resumes runs: `POST /runs?name=Ann` starts one, `POST /runs/ID` continues one.
//!
//! With a journal on disk (`JOURNAL=folder`, `PROVISOR_KEY=…`), a restarted service continues the runs of a killed one.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it is a program")]

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::post;
use provisor::{Error, Outcome, Run, Runtime, Script, Secret, Value};

struct Service {
    runtime: Runtime,
    greet: Script,
}

type Reply = (StatusCode, String);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let builder = Runtime::builder();
    let runtime = match (std::env::var("JOURNAL"), std::env::var("PROVISOR_KEY")) {
        (Ok(folder), Ok(key)) => builder.open(folder.as_ref(), &Secret::new(key))?,
        _ => builder.in_memory()?,
    };
    let greet = runtime.script(
        "greet.rhai",
        "fn main(name) { #{ text: `Hello, ${name}`, at: now() } }",
    )?;
    let service = Arc::new(Service { runtime, greet });
    let app = Router::new()
        .route("/runs", post(start))
        .route("/runs/{id}", post(resume))
        .with_state(service);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

async fn start(State(service): State<Arc<Service>>, Query(params): Query<HashMap<String, String>>) -> Reply {
    reply(service.runtime.start(&service.greet, params)).await
}

async fn resume(State(service): State<Arc<Service>>, Path(id): Path<String>) -> Reply {
    reply(service.runtime.resume(&id)).await
}

async fn reply(run: Result<Run, Error>) -> Reply {
    let shown = |outcome: Outcome| -> Result<String, Error> {
        let output = Value::Record(outcome.output()?.clone()).to_masked_json();
        Ok(format!("{{\"run\":\"{}\",\"output\":{output}}}", outcome.run))
    };
    let ended = match run {
        Ok(run) => run.ended().await.and_then(shown),
        Err(error) => Err(error),
    };
    match ended {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
    }
}
