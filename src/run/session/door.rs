//! The door of one input: what it asks for is recorded, and it can be stopped in the middle of a call.

use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::super::looking::Looking;
use super::settle::to_value;
use super::{Session, scope};
use crate::journal::{Cancel, JournalError, LookupOutcome, RowJournal, RowStatus};
use crate::operation::call::Call;
use crate::operation::error::{Code, OpError};
use crate::operation::perform::{
    Destination, Halt, Performed, destination, is_open, is_there, look_up, perform, times_asked, window,
};
use crate::operation::platform::Operation;
use crate::operation::preview::{Preview, preview};
use crate::operation::world::World;
use crate::run::interrupt::Interrupt;
use crate::script::door::{Ask, Denied, Door, Stop};
use crate::value::{Object, Value};

/// How long a call that was stopped before anything left may take to end by itself.
const MOMENT: Duration = Duration::from_millis(60);

/// How long the answer of a change is waited for that was seen on the platform.
const LAST_WORD: Duration = Duration::from_secs(1);

/// How long between two looks for a change whose answer is waited for.
const PAUSE: Duration = Duration::from_millis(500);

/// What the person at the session is told, and asked.
pub(crate) trait Tell: Send + Sync {
    /// The script printed a line.
    fn print(&self, line: &str);

    /// Something happened that must not be overlooked.
    fn told(&self, told: Told);

    /// Is anything asked about, or refused?
    fn asks(&self) -> bool;

    /// May this change be made?
    fn consent(&self, permit: &Permit<'_>) -> Consent;
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// The input is to stop, and a change had been sent: its outcome is waited for, or looked up.
    AlreadySent,
    /// Its answer came: what it says, in a sentence without a full stop.
    Answered(String),
    /// That was given up: the change is in doubt.
    LeftInDoubt(LookUp),
    /// It was looked up: the change was carried out.
    CarriedOut,
    /// It was looked up: the change was not carried out, and is not sent again.
    NotCarriedOut,
}

/// Who can look up what became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LookUp {
    /// Whoever resumes the run.
    Anybody,
    /// The session alone: it has the function that looks.
    Session,
    /// Nobody.
    #[default]
    Nobody,
}

/// A change that is about to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permit<'a> {
    /// The operation.
    pub op: Operation,
    /// The account it is asked of.
    pub receiver: Option<&'a Object>,
    /// What it is given.
    pub args: &'a [Value],
    /// What it brings into being, by name.
    pub thing: Option<&'a str>,
    /// Where it goes.
    pub to: &'a Destination,
    /// Ends the question.
    pub interrupt: &'a Interrupt,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Make it.
    Yes,
    /// The input is to stop here.
    No,
    /// It must not be made.
    Refused {
        /// What kind of failure it is.
        code: Code,
        /// Why, in a sentence without a full stop.
        message: String,
        /// What to do, in a sentence without a full stop.
        hint: String,
    },
}

/// What one input reaches the world through.
pub(crate) struct InputDoor {
    session: Session,
    row: RowJournal,
    number: u64,
    interrupt: Interrupt,
    tell: Arc<dyn Tell>,
    /// What ended the input; sticky.
    stop: OnceLock<Stop>,
    /// Who can look up the change that was asked for last.
    look_up: Mutex<LookUp>,
}

impl InputDoor {
    pub(super) fn new(
        session: Session,
        row: RowJournal,
        number: u64,
        interrupt: Interrupt,
        tell: Arc<dyn Tell>,
    ) -> InputDoor {
        InputDoor {
            session,
            row,
            number,
            interrupt,
            tell,
            stop: OnceLock::new(),
            look_up: Mutex::default(),
        }
    }

    /// Who can look up the change that was asked for last.
    pub(crate) fn look_up(&self) -> LookUp {
        *self.look_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn halt(&self, stop: Stop) -> Denied {
        Denied::Stop(self.stop.get_or_init(|| stop).clone())
    }

    /// Asks about a change, unless nothing would be sent for it.
    fn consent(&self, ask: &Ask, call: &Call) -> Result<(), Denied> {
        let (session, lost) = (&self.session, |error: JournalError| {
            self.halt(Stop::JournalLost(error.to_string()))
        });
        // A row that nothing was asked of yet: what this one asked before does not matter here.
        let blank = session
            .journal
            .open_row(&session.run, self.number - 1, "consent", true)
            .map_err(lost)?;
        let foreseen = session
            .runtime
            .block_on(preview(&session.world, &blank, call, false))
            .map_err(lost)?;
        let Preview::Acts(coming) = foreseen else {
            return Ok(());
        };
        let permit = Permit {
            op: call.op,
            receiver: ask.receiver.as_ref(),
            args: &ask.args,
            thing: coming.thing.as_deref(),
            to: &destination(&session.world, call),
            interrupt: &self.interrupt,
        };
        match self.tell.consent(&permit) {
            Consent::Yes => Ok(()),
            Consent::No => Err(self.halt(Stop::Cancelled)),
            Consent::Refused { code, message, hint } => {
                Err(Denied::Failed(OpError::new(code, message).hint(hint)))
            }
        }
    }

    /// Records the call with the row, in the place of the one before, whose outcome is known: on disk no later than the
    /// call's intent.
    fn remember(&self, ask: &Ask, call: &Call) -> Result<(), Denied> {
        let earlier = times_asked(&self.session.world, &self.row, call);
        let asked = Value::List(vec![to_value(ask, earlier)]);
        let look_up = match window(&self.session.world, call) {
            None => LookUp::Nobody,
            Some(_) if ask.functions.is_empty() => LookUp::Anybody,
            Some(_) => LookUp::Session,
        };
        *self.look_up.lock().unwrap_or_else(PoisonError::into_inner) = look_up;
        self.session
            .functions()
            .insert(self.number, ask.functions.clone());
        let (journal, run) = (&self.session.journal, self.session.run.id());
        journal
            .finish_row(run, self.number - 1, RowStatus::Queued, Some(&asked), None)
            .map_err(|error| self.halt(Stop::JournalLost(error.to_string())))
    }

    async fn carry_out(&self, call: Call) -> Result<Performed, Halt> {
        let (changes, flight) = (call.effect().changes(), call.flight.clone());
        let stop = Cancel::new();
        let mut work = Box::pin(perform(&self.session.world, &self.row, call.clone(), &stop));
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = self.interrupt.asked() => {}
        }
        if changes && !flight.hold() {
            self.tell.told(Told::AlreadySent);
            // Whatever comes of it: nothing is sent any more.
            stop.cancel();
            return tokio::select! {
                biased;
                done = self.find_out(work, &call) => {
                    if let Some(answer) = answer_of(&call, &done) {
                        self.tell.told(Told::Answered(answer));
                    }
                    done
                }
                () = self.interrupt.insisted() => {
                    self.tell.told(Told::LeftInDoubt(self.look_up()));
                    Err(in_doubt("it was abandoned before its outcome was known".into()))
                }
            };
        }
        stop.cancel();
        match tokio::time::timeout(MOMENT, &mut work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(Halt::InDoubt { step, why })) => Err(Halt::InDoubt { step, why }),
            Ok(Err(Halt::Journal(error))) => Err(Halt::Journal(error)),
            Ok(Err(Halt::Failed(_) | Halt::Cancelled)) | Err(_) => Err(Halt::Cancelled),
        }
    }

    /// What became of a change that was sent when the input is to stop: by its answer, which may say what is said only
    /// once, else by looking. What a look finds is there; that it is not there can be told when the request can land no
    /// more.
    async fn find_out(
        &self,
        mut work: Pin<Box<impl Future<Output = Result<Performed, Halt>>>>,
        call: &Call,
    ) -> Result<Performed, Halt> {
        let answered = tokio::select! {
            biased;
            done = &mut work => Some(done),
            () = seen(&self.session.world, call) => None,
        };
        let answered = match answered {
            Some(answered) => Some(answered),
            None => tokio::time::timeout(LAST_WORD, &mut work).await.ok(),
        };
        match answered {
            Some(Err(Halt::InDoubt { .. })) | None => {}
            Some(answered) => return answered,
        }
        // Its step is in doubt from here on.
        drop(work);
        match self.settle(call).await.map_err(Halt::Journal)? {
            LookupOutcome::Found => self.tell.told(Told::CarriedOut),
            LookupOutcome::Absent => self.tell.told(Told::NotCarriedOut),
            LookupOutcome::Known => {}
            LookupOutcome::Open(why) => return Err(in_doubt(why)),
            LookupOutcome::Stopped => return Err(in_doubt("looking for it was interrupted".into())),
        }
        Err(Halt::Cancelled)
    }

    /// Looks up what became of the call that was asked for last.
    async fn settle(&self, call: &Call) -> Result<LookupOutcome, JournalError> {
        let Session {
            journal, run, world, ..
        } = &self.session;
        journal.flush()?;
        let recorded = journal.open_row(run, self.number - 1, &scope(self.number), false)?;
        // The same call may have been made before; this one is counted already.
        for _ in 1..times_asked(world, &self.row, call) {
            let _ = is_open(world, &recorded, call);
        }
        look_up(world, &recorded, call, &Cancel::new()).await
    }
}

/// Ends when what the call asks for is seen on the platform, or can be there no more; never when nothing can look.
async fn seen(world: &World, call: &Call) {
    let Some(window) = window(world, call) else {
        return std::future::pending().await;
    };
    let looking = async {
        while !is_there(world, call).await {
            tokio::time::sleep(PAUSE).await;
        }
    };
    // Over or not: the journal decides.
    let _ = tokio::time::timeout(window, looking).await;
}

/// What the answer to a change says: `` `http::post` of `A-17`: created (201); it is on record ``.
fn answer_of(call: &Call, done: &Result<Performed, Halt>) -> Option<String> {
    let key = call.option("key").and_then(Value::as_text);
    let key = key.map_or_else(String::new, |key| format!(" of `{key}`"));
    let said = match done {
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
                    format!("answered with {status}; the answer is on record")
                }
                Some(Value::Int(status)) => format!("{outcome} ({status}); it is on record"),
                _ => format!("{outcome}; it is on record"),
            }
        }
        Err(Halt::Failed(error)) => format!("failed: {}", error.message),
        Err(_) => return None,
    };
    Some(format!("`{}`{key}: {said}", call.op.id()))
}

fn in_doubt(why: String) -> Halt {
    let step = String::new();
    Halt::InDoubt { step, why }
}

impl Door for InputDoor {
    fn ask(&self, ask: Ask) -> Result<Value, Denied> {
        if let Some(stop) = self.stopping() {
            return Err(Denied::Stop(stop));
        }
        let call = Call::check(ask.op, ask.receiver.clone(), ask.args.clone()).map_err(Denied::Failed)?;
        let call = call.with_functions(ask.functions.clone());
        if call.effect().changes() {
            if self.tell.asks() {
                self.consent(&ask, &call)?;
            }
            self.remember(&ask, &call)?;
        }
        match self.session.runtime.block_on(self.carry_out(call)) {
            Ok(performed) => Ok(performed.value),
            Err(Halt::Failed(error)) => Err(Denied::Failed(error)),
            Err(Halt::Cancelled) => Err(self.halt(Stop::Cancelled)),
            Err(Halt::InDoubt { step, why }) => Err(self.halt(Stop::Parked { step, why })),
            Err(Halt::Journal(error)) => Err(self.halt(Stop::JournalLost(error.to_string()))),
        }
    }

    fn stopping(&self) -> Option<Stop> {
        if let Some(stop) = self.stop.get() {
            return Some(stop.clone());
        }
        let asked = self.interrupt.is_asked();
        asked.then(|| self.stop.get_or_init(|| Stop::Cancelled).clone())
    }

    fn looking(&self, waited_for: watch::Receiver<()>) -> Arc<dyn Door> {
        let tell = Arc::clone(&self.tell);
        Arc::new(Looking {
            world: Arc::clone(&self.session.world),
            runtime: self.session.runtime.clone(),
            waited_for,
            print: Arc::new(move |line| tell.print(line)),
        })
    }

    fn print(&self, line: &str) {
        self.tell.print(line);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::value::Record;

    /// What is told of a request with this key, and of what it gave.
    fn told(key: Option<&str>, done: Result<&[(&str, Value)], Halt>) -> Option<String> {
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
        answer_of(&call, &done)
    }

    #[test]
    fn an_answer_is_told_by_its_outcome_and_status_and_a_failure_by_its_message() {
        let created = [("status", Value::Int(201)), ("outcome", "created".into())];
        assert_eq!(
            told(Some("RQ1"), Ok(&created)).unwrap(),
            "`http::post` of `RQ1`: created (201); it is on record"
        );
        assert_eq!(
            told(None, Ok(&[("status", Value::Int(404))])).unwrap(),
            "`http::post`: answered with 404; the answer is on record"
        );
        let refused = OpError::new(Code::Refused, "no credits");
        assert_eq!(
            told(None, Err(Halt::Failed(refused))).unwrap(),
            "`http::post`: failed: no credits"
        );
        assert_eq!(told(None, Err(Halt::Cancelled)), None);
    }
}
