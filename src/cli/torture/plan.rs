//! Plans what is injected: worlds in which the child is killed, and worlds in which the platform also misbehaves.

use std::time::Duration;

use fastrand::Rng;

use super::TortureCommand;
use super::harness::TIMINGS;
use super::kill_switch::KillPoint;
use crate::cli::error::CommandError;
use crate::sandbox::fault::{EXPIRE_TOKEN, Fault, Response, Route};

/// The disturbance in one kind of world.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Disturbance {
    /// Nothing.
    Nothing,
    /// The child is killed at this moment.
    Kill(KillPoint),
    /// The child is killed after random times.
    KillAnyTime,
    /// The platform has one or several faults, and the child is killed as well.
    Fault(Vec<Fault>),
    /// The platform has many of these faults at once, and the child is killed as well.
    Storm(Vec<Fault>),
}

/// The number of faults in a storm.
const STORM_FAULTS: usize = 8;

impl Disturbance {
    /// The name in tables and in `--only`.
    pub(super) fn name(&self) -> String {
        match self {
            Disturbance::Nothing => "nothing".to_owned(),
            Disturbance::Kill(moment) => moment.name().to_owned(),
            Disturbance::KillAnyTime => "any-time".to_owned(),
            Disturbance::Fault(faults) => {
                let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
                texts.join("+")
            }
            Disturbance::Storm(_) => "storm".to_owned(),
        }
    }

    /// Whether the platform misbehaves.
    pub(super) fn is_fault(&self) -> bool {
        matches!(self, Disturbance::Fault(_) | Disturbance::Storm(_))
    }

    /// Whether all effects land before the settle window of their requests ends.
    pub(super) fn lands_in_time(&self) -> bool {
        match self {
            Disturbance::Fault(faults) | Disturbance::Storm(faults) => faults.iter().all(lands_in_time),
            Disturbance::Nothing | Disturbance::Kill(_) | Disturbance::KillAnyTime => true,
        }
    }

    /// The faults of the sandbox. Each is limited, so that every run can finish.
    pub(super) fn faults(&self, seed: u64) -> Vec<Fault> {
        match self {
            Disturbance::Fault(own) => {
                let mut faults: Vec<Fault> = own.iter().flat_map(limited).collect();
                if own.iter().any(|fault| fault.route == Route::REFRESH) {
                    faults.extend(token_expiry_faults());
                }
                faults
            }
            Disturbance::Storm(all) => {
                let mut rng = Rng::with_seed(seed);
                let some = (0..STORM_FAULTS).map(|_| Fault {
                    rate: 0.2 + 0.6 * rng.f64(),
                    limit: Some(rng.u32(1..=3)),
                    ..all[rng.usize(..all.len())]
                });
                some.collect()
            }
            Disturbance::Nothing | Disturbance::Kill(_) | Disturbance::KillAnyTime => Vec::new(),
        }
    }
}

/// Limits a fault without a limit: it hits the first request and, at random, three more.
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

/// Token expiries, without which tokens are never refreshed.
fn token_expiry_faults() -> impl Iterator<Item = Fault> {
    [Route::PARTNERS, Route::APPLICATIONS_POST]
        .into_iter()
        .map(|route| Fault {
            limit: Some(2),
            ..Fault::of(route, EXPIRE_TOKEN)
        })
}

/// One world to create.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) injected: Disturbance,
    /// The position of its kind in the plan.
    pub(super) place: usize,
    /// The number of the world within its kind, from 1.
    pub(super) index: u32,
    /// How often the child is killed, if it does not finish earlier.
    pub(super) kills: u32,
    /// How long the last child of its predecessor took, which ended before its kill. A world of the plan has none.
    pub(super) lifetime: Option<Duration>,
}

impl Task {
    /// A world without disturbance.
    pub(super) fn undisturbed(index: u32) -> Task {
        Task {
            injected: Disturbance::Nothing,
            place: 0,
            index,
            kills: 0,
            lifetime: None,
        }
    }

    fn first(injected: Disturbance) -> Task {
        Task {
            injected,
            ..Task::undisturbed(1)
        }
    }

    /// The world's name, such as `after-intent/3`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.injected.name(), self.index)
    }

    /// The number of predecessors that passed their unspent kills on to this world.
    fn followed(&self) -> u32 {
        self.index / MAX_ENVIRONMENTS
    }

    /// The world that spends this one's unspent kills. The chain is limited: a script without steps passes no boundary.
    /// At a random time some child is killed sooner or later, however busy the machine is. `lifetime` is how long this
    /// world's last child took.
    pub(super) fn next(&self, spent: u32, lifetime: Duration) -> Option<Task> {
        let kills = self.kills.saturating_sub(spent);
        let followed = self.followed();
        let goes_on = kills > 0
            && (followed < 2
                || (followed < MAX_FOLLOWERS && (spent > 0 || self.injected == Disturbance::KillAnyTime)))
            && !matches!(self.injected, Disturbance::Nothing | Disturbance::Fault(_));
        goes_on.then(|| Task {
            injected: self.injected.clone(),
            place: self.place,
            // Distinct from the indices in the plan.
            index: self.index + MAX_ENVIRONMENTS,
            kills,
            lifetime: Some(lifetime),
        })
    }
}

/// The maximum number of kills in one world: enough that they interact, and few enough that rows still finish.
const KILLS_PER_ENVIRONMENT: u32 = 8;

/// The offset of follow-up indices; reaching it would take a hundred thousand kills of one kind.
const MAX_ENVIRONMENTS: u32 = 100_000;

/// The maximum number of follow-up worlds for one world of the plan.
const MAX_FOLLOWERS: u32 = 50;

/// The complete plan.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) tasks: Vec<Task>,
    kills: u32,
    faults: usize,
}

impl Plan {
    /// Distributes the kills: two fifths at journal boundaries, one fifth at random times, one fifth with a single
    /// fault, and one fifth with many. Without faults, all are of the first two kinds. `routes` are the routes that the
    /// script uses: `all` faults are those that can hit them.
    pub(super) fn new(command: &TortureCommand, routes: &[Route]) -> Result<Plan, CommandError> {
        let faults = faults(&command.faults, routes)?;
        let in_time = faults.iter().flatten().filter(|fault| lands_in_time(fault));
        let single: Vec<Fault> = in_time.copied().collect();
        let fifth = command.kills / 5;
        let disturbed = if faults.is_empty() { 0 } else { fifth };
        let any_time = (command.kills - 2 * disturbed) / 3;
        let exact = command.kills - 2 * disturbed - any_time;
        let moments: Vec<KillPoint> = KillPoint::all().collect();
        let mut tasks = Vec::new();
        for (moment, kills) in moments.iter().zip(shares(exact, moments.len())) {
            tasks.extend(worlds(&Disturbance::Kill(*moment), kills));
        }
        tasks.extend(worlds(&Disturbance::KillAnyTime, any_time));
        for (fault, kills) in faults.iter().zip(shares(disturbed, faults.len())) {
            let injected = Disturbance::Fault(fault.clone());
            // A killed sender would not know that it has to wait for the effect.
            let kills = if injected.lands_in_time() { kills } else { 0 };
            tasks.extend(worlds(&injected, kills));
            // It is tested even without kills.
            tasks.extend((kills == 0).then(|| Task::first(injected)));
        }
        if !single.is_empty() {
            tasks.extend(worlds(&Disturbance::Storm(single), disturbed));
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

    /// The total number of kills.
    pub(super) fn kills(&self) -> u32 {
        self.kills
    }

    /// The number of faults.
    pub(super) fn faults(&self) -> usize {
        self.faults
    }
}

/// The worlds that are needed for this number of kills.
fn worlds(injected: &Disturbance, kills: u32) -> impl Iterator<Item = Task> {
    let count = kills.div_ceil(KILLS_PER_ENVIRONMENT);
    (0..count).map(move |at| Task {
        injected: injected.clone(),
        place: 0,
        index: at + 1,
        kills: KILLS_PER_ENVIRONMENT.min(kills - at * KILLS_PER_ENVIRONMENT),
        lifetime: None,
    })
}

/// Numbers the kinds of worlds.
fn number(tasks: &mut [Task]) {
    let mut place = 0;
    for at in 1..tasks.len() {
        if tasks[at].injected != tasks[at - 1].injected {
            place += 1;
        }
        tasks[at].place = place;
    }
}

/// Divides `all` into parts as equal as possible.
fn shares(all: u32, parts: usize) -> Vec<u32> {
    let parts = u32::try_from(parts).unwrap_or(u32::MAX).max(1);
    (0..parts)
        .map(|part| all / parts + u32::from(part < all % parts))
        .collect()
}

fn faults(list: &str, routes: &[Route]) -> Result<Vec<Vec<Fault>>, CommandError> {
    let words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
    let mut faults: Vec<Vec<Fault>> = Vec::new();
    for word in words {
        match word {
            "none" => {}
            "all" => {
                let every = Fault::every(routes, TIMINGS.late, TIMINGS.slow);
                faults.extend(every.into_iter().map(|fault| vec![fault]));
                faults.extend(Fault::delays(routes, TIMINGS.late));
                faults.extend(Fault::timeout_faults(routes, TIMINGS.slowest));
            }
            texts => faults.push(parse_combined_faults(texts)?),
        }
    }
    faults.dedup();
    Ok(faults)
}

/// Parses faults that apply at the same time: `auth:429:x3+partners:drop-late:400`.
fn parse_combined_faults(texts: &str) -> Result<Vec<Fault>, CommandError> {
    let read = |text: &str| {
        let fault = text.parse::<Fault>();
        let fault = fault.map_err(|error| CommandError::usage(format!("--faults: {error}")))?;
        if fault.kind.response == Response::Dropped && !lands_in_time(&fault) {
            return Err(CommandError::usage(format!(
                "--faults {text}: under torture a request arrives within {} ms after its connection broke, so its effect may \
                 come {} ms late at most",
                TIMINGS.settle.as_millis(),
                TIMINGS.settle.saturating_sub(MARGIN).as_millis()
            )));
        }
        Ok(fault)
    };
    texts.split('+').map(read).collect()
}

/// Whether a delayed effect lands clearly before its request's settle window ends. A row waits for a later effect
/// unless the connection broke: then nothing is guaranteed about an effect that late.
fn lands_in_time(fault: &Fault) -> bool {
    let within = if fault.kind.keeps_waiting() {
        TIMINGS.reply + TIMINGS.settle
    } else {
        TIMINGS.settle
    };
    !fault.kind.has_delay() || fault.delay + MARGIN <= within
}

/// The delay that a busy machine may add.
const MARGIN: Duration = Duration::from_millis(500);
