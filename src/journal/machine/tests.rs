//! Tests of the module above: every order of events, up to a length.

use super::*;
use crate::clock::Clock;

const WINDOW_MS: i64 = 100;

/// One life of a step: which of the possible events comes at each action.
struct Life<'a> {
    choices: &'a mut Choices,
    machine: StepMachine,
    /// The state as this process knows it, and as the journal has it.
    state: StepState,
    recorded: StepState,
    now: Stamp,
    /// A response was a success without usable content.
    was_yes: bool,
    actions: Vec<&'static str>,
}

/// Counts through all sequences of choices.
#[derive(Default)]
struct Choices {
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Choices {
    /// Returns the next choice out of `of`.
    fn choose(&mut self, of: usize) -> usize {
        if self.at == self.taken.len() {
            self.taken.push((0, of));
        }
        let (choice, _) = self.taken[self.at];
        self.at += 1;
        choice
    }

    /// Goes to the next sequence; `false` after the last one.
    fn advance(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, of)) = self.taken.pop() {
            if choice + 1 < of {
                self.taken.push((choice + 1, of));
                return true;
            }
        }
        false
    }
}

fn began() -> Stamp {
    Clock::frozen(1_000_000).now()
}

fn machine(probes: bool) -> StepMachine {
    StepMachine::new(Limits {
        probes,
        patience_ms: WINDOW_MS / 2,
        settle_ms: WINDOW_MS / 2,
    })
}

impl Life<'_> {
    /// Returns how the step ended, or `None` if it is cut off after `most` actions.
    fn live(&mut self, mut input: Input, most: usize) -> Option<Ending> {
        for _ in 0..most {
            let action = self.machine.next(&mut self.state, input, self.now);
            input = match action {
                Action::Prepare { .. } => {
                    self.actions.push("prepare");
                    let adopted = (self.choices.choose(2) == 1).then(|| Value::from("adopted"));
                    Input::Prepared { adopted }
                }
                Action::Intend(event) => {
                    self.actions.push("intend");
                    match self.choices.choose(3) {
                        0 => {
                            self.recorded = self.recorded.next(event).unwrap();
                            Input::Intended
                        }
                        1 => Input::Released { absent: false },
                        _ => Input::Released { absent: true },
                    }
                }
                Action::Send { .. } => {
                    self.actions.push("send");
                    assert!(
                        matches!(self.recorded, StepState::Intended { .. }),
                        "sent while {:?}: {:?}",
                        self.recorded,
                        self.actions
                    );
                    assert_eq!(self.state, self.recorded, "{:?}", self.actions);
                    assert!(!self.was_yes, "sent again after a success: {:?}", self.actions);
                    self.response()
                }
                Action::Probe => {
                    self.actions.push("probe");
                    Input::Probed(match self.choices.choose(4) {
                        0 => None,
                        1 => Some(Probe::Found("found".into())),
                        2 => Some(Probe::Absent),
                        _ => Some(Probe::Unknown("unclear".into())),
                    })
                }
                Action::Settle { .. } => {
                    self.actions.push("settle");
                    assert!(
                        matches!(self.recorded, StepState::InDoubt { .. }),
                        "looked for what is not lost: {:?}",
                        self.actions
                    );
                    self.settlement()
                }
                Action::Write(transition) => {
                    self.actions.push("write");
                    self.recorded = self
                        .recorded
                        .next(transition.event)
                        .unwrap_or_else(|error| panic!("{error}: {:?}", self.actions));
                    Input::Written(transition.outcome)
                }
                Action::End(ending) => return Some(ending),
            };
        }
        None
    }

    fn response(&mut self) -> Input {
        let result = match self.choices.choose(8) {
            0 => Ok(SendOutcome::Done("done".into())),
            1 => Ok(SendOutcome::Refused("refused".into())),
            2 => Ok(SendOutcome::HalfDone("half".into())),
            3 => Ok(SendOutcome::Failed("failed".into())),
            4 => Ok(SendOutcome::Throttled("throttled".into())),
            5 => Err("it is late".to_owned()),
            6 => Ok(SendOutcome::LostResponse {
                reason: "it broke".to_owned(),
                loss: Loss::Broken,
            }),
            _ => {
                self.was_yes = true;
                Ok(SendOutcome::LostResponse {
                    reason: "it was unreadable".to_owned(),
                    loss: Loss::Yes,
                })
            }
        };
        Input::Sent {
            result,
            connect_ms: 0,
        }
    }

    fn settlement(&mut self) -> Input {
        // Looking takes until the window is over.
        self.now = self.now.plus(2 * WINDOW_MS);
        let settled = match self.choices.choose(6) {
            0 => Settled::Found("found".into()),
            // As `Search` does: absence proves nothing after an unreadable success.
            1 if self.recorded.resends(true) => Settled::Absent {
                looked_up_at: self.now,
            },
            1 | 2 => Settled::Unsettled("unclear".to_owned()),
            3 => Settled::Answered(SendOutcome::Done("late".into())),
            4 => Settled::Answered(SendOutcome::Refused("late".into())),
            _ => Settled::Cancelled,
        };
        let interrupted = matches!(settled, Settled::Cancelled);
        Input::Settled { settled, interrupted }
    }
}

/// Whether the journal has what the caller is told.
fn agrees(ending: &Ending, recorded: StepState) -> bool {
    match ending {
        Ending::Done(_) => recorded == StepState::Done,
        Ending::Refused(_) => matches!(recorded, StepState::Refused | StepState::HalfDone),
        Ending::Failed(_) | Ending::Cancelled => recorded == StepState::Absent,
        Ending::InDoubt(_) => matches!(recorded, StepState::InDoubt { .. }),
    }
}

/// Lives all lives from this record, and returns how many there are.
fn live_all(probes: bool, recorded: impl Fn(Stamp) -> StepState, attempts: u32, most: usize) -> usize {
    let mut choices = Choices::default();
    let mut lives = 0;
    loop {
        let state = recorded(began());
        let mut life = Life {
            choices: &mut choices,
            machine: machine(probes),
            state,
            recorded: state,
            now: began(),
            was_yes: state.loss() == Some(Loss::Yes),
            actions: Vec::new(),
        };
        let input = if attempts == 0 {
            Input::Unrecorded
        } else {
            let reason = "the process ended".to_owned();
            Input::Recorded { attempts, reason }
        };
        if let Some(ending) = life.live(input, most) {
            let (recorded, actions) = (life.recorded, &life.actions);
            assert!(
                agrees(&ending, recorded),
                "{ending:?} of {recorded:?}: {actions:?}"
            );
        }
        lives += 1;
        if !choices.advance() {
            return lives;
        }
    }
}

fn window(now: Stamp) -> Window {
    machine(true).limits().window(now)
}

#[test]
fn in_every_order_of_events_what_is_returned_is_what_is_recorded() {
    for probes in [true, false] {
        let lives = live_all(probes, |_| StepState::Absent, 0, 12);
        assert!(lives > 100, "{lives} orders of events");
    }
}

#[test]
fn a_recorded_step_continues_from_its_record_in_every_order_of_events() {
    for probes in [true, false] {
        live_all(probes, |now| StepState::Intended { window: window(now) }, 1, 10);
        live_all(probes, |_| StepState::Absent, 1, 10);
        for loss in Loss::ALL {
            let in_doubt = |now| StepState::InDoubt {
                window: window(now),
                loss,
            };
            live_all(probes, in_doubt, 1, 10);
        }
    }
}

#[test]
fn an_input_that_the_step_cannot_have_puts_it_in_doubt() {
    let now = began();
    let inputs = [
        Input::Prepared { adopted: None },
        Input::Intended,
        Input::Released { absent: true },
        Input::Probed(None),
        Input::Written(Some("outcome".into())),
    ];
    for input in inputs {
        let mut state = StepState::Absent;
        let action = machine(true).next(&mut state, input, now);
        assert!(
            matches!(&action, Action::End(Ending::InDoubt(reason)) if reason == ILLEGAL),
            "{action:?}"
        );
    }
}

#[test]
fn a_transition_that_the_state_does_not_allow_puts_the_step_in_doubt() {
    let now = began();
    let mut machine = machine(true);
    let mut state = StepState::Absent;
    machine.next(&mut state, Input::Unrecorded, now);
    machine.next(&mut state, Input::Prepared { adopted: None }, now);
    machine.next(&mut state, Input::Intended, now);
    let result = Ok(SendOutcome::Done("done".into()));
    machine.next(
        &mut state,
        Input::Sent {
            result,
            connect_ms: 0,
        },
        now,
    );
    state = StepState::Refused;
    let action = machine.next(&mut state, Input::Written(Some("done".into())), now);
    assert!(
        matches!(&action, Action::End(Ending::InDoubt(reason)) if reason == ILLEGAL),
        "{action:?}"
    );
}

#[test]
fn a_request_is_sent_at_most_five_times() {
    let mut now = began();
    let mut machine = machine(true);
    let mut state = StepState::Absent;
    let mut input = Input::Unrecorded;
    let mut sends = 0;
    loop {
        now = now.plus(2 * WINDOW_MS);
        input = match machine.next(&mut state, input, now) {
            Action::Prepare { .. } => Input::Prepared { adopted: None },
            Action::Intend(_) => Input::Intended,
            Action::Send { earlier } => {
                assert_eq!(earlier, sends > 0);
                sends += 1;
                let reason = "it broke".to_owned();
                Input::Sent {
                    result: Ok(SendOutcome::LostResponse {
                        reason,
                        loss: Loss::Broken,
                    }),
                    connect_ms: 0,
                }
            }
            Action::Settle { .. } => Input::Settled {
                settled: Settled::Absent { looked_up_at: now },
                interrupted: false,
            },
            Action::Write(transition) => Input::Written(transition.outcome),
            Action::Probe => Input::Probed(Some(Probe::Absent)),
            Action::End(Ending::InDoubt(reason)) => {
                assert_eq!(reason, "it was sent 5 times, and it broke each time");
                break;
            }
            Action::End(ending) => panic!("{ending:?}"),
        };
    }
    assert_eq!(sends, 5);
}
