//! One trial: the script runs in a world, is killed, and is resumed until it has finished.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::assertions::Expected;
use super::child::{ChildFaults, End, Kill};
use super::environment::Environment;
use super::harness::{Harness, TIMINGS};
use super::kill_switch::KillPoint;
use super::observation::{Observation, Row};
use super::plan::{Disturbance, Task};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::clock::ClockSkew;
use crate::sandbox::fault::Fault;

/// How often a child may end on its own without finishing before the run counts as unable to finish.
const MAX_TRIES: u32 = 12;

/// An undisturbed run.
pub(super) struct UndisturbedRun {
    pub(super) observation: Observation,
    pub(super) duration: Duration,
}

/// The outcome of a trial.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    /// How often the child was killed.
    pub(super) kills: u32,
    /// How often it was resumed.
    pub(super) resumes: u32,
    /// How often it ended on its own with steps in doubt.
    pub(super) parked: u32,
    /// How often the injected faults took effect.
    pub(super) hits: u32,
    /// The number of children whose clock was wrong, or was changed while they worked.
    pub(super) clocks: u32,
    /// Rows that only a person can resolve: their effects cannot be looked up.
    pub(super) unresolvable: u32,
    /// How long the last child took.
    pub(super) lifetime: Duration,
    /// The problems found; empty if the script survived.
    pub(super) wrong: Vec<String>,
}

/// Runs the script in a separate world without disturbance. Returns `None` if the user interrupts.
pub(super) fn quiet(harness: &Harness<'_>, task: &Task) -> Result<Option<UndisturbedRun>, CommandError> {
    let environment = Environment::new(harness, task, 0)?;
    let started = Instant::now();
    let end = environment.run(&ChildFaults {
        kill: Kill::Never,
        clock: None,
    })?;
    let duration = started.elapsed();
    match (end, environment.results()?) {
        (End::Stopped, _) => Ok(None),
        (End::Exited(_), Some(rows)) => Ok(Some(UndisturbedRun {
            observation: environment.observation(rows)?,
            duration,
        })),
        _ => Err(CommandError::usage(format!(
            "the script does not finish even without faults: {}",
            environment.stderr_tail()
        ))
        .hint("make it run first: provisor run SCRIPT --sandbox")),
    }
}

/// Carries out one task. Returns `None` if the user interrupts.
pub(super) fn carry_out(
    harness: &Harness<'_>,
    task: &Task,
    expected: &Expected,
) -> Result<Option<Outcome>, CommandError> {
    let seed = seed_of(harness.seed, &task.name());
    let environment = Environment::new(harness, task, seed)?;
    let mut trial = Trial {
        environment: &environment,
        task,
        expected,
        rng: Rng::with_seed(seed),
        outcome: Outcome::default(),
        unharmed: 0,
    };
    let last = trial.until_finished()?;
    let mut outcome = trial.outcome;
    match last {
        TrialEnd::Stopped => return Ok(None),
        TrialEnd::Unrecoverable(reason) => outcome
            .wrong
            .push(format!("{reason} ({})", environment.stderr_tail())),
        TrialEnd::Finished(rows) => {
            let observation = environment.observation(rows)?;
            outcome.hits = hits(&observation, task, seed);
            outcome.wrong = if outcome.unresolvable == 0 {
                expected.judge(&observation)
            } else {
                expected.violations_when_parked(&observation)
            };
        }
    }
    Ok(Some(outcome))
}

struct Trial<'a> {
    environment: &'a Environment<'a>,
    task: &'a Task,
    expected: &'a Expected,
    rng: Rng,
    outcome: Outcome,
    /// How often a child ended on its own before everything was finished.
    unharmed: u32,
}

fn count_parked(rows: &[Row]) -> u32 {
    let parked = rows
        .iter()
        .filter(|row| Observation::text(row, "_status") == "parked");
    u32::try_from(parked.count()).unwrap_or(u32::MAX)
}

/// The next action.
enum Step {
    Run,
    Resume { run: Option<String>, retry: bool },
    End(TrialEnd),
}

/// The state after the last child.
enum TrialEnd {
    /// Finished with these results.
    Finished(Vec<Row>),
    /// Failed in a way that no further child would fix.
    Unrecoverable(String),
    /// Interrupted by the user.
    Stopped,
}

impl Trial<'_> {
    fn until_finished(&mut self) -> Result<TrialEnd, CommandError> {
        let mut step = Step::Run;
        loop {
            if let Step::End(last) = step {
                return Ok(last);
            }
            let end = self.child(&step)?;
            step = self.next(end, step)?;
        }
    }

    fn child(&mut self, step: &Step) -> Result<End, CommandError> {
        let fate = ChildFaults {
            kill: self.draw_kill(),
            clock: self.clock(),
        };
        self.outcome.clocks += u32::from(fate.clock.is_some());
        let started = Instant::now();
        let end = match step {
            Step::Resume { run, retry } => {
                self.outcome.resumes += 1;
                self.environment.resume(run.as_deref(), *retry, &fate)
            }
            _ => self.environment.run(&fate),
        };
        self.outcome.lifetime = started.elapsed();
        end
    }

    fn next(&mut self, end: End, step: Step) -> Result<Step, CommandError> {
        Ok(match (end, step) {
            (End::Stopped, _) => Step::End(TrialEnd::Stopped),
            (End::Stuck, _) => unrecoverable("a child process did not end"),
            (End::Killed, step) => {
                self.outcome.kills += 1;
                match step {
                    Step::Run => Step::Resume {
                        run: None,
                        retry: false,
                    },
                    again => again,
                }
            }
            (End::Exited(code), step) => match self.environment.results()? {
                Some(rows) => self.after(code, rows)?,
                None => self.without_results(code, &step)?,
            },
        })
    }

    /// Handles a child that ended on its own and left results.
    fn after(&mut self, code: i32, rows: Vec<Row>) -> Result<Step, CommandError> {
        if self.expected.has_finished(&rows) {
            return Ok(Step::End(TrialEnd::Finished(rows)));
        }
        let run = rows
            .first()
            .map_or("", |row| Observation::text(row, "_run"))
            .to_owned();
        let in_doubt = code == i32::from(Exit::InDoubt.code());
        self.outcome.parked += u32::from(in_doubt);
        self.unharmed += 1;
        // One more resume shows that this is final.
        if in_doubt && self.unharmed > 1 && self.environment.waits_for_a_person(&run)? {
            self.outcome.unresolvable = count_parked(&rows);
            return Ok(Step::End(TrialEnd::Finished(rows)));
        }
        if self.unharmed > MAX_TRIES {
            let open = rows
                .iter()
                .find(|row| Observation::text(row, "_status") != "done");
            let reason = open.map_or("", |row| Observation::text(row, "_error"));
            return Ok(unrecoverable(&format!(
                "not finished after {MAX_TRIES} tries, exit code {code}: {reason}"
            )));
        }
        // Ensures that the last children start after every delayed effect has landed, however quick they are.
        if in_doubt && self.unharmed > MAX_TRIES / 2 {
            self.environment.settled_snapshot()?;
        }
        Ok(Step::Resume {
            run: Some(run).filter(|run| !run.is_empty()),
            retry: self.expected.has_failed(&rows),
        })
    }

    /// Handles a child that ended on its own without results: it was killed before its run began, or data was lost.
    fn without_results(&mut self, code: i32, step: &Step) -> Result<Step, CommandError> {
        self.unharmed += 1;
        let nothing_begun =
            matches!(step, Step::Resume { .. }) && code == 0 && !self.environment.has_run()?;
        Ok(if nothing_begun && self.unharmed <= MAX_TRIES {
            Step::Run
        } else {
            unrecoverable(&format!("no results, and exit code {code}"))
        })
    }

    /// Draws when the next child is killed.
    fn draw_kill(&mut self) -> Kill {
        if self.outcome.kills >= self.task.kills {
            return Kill::Never;
        }
        match &self.task.injected {
            Disturbance::Nothing => Kill::Never,
            Disturbance::Kill(moment) => self.at(*moment),
            Disturbance::KillAnyTime => self.kill_at_random_time(),
            Disturbance::Fault(_) | Disturbance::Storm(_) if self.rng.bool() => self.kill_at_random_time(),
            Disturbance::Fault(_) | Disturbance::Storm(_) => {
                let moments: Vec<KillPoint> = KillPoint::all().collect();
                let moment = moments[self.rng.usize(..moments.len())];
                self.at(moment)
            }
        }
    }

    /// Draws a wrong clock. In worlds with disturbances at any time, it is off by an hour, or changed by one while they
    /// work, for two children in three; tokens live longer.
    fn clock(&mut self) -> Option<ClockSkew> {
        const HOUR_MS: i64 = 3_600_000;
        let disturbed = matches!(
            self.task.injected,
            Disturbance::KillAnyTime | Disturbance::Storm(_)
        );
        (disturbed && self.rng.u32(..3) > 0).then(|| ClockSkew {
            by_ms: if self.rng.bool() { HOUR_MS } else { -HOUR_MS },
            after: TIMINGS
                .reply
                .mul_f64(self.rng.f64() * f64::from(self.rng.u8(..2))),
            rebooted: self.rng.u32(..4) == 0,
        })
    }

    /// Kills at one of the first passings: every process reaches those, but later ones rarely.
    fn at(&mut self, moment: KillPoint) -> Kill {
        let rows = u32::try_from(self.expected.rows()).unwrap_or(u32::MAX);
        let passing = match moment {
            KillPoint::Step(_) => self.rng.u32(1..=rows.clamp(1, 4)),
            KillPoint::BeforeResults | KillPoint::AfterResults => 1,
        };
        Kill::At(moment, passing)
    }

    fn kill_at_random_time(&mut self) -> Kill {
        // Kills remain unspent if children end sooner than the undisturbed run did, because the machine was busier
        // then. A follow-up world aims at what a child took last.
        let longest = self
            .task
            .lifetime
            .unwrap_or_else(|| self.expected.duration.mul_f64(1.2));
        Kill::After(longest.mul_f64(self.rng.f64()))
    }
}

fn unrecoverable(reason: &str) -> Step {
    Step::End(TrialEnd::Unrecoverable(reason.to_owned()))
}

/// Counts hits of the injected faults, without auxiliary ones.
fn hits(observation: &Observation, task: &Task, seed: u64) -> u32 {
    let is_meant = |fault: &Fault| match &task.injected {
        Disturbance::Fault(meant) => meant
            .iter()
            .any(|meant| (meant.route, meant.kind, meant.delay) == (fault.route, fault.kind, fault.delay)),
        _ => true,
    };
    let faults = task.injected.faults(seed).into_iter().filter(is_meant);
    // Equal faults share one counter.
    let texts: BTreeSet<String> = faults.map(|fault| fault.to_string()).collect();
    let hits = &observation.snapshot.traffic.hits;
    texts.iter().filter_map(|fault| hits.get(fault)).sum()
}

/// Derives a seed for each world, so that it can be reproduced without the others (FNV-1a).
fn seed_of(seed: u64, name: &str) -> u64 {
    name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
