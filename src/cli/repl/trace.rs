//! Each request on the screen, for `:set trace on`.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

use crate::cli::ui::Ui;

/// What events about requests are called.
const TARGET: &str = "provisor::http";

static ON: AtomicBool = AtomicBool::new(false);

/// Tells each request from now on, or no more. The error says why it cannot.
pub(super) fn set(ui: &Ui, on: bool) -> Result<(), String> {
    if on {
        let telling = tracing::subscriber::set_global_default(Telling { ui: ui.clone() });
        let ours = tracing::dispatcher::get_default(tracing::Dispatch::is::<Telling>);
        if telling.is_err() && !ours {
            return Err("requests are logged already, by -v or PROVISOR_LOG".into());
        }
    }
    ON.store(on, Ordering::SeqCst);
    Ok(())
}

/// Shows what the transport says about each request.
struct Telling {
    ui: Ui,
}

impl Subscriber for Telling {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.target() == TARGET {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET && ON.load(Ordering::SeqCst)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let Line { request, answer, ms } = line;
        self.ui.note(&format!("{request} -> {answer} ({ms} ms)"));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line {
    request: String,
    answer: String,
    ms: u64,
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
            _ => {}
        }
    }
}
