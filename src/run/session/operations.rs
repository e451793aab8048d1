//! Handles the operation calls of one input: records them and can stop in the middle of a call.

use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::super::operations::call_error;
use super::super::read_only::ReadOnlyOperations;
use super::Session;
use super::settle::to_value;
use crate::journal::{JournalError, LookupOutcome, RowJournal, RowStatus, row_scope};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::perform::{
    Destination, Performed, destination, exists_on_platform, is_open, look_up, perform, request_count, window,
};
use crate::operation::platform::Operation;
use crate::operation::preview::{Preview, preview};
use crate::run::interrupt::Interrupt;
use crate::script::host_calls::{CallError, CallRequest, Operations, Stop};
use crate::value::{Object, Value};

/// How long a call that was stopped before its request left may take to end by itself.
const MOMENT: Duration = Duration::from_millis(60);

/// How long to wait for the response of a change that was already observed on the platform.
const CANCEL_GRACE: Duration = Duration::from_secs(1);

/// The pause between two lookups for a change whose response is awaited.
const PAUSE: Duration = Duration::from_millis(500);

/// Reports to the user of a session, and asks for consent.
pub(crate) trait SessionEvents: Send + Sync {
    /// Prints a line of the script.
    fn print(&self, line: &str);

    /// Reports an event that the user must not miss.
    fn report(&self, report: Notice);

    /// Whether any change needs consent or may be refused.
    fn reviews_changes(&self) -> bool;

    /// Asks whether this change may be made.
    fn consent(&self, permit: &ChangeRequest<'_>) -> Decision;
}

/// An event reported to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The input was cancelled after a change was sent: its outcome is awaited or looked up.
    AlreadySent,
    /// The response arrived: its content, as a sentence without a full stop.
    Answered(String),
    /// The wait was aborted: the change is in doubt.
    LeftInDoubt(LookUp),
    /// A lookup showed that the change was carried out.
    CarriedOut,
    /// A lookup showed that the change was not carried out; it is not repeated.
    NotCarriedOut,
}

/// Who can look up the outcome of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LookUp {
    /// Any process that resumes the run.
    Anybody,
    /// Only the session, which has the lookup function.
    Session,
    /// It cannot be looked up.
    #[default]
    Nobody,
}

/// A change that is about to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChangeRequest<'a> {
    /// The operation.
    pub op: Operation,
    /// The account it is called on.
    pub receiver: Option<&'a Object>,
    /// The arguments.
    pub args: &'a [Value],
    /// The name of what it creates.
    pub resource: Option<&'a str>,
    /// The destination of the request.
    pub to: &'a Destination,
    /// Cancels the prompt.
    pub interrupt: &'a Interrupt,
}

/// The user's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The change may be made.
    Yes,
    /// The input stops here.
    No,
    /// The change must not be made.
    Refused {
        /// The error code.
        code: Code,
        /// The reason, as a sentence without a full stop.
        message: String,
        /// What to do, as a sentence without a full stop.
        hint: String,
    },
}

/// Gives one input access to operations.
pub(crate) struct InputOperations {
    session: Session,
    row: RowJournal,
    number: u64,
    interrupt: Interrupt,
    events: Arc<dyn SessionEvents>,
    /// The reason the input stopped; set once.
    stop: OnceLock<Stop>,
    /// Who can look up the most recent change.
    look_up: Mutex<LookUp>,
}

impl InputOperations {
    pub(super) fn new(
        session: Session,
        row: RowJournal,
        number: u64,
        interrupt: Interrupt,
        events: Arc<dyn SessionEvents>,
    ) -> InputOperations {
        InputOperations {
            session,
            row,
            number,
            interrupt,
            events,
            stop: OnceLock::new(),
            look_up: Mutex::default(),
        }
    }

    /// Returns who can look up the most recent change.
    pub(crate) fn look_up(&self) -> LookUp {
        *self.look_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for consent to a change, unless it would send nothing.
    fn consent(&self, ask: &CallRequest, call: &Call) -> Result<(), CallError> {
        let (session, lost) = (&self.session, |error: JournalError| call_error(&self.stop, error));
        // A row without steps, because what this row has already requested does not matter here.
        let blank = session
            .journal
            .open_row(&session.run, self.number - 1, "consent", true)
            .map_err(lost)?;
        let preview_of_call = session
            .runtime
            .block_on(preview(&session.context, &blank, call, false))
            .map_err(lost)?;
        let Preview::Acts(next_call) = preview_of_call else {
            return Ok(());
        };
        let permit = ChangeRequest {
            op: call.op,
            receiver: ask.receiver.as_ref(),
            args: &ask.args,
            resource: next_call.resource.as_deref(),
            to: &destination(&session.context, call),
            interrupt: &self.interrupt,
        };
        match self.events.consent(&permit) {
            Decision::Yes => Ok(()),
            Decision::No => Err(call_error(&self.stop, Stop::Cancelled)),
            Decision::Refused { code, message, hint } => {
                Err(CallError::Failed(OpError::new(code, message).hint(hint)))
            }
        }
    }

    /// Stores the call in the row, replacing the previous one, whose outcome is known. It is on disk no later than the
    /// call's intent.
    fn remember(&self, ask: &CallRequest, call: &Call) -> Result<(), CallError> {
        let earlier = request_count(&self.session.context, &self.row, call);
        let asked = Value::List(vec![to_value(ask, earlier)]);
        let look_up = match window(&self.session.context, call) {
            None => LookUp::Nobody,
            Some(_) if ask.functions.is_empty() => LookUp::Anybody,
            Some(_) => LookUp::Session,
        };
        *self.look_up.lock().unwrap_or_else(PoisonError::into_inner) = look_up;
        self.session
            .functions()
            .insert(self.number, ask.functions.clone());
        let (journal, run) = (&self.session.journal, &self.session.run);
        journal
            .finish_row(run, self.number - 1, RowStatus::Queued, Some(&asked), None)
            .map_err(|error| call_error(&self.stop, error))
    }

    async fn carry_out(&self, call: Call) -> Result<Performed, CallError> {
        let (changes, flight) = (call.effect().changes(), call.flight.clone());
        let stop = CancellationToken::new();
        let mut work = Box::pin(perform(&self.session.context, &self.row, call.clone(), &stop));
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = self.interrupt.asked() => {}
        }
        if changes && !flight.hold() {
            self.events.report(Notice::AlreadySent);
            // Whatever the outcome, nothing more is sent.
            stop.cancel();
            return tokio::select! {
                biased;
                done = self.find_out(work, &call) => {
                    if let Some(answer) = format_response(&call, &done) {
                        self.events.report(Notice::Answered(answer));
                    }
                    done
                }
                () = self.interrupt.second_request() => {
                    self.events.report(Notice::LeftInDoubt(self.look_up()));
                    Err(in_doubt("it was abandoned before its outcome was known".into()))
                }
            };
        }
        stop.cancel();
        match tokio::time::timeout(MOMENT, &mut work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(CallError::Stopped(stop))) => Err(stop.into()),
            Ok(Err(CallError::Failed(_) | CallError::Thrown(_))) | Err(_) => Err(Stop::Cancelled.into()),
        }
    }

    /// Finds the outcome of a change that was sent before the input was cancelled: from its response, which may hold
    /// data that is delivered only once, or else by lookup. A match proves that it was carried out; absence is certain
    /// only when the request can no longer land.
    async fn find_out(
        &self,
        mut work: Pin<Box<impl Future<Output = Result<Performed, CallError>>>>,
        call: &Call,
    ) -> Result<Performed, CallError> {
        let answered = tokio::select! {
            biased;
            done = &mut work => Some(done),
            () = seen(&self.session.context, call) => None,
        };
        let answered = match answered {
            Some(answered) => Some(answered),
            None => tokio::time::timeout(CANCEL_GRACE, &mut work).await.ok(),
        };
        match answered {
            Some(Err(CallError::Stopped(Stop::InDoubt { .. }))) | None => {}
            Some(answered) => return answered,
        }
        // The step is in doubt from here on.
        drop(work);
        match self.settle(call).await.map_err(CallError::from)? {
            LookupOutcome::Found => self.events.report(Notice::CarriedOut),
            LookupOutcome::Absent => self.events.report(Notice::NotCarriedOut),
            LookupOutcome::Known => {}
            LookupOutcome::Open(reason) => return Err(in_doubt(reason)),
            LookupOutcome::Stopped => return Err(in_doubt("looking for it was interrupted".into())),
        }
        Err(Stop::Cancelled.into())
    }

    /// Looks up the outcome of the most recent call.
    async fn settle(&self, call: &Call) -> Result<LookupOutcome, JournalError> {
        let Session {
            journal,
            run,
            context,
            ..
        } = &self.session;
        journal.flush()?;
        let recorded = journal.open_row(run, self.number - 1, &row_scope(self.number - 1), false)?;
        // The same call may have been made before; `request_count` already counts this one.
        for _ in 1..request_count(context, &self.row, call) {
            let _ = is_open(context, &recorded, call);
        }
        look_up(context, &recorded, call, &CancellationToken::new()).await
    }
}

/// Completes when the call's target is seen on the platform or can no longer appear; never without a lookup.
async fn seen(context: &OpContext, call: &Call) {
    let Some(window) = window(context, call) else {
        return std::future::pending().await;
    };
    let read_only = async {
        while !exists_on_platform(context, call).await {
            tokio::time::sleep(PAUSE).await;
        }
    };
    // Whether it was seen or not, the journal decides.
    let _ = tokio::time::timeout(window, read_only).await;
}

/// Formats the response to a change: `` `http::post` of `A-17`: created (201); it is on record ``.
fn format_response(call: &Call, done: &Result<Performed, CallError>) -> Option<String> {
    let key = call.option("key").and_then(Value::as_text);
    let key = key.map_or_else(String::new, |key| format!(" of `{key}`"));
    let result = match done {
        Ok(performed) => {
            let fields = match &performed.value {
                Value::Record(fields) => Some(fields),
                Value::Object(object) => Some(&object.fields),
                _ => None,
            };
            let field = |name: &str| fields.and_then(|fields| fields.get(name));
            let outcome = field("outcome").and_then(Value::as_text).unwrap_or("carried out");
            match field("status") {
                Some(Value::Int(status)) if field("outcome").is_none() => {
                    format!("answered with {status}; the response is on record")
                }
                Some(Value::Int(status)) => format!("{outcome} ({status}); it is on record"),
                _ => format!("{outcome}; it is on record"),
            }
        }
        Err(CallError::Failed(error)) => format!("failed: {}", error.message),
        Err(_) => return None,
    };
    Some(format!("`{}`{key}: {result}", call.op.id()))
}

fn in_doubt(reason: String) -> CallError {
    let step = String::new();
    Stop::InDoubt { step, reason }.into()
}

impl Operations for InputOperations {
    fn ask(&self, ask: CallRequest) -> Result<Value, CallError> {
        if let Some(stop) = self.stopping() {
            return Err(CallError::Stopped(stop));
        }
        let call = ask.clone().into_call().map_err(CallError::Failed)?;
        if call.effect().changes() {
            if self.events.reviews_changes() {
                self.consent(&ask, &call)?;
            }
            self.remember(&ask, &call)?;
        }
        match self.session.runtime.block_on(self.carry_out(call)) {
            Ok(performed) => Ok(performed.value),
            Err(halt) => Err(call_error(&self.stop, halt)),
        }
    }

    fn stopping(&self) -> Option<Stop> {
        if let Some(stop) = self.stop.get() {
            return Some(stop.clone());
        }
        let asked = self.interrupt.is_requested();
        asked.then(|| self.stop.get_or_init(|| Stop::Cancelled).clone())
    }

    fn read_only(&self, caller_alive: watch::Receiver<()>) -> Arc<dyn Operations> {
        let events = Arc::clone(&self.events);
        Arc::new(ReadOnlyOperations {
            context: Arc::clone(&self.session.context),
            runtime: self.session.runtime.clone(),
            limits_changes: self.row.limits_changes(),
            caller_alive,
            print: Arc::new(move |line| events.print(line)),
        })
    }

    fn print(&self, line: &str) {
        self.events.print(line);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::value::Record;

    /// The report of a request with this key and this result.
    fn report(key: Option<&str>, done: Result<&[(&str, Value)], CallError>) -> Option<String> {
        let op = crate::platforms::catalogue().operation("http::post").unwrap();
        let options = key.map(|key| ("key".to_owned(), key.into()));
        let options = Value::Record(options.into_iter().collect());
        let call = Call::check(op, None, vec!["https://crm.example/items".into(), options]).unwrap();
        let done = done.map(|fields| Performed {
            value: Value::Record(
                fields
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone()))
                    .collect::<Record>(),
            ),
            replayed: false,
        });
        format_response(&call, &done)
    }

    #[test]
    fn a_call_is_reported_with_outcome_status_or_error_message() {
        let created = [("status", Value::Int(201)), ("outcome", "created".into())];
        assert_eq!(
            report(Some("RQ1"), Ok(&created)).unwrap(),
            "`http::post` of `RQ1`: created (201); it is on record"
        );
        assert_eq!(
            report(None, Ok(&[("status", Value::Int(404))])).unwrap(),
            "`http::post`: answered with 404; the response is on record"
        );
        let refused = OpError::new(Code::Refused, "no credits");
        assert_eq!(
            report(None, Err(CallError::Failed(refused))).unwrap(),
            "`http::post`: failed: no credits"
        );
        assert_eq!(report(None, Err(Stop::Cancelled.into())), None);
    }
}
