//! What is injected: worlds in which the child is killed, and worlds in which the platform misbehaves as well.

use std::time::Duration;

use fastrand::Rng;

use super::options::TortureCommand;
use super::rig::PACE;
use super::trap::Moment;
use crate::cli::error::CommandError;
use crate::sandbox::fault::{Fault, Kind, Route};

/// What is done to the runs of one kind of world.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Injected {
    /// Nothing.
    Nothing,
    /// The child is killed at this moment.
    Kill(Moment),
    /// The child is killed after random times.
    KillAnyTime,
    /// The platform does this, one or several things, and the child is killed besides.
    Fault(Vec<Fault>),
    /// The platform does much of this at once, and the child is killed besides.
    Storm(Vec<Fault>),
}

/// Faults in one storm.
const IN_A_STORM: usize = 8;

impl Injected {
    /// Its name, as tables and `--only` have it.
    pub(super) fn name(&self) -> String {
        match self {
            Injected::Nothing => "nothing".to_owned(),
            Injected::Kill(moment) => moment.name().to_owned(),
            Injected::KillAnyTime => "any-time".to_owned(),
            Injected::Fault(faults) => {
                let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
                texts.join("+")
            }
            Injected::Storm(_) => "storm".to_owned(),
        }
    }

    /// Does the platform misbehave?
    pub(super) fn is_fault(&self) -> bool {
        matches!(self, Injected::Fault(_) | Injected::Storm(_))
    }

    /// Does everything land that may land at all before its window is over?
    pub(super) fn lands_in_time(&self) -> bool {
        match self {
            Injected::Fault(faults) | Injected::Storm(faults) => faults.iter().all(lands_in_time),
            Injected::Nothing | Injected::Kill(_) | Injected::KillAnyTime => true,
        }
    }

    /// The faults of its sandbox. Each ends some time, so that every run can end.
    pub(super) fn faults(&self, seed: u64) -> Vec<Fault> {
        match self {
            Injected::Fault(own) => {
                let mut faults: Vec<Fault> = own.iter().flat_map(limited).collect();
                if own.iter().any(|fault| fault.route == Route::REFRESH) {
                    faults.extend(expiries());
                }
                faults
            }
            Injected::Storm(all) => {
                let mut rng = Rng::with_seed(seed);
                let some = (0..IN_A_STORM).map(|_| Fault {
                    rate: 0.2 + 0.6 * rng.f64(),
                    limit: Some(rng.u32(1..=3)),
                    ..all[rng.usize(..all.len())]
                });
                some.collect()
            }
            Injected::Nothing | Injected::Kill(_) | Injected::KillAnyTime => Vec::new(),
        }
    }
}

/// A fault without a limit hits the first request and, by chance, three more.
fn limited(fault: &Fault) -> Vec<Fault> {
    if fault.limit.is_some() {
        return vec![*fault];
    }
    let first = Fault {
        rate: 1.0,
        limit: Some(1),
        ..*fault
    };
    let some = Fault {
        rate: if fault.rate < 1.0 { fault.rate } else { 0.3 },
        limit: Some(3),
        ..*fault
    };
    vec![first, some]
}

/// Tokens are refreshed only when some have expired.
fn expiries() -> impl Iterator<Item = Fault> {
    [Route::PARTNERS, Route::APPLICATIONS_POST]
        .into_iter()
        .map(|route| Fault {
            route,
            kind: Kind::ExpireToken,
            rate: 1.0,
            limit: Some(2),
        })
}

/// One world to be made.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) injected: Injected,
    /// Its kind's place in the plan.
    pub(super) place: usize,
    /// Which of the worlds of its kind, from 1.
    pub(super) index: u32,
    /// How often the child is killed in it, if it does not finish before.
    pub(super) kills: u32,
}

impl Task {
    /// A world in which nothing happens.
    pub(super) fn undisturbed(index: u32) -> Task {
        Task {
            injected: Injected::Nothing,
            place: 0,
            index,
            kills: 0,
        }
    }

    fn first(injected: Injected) -> Task {
        Task {
            injected,
            ..Task::undisturbed(1)
        }
    }

    /// Its name: `after-intent/3`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.injected.name(), self.index)
    }

    /// How many worlds of the plan and after it have left their kills over to this one.
    pub(super) fn followed(&self) -> u32 {
        self.index / MOST_WORLDS
    }

    /// The world that spends the kills this one had left over. Not for ever: a script without steps passes no boundary.
    /// At a random time there is always somebody to be killed, sooner or later, however busy the machine is.
    pub(super) fn next(&self, spent: u32) -> Option<Task> {
        let kills = self.kills.saturating_sub(spent);
        let followed = self.followed();
        let goes_on = kills > 0
            && (followed < 2
                || (followed < MOST_FOLLOWERS && (spent > 0 || self.injected == Injected::KillAnyTime)))
            && !matches!(self.injected, Injected::Nothing | Injected::Fault(_));
        goes_on.then(|| Task {
            injected: self.injected.clone(),
            place: self.place,
            // Out of the way of those of the plan.
            index: self.index + MOST_WORLDS,
            kills,
        })
    }
}

/// The most kills in one world: enough that they meet each other's traces, and few enough that rows still finish.
const PER_WORLD: u32 = 8;

/// More worlds of one kind than there are indices for would be needed for a hundred thousand kills.
const MOST_WORLDS: u32 = 100_000;

/// The most worlds that follow one of the plan.
const MOST_FOLLOWERS: u32 = 50;

/// Everything that is to be done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) tasks: Vec<Task>,
    kills: u32,
    faults: usize,
}

impl Plan {
    /// Two fifths of the kills at the boundaries of the journal, a fifth at random times, a fifth while the platform does
    /// one thing wrong, and a fifth while it does many. Without faults, all of them in the first two ways. `asked` are the
    /// routes that the script asks: `all` faults are those that can hit it.
    pub(super) fn new(command: &TortureCommand, asked: &[Route]) -> Result<Plan, CommandError> {
        let faults = faults(&command.faults, asked)?;
        let in_time = faults.iter().flatten().filter(|fault| lands_in_time(fault));
        let single: Vec<Fault> = in_time.copied().collect();
        let fifth = command.kills / 5;
        let disturbed = if faults.is_empty() { 0 } else { fifth };
        let any_time = (command.kills - 2 * disturbed) / 3;
        let exact = command.kills - 2 * disturbed - any_time;
        let moments: Vec<Moment> = Moment::all().collect();
        let mut tasks = Vec::new();
        for (moment, kills) in moments.iter().zip(shares(exact, moments.len())) {
            tasks.extend(worlds(&Injected::Kill(*moment), kills));
        }
        tasks.extend(worlds(&Injected::KillAnyTime, any_time));
        for (fault, kills) in faults.iter().zip(shares(disturbed, faults.len())) {
            let injected = Injected::Fault(fault.clone());
            // Killed, its sender would not know that it has to be waited for.
            let kills = if injected.lands_in_time() { kills } else { 0 };
            tasks.extend(worlds(&injected, kills));
            // Without a kill it is a world all the same.
            tasks.extend((kills == 0).then(|| Task::first(injected)));
        }
        if !single.is_empty() {
            tasks.extend(worlds(&Injected::Storm(single), disturbed));
        }
        number(&mut tasks);
        if let Some(only) = &command.only {
            tasks.retain(|task| task.name() == *only);
            if tasks.is_empty() {
                return Err(CommandError::usage(format!(
                    "the plan has no world `{only}`: give the same --kills, --faults and --seed as before"
                )));
            }
        }
        Ok(Plan {
            kills: tasks.iter().map(|task| task.kills).sum(),
            faults: faults.len(),
            tasks,
        })
    }

    /// How often a child is killed.
    pub(super) fn kills(&self) -> u32 {
        self.kills
    }

    /// How many faults there are.
    pub(super) fn faults(&self) -> usize {
        self.faults
    }
}

/// As many worlds as these kills need.
fn worlds(injected: &Injected, kills: u32) -> impl Iterator<Item = Task> {
    let count = kills.div_ceil(PER_WORLD);
    (0..count).map(move |at| Task {
        injected: injected.clone(),
        place: 0,
        index: at + 1,
        kills: PER_WORLD.min(kills - at * PER_WORLD),
    })
}

/// Tells the kinds' places.
fn number(tasks: &mut [Task]) {
    let mut place = 0;
    for at in 1..tasks.len() {
        if tasks[at].injected != tasks[at - 1].injected {
            place += 1;
        }
        tasks[at].place = place;
    }
}

/// `all` in as equal parts as whole numbers allow.
fn shares(all: u32, parts: usize) -> Vec<u32> {
    let parts = u32::try_from(parts).unwrap_or(u32::MAX).max(1);
    (0..parts)
        .map(|part| all / parts + u32::from(part < all % parts))
        .collect()
}

fn faults(list: &str, asked: &[Route]) -> Result<Vec<Vec<Fault>>, CommandError> {
    let words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
    let mut faults: Vec<Vec<Fault>> = Vec::new();
    for word in words {
        match word {
            "none" => {}
            "all" => {
                let every = Fault::every(asked, PACE.late, PACE.slow);
                faults.extend(every.into_iter().map(|fault| vec![fault]));
                faults.extend(Fault::delays(asked, PACE.late));
                faults.extend(Fault::outlasting(asked, PACE.slowest));
            }
            texts => faults.push(together(texts)?),
        }
    }
    faults.dedup();
    Ok(faults)
}

/// Faults that are in force at once: `auth:429:x3+partners:drop-late:400`.
fn together(texts: &str) -> Result<Vec<Fault>, CommandError> {
    let read = |text: &str| {
        let fault = text.parse::<Fault>();
        let fault = fault.map_err(|error| CommandError::usage(format!("--faults: {error}")))?;
        if matches!(fault.kind, Kind::DropLate(_)) && !lands_in_time(&fault) {
            return Err(CommandError::usage(format!(
                "--faults {text}: under torture a request arrives within {} ms after its connection broke, so its effect may \
                 come {} ms late at most",
                PACE.settle.as_millis(),
                PACE.settle.saturating_sub(MARGIN).as_millis()
            )));
        }
        Ok(fault)
    };
    texts.split('+').map(read).collect()
}

/// Does what it delays land before the window of its request is over, clearly? Later than that a row waits for it, unless
/// the connection broke: nobody promises anything of what lands so late then.
fn lands_in_time(fault: &Fault) -> bool {
    let within = match fault.kind {
        Kind::Slow(_) | Kind::HangLate(_) => PACE.reply + PACE.settle,
        _ => PACE.settle,
    };
    fault.kind.delay().is_none_or(|delay| delay + MARGIN <= within)
}

/// What a busy machine may add.
const MARGIN: Duration = Duration::from_millis(500);
