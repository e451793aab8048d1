//! Records the session's requests: shown with `:set trace on`, and the latest kept for `:why`.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

use super::host::lock;
use crate::cli::ui::Ui;

/// The target of events about requests.
const TARGET: &str = "provisor::http";

/// The maximum number of requests that are kept per input.
const MAX_RECENT: usize = 50;

/// The trace of the session's requests.
pub(super) struct Trace {
    /// Whether it receives the events; it does not if the program's log does.
    is_installed: bool,
    log: Arc<TraceLog>,
}

#[derive(Default)]
struct TraceLog {
    /// Whether each request is shown.
    shows_requests: AtomicBool,
    recent: Mutex<Vec<String>>,
}

impl Trace {
    /// Starts to listen for requests.
    pub(super) fn begin(ui: &Ui) -> Trace {
        let log: Arc<TraceLog> = Arc::default();
        let listener = Listener {
            ui: ui.clone(),
            log: log.clone(),
        };
        Trace {
            is_installed: tracing::subscriber::set_global_default(listener).is_ok(),
            log,
        }
    }

    /// Turns the display of requests on or off. The error says why that is impossible.
    pub(super) fn set_enabled(&self, on: bool) -> Result<(), String> {
        if on && !self.is_installed {
            return Err("requests are logged already, by -v or PROVISOR_LOG".into());
        }
        self.log.shows_requests.store(on, Ordering::SeqCst);
        Ok(())
    }

    /// Returns the requests since the last call.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.log.recent))
    }
}

/// A subscriber for the transport's events about requests.
struct Listener {
    ui: Ui,
    log: Arc<TraceLog>,
}

impl Subscriber for Listener {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.target() == TARGET {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let line = line.words();
        if self.log.shows_requests.load(Ordering::SeqCst) {
            self.ui.note(&line);
        }
        let mut recent = lock(&self.log.recent);
        if recent.len() == MAX_RECENT {
            recent.remove(0);
        }
        recent.push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line {
    request: String,
    answer: String,
    ms: u64,
    id: String,
}

impl Line {
    fn words(&self) -> String {
        let Line {
            request,
            answer,
            ms,
            id,
        } = self;
        let id = if id.is_empty() {
            String::new()
        } else {
            format!(", request id {id}")
        };
        format!("{request} -> {answer} ({ms} ms){id}")
    }
}

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "ms" {
            self.ms = value;
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "request" => self.request = format!("{value:?}"),
            "answer" => self.answer = format!("{value:?}"),
            "id" => self.id = format!("{value:?}"),
            _ => {}
        }
    }
}
