//! One ordeal: the script runs in a world, is killed, and is resumed until it has finished.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::child::{End, Fate, Kill};
use super::facts::{Facts, Row};
use super::plan::{Injected, Task};
use super::rig::{PACE, Rig};
use super::trap::Moment;
use super::verdict::Expected;
use super::world::World;
use crate::cli::error::CommandError;
use crate::clock::Misset;
use crate::sandbox::fault::Fault;

/// How often a child may end by itself with something left, until its run counts as unable to finish.
const MOST_TRIES: u32 = 12;

/// An undisturbed run.
pub(super) struct Quiet {
    pub(super) facts: Facts,
    pub(super) duration: Duration,
}

/// What came of an ordeal.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    /// How often the child was killed.
    pub(super) kills: u32,
    /// How often it was started again.
    pub(super) resumes: u32,
    /// How often it ended by itself with something left in doubt.
    pub(super) parked: u32,
    /// How often the platform did what it was told to do wrong.
    pub(super) hits: u32,
    /// How many children had a clock that was wrong, or was set while they worked.
    pub(super) clocks: u32,
    /// Rows that only a person can settle: they did something that nothing can look up.
    pub(super) left: u32,
    /// What is wrong; nothing, when it survived.
    pub(super) wrong: Vec<String>,
}

/// Runs the script in a world of its own without any disturbance. Nothing when the user interrupts.
pub(super) fn quiet(rig: &Rig<'_>, task: &Task) -> Result<Option<Quiet>, CommandError> {
    let world = World::new(rig, task, 0)?;
    let started = Instant::now();
    let end = world.run(&Fate {
        kill: Kill::Never,
        clock: None,
    })?;
    let duration = started.elapsed();
    match (end, world.results()?) {
        (End::Stopped, _) => Ok(None),
        (End::Exited(_), Some(rows)) => Ok(Some(Quiet {
            facts: world.facts(rows)?,
            duration,
        })),
        _ => Err(CommandError::usage(format!(
            "the script does not finish even without faults: {}",
            world.last_words()
        ))
        .hint("make it run first: provisor run SCRIPT --sandbox")),
    }
}

/// Carries out one task. Nothing when the user interrupts.
pub(super) fn carry_out(
    rig: &Rig<'_>,
    task: &Task,
    expected: &Expected,
) -> Result<Option<Outcome>, CommandError> {
    let seed = seed_of(rig.seed, &task.name());
    let world = World::new(rig, task, seed)?;
    let mut ordeal = Ordeal {
        world: &world,
        task,
        expected,
        rng: Rng::with_seed(seed),
        outcome: Outcome::default(),
        unharmed: 0,
    };
    let last = ordeal.until_finished()?;
    let mut outcome = ordeal.outcome;
    match last {
        Last::Stopped => return Ok(None),
        Last::Hopeless(why) => outcome.wrong.push(format!("{why} ({})", world.last_words())),
        Last::Finished(rows) => {
            let facts = world.facts(rows)?;
            outcome.hits = hits(&facts, task, seed);
            outcome.wrong = if outcome.left == 0 {
                expected.judge(&facts)
            } else {
                expected.judge_unfinished(&facts)
            };
        }
    }
    Ok(Some(outcome))
}

struct Ordeal<'a> {
    world: &'a World<'a>,
    task: &'a Task,
    expected: &'a Expected,
    rng: Rng,
    outcome: Outcome,
    /// How often a child ended by itself before everything was finished.
    unharmed: u32,
}

/// The exit of a run that leaves something in doubt.
const IN_DOUBT: i32 = 10;

fn count_parked(rows: &[Row]) -> u32 {
    let parked = rows.iter().filter(|row| Facts::text(row, "_status") == "parked");
    u32::try_from(parked.count()).unwrap_or(u32::MAX)
}

/// How to go on.
enum Step {
    Run,
    Resume { run: Option<String>, retry: bool },
    End(Last),
}

/// How the last child left the world.
enum Last {
    /// With these results.
    Finished(Vec<Row>),
    /// With something that no further child would mend.
    Hopeless(String),
    /// The user interrupts.
    Stopped,
}

impl Ordeal<'_> {
    fn until_finished(&mut self) -> Result<Last, CommandError> {
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
        let fate = Fate {
            kill: self.draw(),
            clock: self.clock(),
        };
        self.outcome.clocks += u32::from(fate.clock.is_some());
        match step {
            Step::Resume { run, retry } => {
                self.outcome.resumes += 1;
                self.world.resume(run.as_deref(), *retry, &fate)
            }
            _ => self.world.run(&fate),
        }
    }

    fn next(&mut self, end: End, step: Step) -> Result<Step, CommandError> {
        Ok(match (end, step) {
            (End::Stopped, _) => Step::End(Last::Stopped),
            (End::Stuck, _) => hopeless("a child did not end"),
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
            (End::Exited(code), step) => match self.world.results()? {
                Some(rows) => self.after(code, rows)?,
                None => self.without_results(code, &step)?,
            },
        })
    }

    /// A child ended by itself and left results.
    fn after(&mut self, code: i32, rows: Vec<Row>) -> Result<Step, CommandError> {
        if self.expected.has_finished(&rows) {
            return Ok(Step::End(Last::Finished(rows)));
        }
        let run = rows.first().map_or("", |row| Facts::text(row, "_run")).to_owned();
        self.outcome.parked += u32::from(code == IN_DOUBT);
        self.unharmed += 1;
        // One more resume shows that it stays so.
        if code == IN_DOUBT && self.unharmed > 1 && self.world.waits_for_a_person(&run)? {
            self.outcome.left = count_parked(&rows);
            return Ok(Step::End(Last::Finished(rows)));
        }
        if self.unharmed > MOST_TRIES {
            let open = rows.iter().find(|row| Facts::text(row, "_status") != "done");
            let why = open.map_or("", |row| Facts::text(row, "_error"));
            return Ok(hopeless(&format!(
                "not finished after {MOST_TRIES} tries, exit code {code}: {why}"
            )));
        }
        // However quick the children are, the last of them comes when nothing is under way any more.
        if code == IN_DOUBT && self.unharmed > MOST_TRIES / 2 {
            self.world.landed()?;
        }
        Ok(Step::Resume {
            run: Some(run).filter(|run| !run.is_empty()),
            retry: self.expected.has_failed(&rows),
        })
    }

    /// A child ended by itself and left no results: it was killed before its run began, or something is lost.
    fn without_results(&mut self, code: i32, step: &Step) -> Result<Step, CommandError> {
        self.unharmed += 1;
        let nothing_begun = matches!(step, Step::Resume { .. }) && code == 0 && !self.world.has_run()?;
        Ok(if nothing_begun && self.unharmed <= MOST_TRIES {
            Step::Run
        } else {
            hopeless(&format!("no results, and exit code {code}"))
        })
    }

    /// When the next child dies.
    fn draw(&mut self) -> Kill {
        if self.outcome.kills >= self.task.kills {
            return Kill::Never;
        }
        match &self.task.injected {
            Injected::Nothing => Kill::Never,
            Injected::Kill(moment) => self.at(*moment),
            Injected::KillAnyTime => self.any_time(),
            Injected::Fault(_) | Injected::Storm(_) if self.rng.bool() => self.any_time(),
            Injected::Fault(_) | Injected::Storm(_) => {
                let moments: Vec<Moment> = Moment::all().collect();
                let moment = moments[self.rng.usize(..moments.len())];
                self.at(moment)
            }
        }
    }

    /// In worlds that are disturbed at any time, two children of three have a clock that is wrong or is set while they work,
    /// by an hour: tokens live longer.
    fn clock(&mut self) -> Option<Misset> {
        const HOUR_MS: i64 = 3_600_000;
        let disturbed = matches!(self.task.injected, Injected::KillAnyTime | Injected::Storm(_));
        (disturbed && self.rng.u32(..3) > 0).then(|| Misset {
            by_ms: if self.rng.bool() { HOUR_MS } else { -HOUR_MS },
            after: PACE.reply.mul_f64(self.rng.f64() * f64::from(self.rng.u8(..2))),
            rebooted: self.rng.u32(..4) == 0,
        })
    }

    /// At one of the first passings: every process passes those, and later ones seldom.
    fn at(&mut self, moment: Moment) -> Kill {
        let rows = u32::try_from(self.expected.rows()).unwrap_or(u32::MAX);
        let passing = match moment {
            Moment::Step(_) => self.rng.u32(1..=rows.clamp(1, 4)),
            Moment::BeforeResults | Moment::AfterResults => 1,
        };
        Kill::At(moment, passing)
    }

    fn any_time(&mut self) -> Kill {
        // Kills are left over where children end sooner than the undisturbed run did, because the machine was busier then: the
        // worlds that spend them aim earlier and earlier.
        let longest = self.expected.duration.mul_f64(1.2) / (self.task.followed() + 1);
        Kill::After(longest.mul_f64(self.rng.f64()))
    }
}

fn hopeless(why: &str) -> Step {
    Step::End(Last::Hopeless(why.to_owned()))
}

/// Hits of what was injected; faults that only lead there do not count.
fn hits(facts: &Facts, task: &Task, seed: u64) -> u32 {
    let is_meant = |fault: &Fault| match &task.injected {
        Injected::Fault(meant) => meant
            .iter()
            .any(|meant| (meant.route, meant.kind) == (fault.route, fault.kind)),
        _ => true,
    };
    let faults = task.injected.faults(seed).into_iter().filter(is_meant);
    // Equal ones are counted together.
    let texts: BTreeSet<String> = faults.map(|fault| fault.to_string()).collect();
    let hits = &facts.books.traffic.hits;
    texts.iter().filter_map(|fault| hits.get(fault)).sum()
}

/// Each world has a seed of its own, so that it can be made again without the others (FNV-1a).
fn seed_of(seed: u64, name: &str) -> u64 {
    name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
