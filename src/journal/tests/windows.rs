//! How long a request may take effect: after a slow response, a kill, a bare success, and with clock changes.

use super::crash::kill;
use super::platform::Does;
use super::*;
use crate::waiting::Wait;

const REPLY: i64 = 30_000;
const CONNECT: i64 = 10_000;
const SETTLE: i64 = 25_000;
/// The margin that the product adds: the maximum age of a stamp when the request leaves.
const FRESH: i64 = 250;
const HOUR: i64 = 3_600_000;

/// Returns a plan to ensure a resource that the platform would create twice.
fn app(name: &str) -> StepPlan {
    with(ensure(name), |change| change.settle = Duration::from_secs(25))
}

fn with(plan: StepPlan, edit: impl FnOnce(&mut Change)) -> StepPlan {
    let StepKind::Change(mut change) = plan.kind else {
        panic!("it only reads");
    };
    edit(&mut change);
    let kind = StepKind::Change(change);
    StepPlan { kind, ..plan }
}

fn is_in_doubt(end: &Result<Output, StepEnd>) -> bool {
    matches!(end, Err(StepEnd::InDoubt { .. }))
}

/// The fixture of a test, on one clock.
struct Setting {
    clock: Clock,
    journal: Journal,
    run: RunLock,
    platform: Platform,
}

fn setting(does: impl IntoIterator<Item = Does>) -> Setting {
    let clock = frozen();
    let journal = in_memory(&clock);
    let run = begin(&journal);
    let platform = Platform::new(&clock, does);
    Setting {
        clock,
        journal,
        run,
        platform,
    }
}

impl Setting {
    async fn step(&self, plan: &StepPlan) -> Result<Output, StepEnd> {
        step(&self.journal, &self.run, "a", plan, &self.platform).await
    }

    /// Returns how often it was carried out, and how often it was sent.
    fn counts(&self) -> (usize, usize) {
        (self.platform.applied("ann"), self.platform.sends().len())
    }

    fn passed(&self) -> i64 {
        self.clock.true_millis() - START
    }
}

#[tokio::test]
async fn a_late_response_within_the_window_counts_without_resending() {
    for takes in [REPLY + 1, 40_000, REPLY + SETTLE - 1] {
        let setting = setting([Does::Slow(takes)]);
        let output = setting.step(&app("ann")).await.unwrap();
        assert_eq!((output.value, output.created), (outcome(1), true), "{takes}");
        assert_eq!(setting.counts(), (1, 1), "{takes}");
        assert_eq!(only_step(&setting.journal, &setting.run).state, StepState::Done);
        assert!(setting.journal.check().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_late_response_to_an_act_without_lookup_counts() {
    let late = setting([Does::Slow(40_000)]);
    let act = with(act("ann"), |change| change.settle = Duration::from_secs(25));
    assert!(late.step(&act).await.unwrap().created);
    let never = setting([Does::Silent(40_000)]);
    assert!(is_in_doubt(&never.step(&act).await));
    assert_eq!((late.counts(), never.counts()), ((1, 1), (1, 1)));
}

#[tokio::test]
async fn an_act_without_lookup_is_in_doubt_once_its_connection_breaks() {
    let act = with(act("ann"), |change| change.settle = Duration::from_secs(25));
    let setting = setting([Does::Breaks(REPLY + 2_000)]);
    assert!(is_in_doubt(&setting.step(&act).await));
    let passed = setting.passed();
    assert!((REPLY + 2_000..REPLY + 8_000).contains(&passed), "{passed}");
}

#[tokio::test]
async fn a_long_lookup_is_announced_once_with_its_deadline_and_reason() {
    let setting = setting([Does::Silent(100_000)]);
    let (told, waits) = std::sync::mpsc::channel();
    setting
        .journal
        .waits()
        .set_listener(move |wait| drop(told.send(wait.clone())));
    assert!(is_in_doubt(&setting.step(&app("ann")).await));
    let waits: Vec<Wait> = waits.try_iter().collect();
    assert_eq!(waits.len(), 1, "{waits:?}");
    assert_eq!(waits[0].what, "looking for tenant ann");
    let until = START + REPLY + SETTLE;
    assert!(
        waits[0]
            .until_ms
            .is_some_and(|at| (until..=until + 2 * FRESH).contains(&at)),
        "{waits:?}"
    );
    assert!(waits[0].reason.contains("not"), "{waits:?}");
    assert_eq!(setting.journal.waits().longest(), None);
}

#[tokio::test]
async fn a_short_lookup_is_not_announced() {
    let setting = setting([Does::Slow(REPLY + 1_000)]);
    setting.journal.waits().set_listener(|wait| panic!("{wait:?}"));
    assert!(setting.step(&app("ann")).await.unwrap().created);
}

#[tokio::test]
async fn a_step_slower_than_its_window_parks_and_resume_settles_it() {
    let setting = setting([Does::Silent(100_000)]);
    let parked = setting.step(&app("ann")).await;
    assert!(is_in_doubt(&parked), "{parked:?}");
    let window = REPLY + SETTLE + FRESH;
    assert!(
        (window..window + 6_000).contains(&setting.passed()),
        "{}",
        setting.passed()
    );
    // A resume long afterwards does not send it again either.
    assert!(is_in_doubt(&setting.step(&app("ann")).await));
    setting.clock.sleep(Duration::from_mins(1)).await;
    assert!(setting.step(&app("ann")).await.unwrap().created);
    assert_eq!(setting.counts(), (1, 1));
}

#[tokio::test]
async fn a_timed_out_request_is_resent_only_with_late_resends_allowed() {
    let lost = || setting([Does::Silent(i64::MAX / 2), Does::Answers]);
    let vouched = with(app("ann"), |change| change.resends_late = true);
    let safe = lost();
    assert!(safe.step(&vouched).await.unwrap().created);
    let sends = safe.platform.sends();
    assert_eq!(
        sends.iter().map(|(_, earlier)| *earlier).collect::<Vec<_>>(),
        [false, true]
    );
    assert!(sends[1].0 - sends[0].0 >= REPLY + SETTLE);
    // The user vouches only after the step has parked.
    let later = lost();
    assert!(is_in_doubt(&later.step(&app("ann")).await));
    assert_eq!(later.platform.sends().len(), 1);
    assert!(later.step(&vouched).await.unwrap().created);
}

#[tokio::test]
async fn a_success_without_content_is_looked_up_and_never_resent() {
    let lags = |takes| setting([Does::SaysYes(takes), Does::Answers]);
    let soon = lags(SETTLE - 1);
    assert!(soon.step(&app("ann")).await.unwrap().created);
    let later = lags(40_000);
    let vouched = with(app("ann"), |change| change.resends_late = true);
    assert!(is_in_doubt(&later.step(&vouched).await));
    assert!(is_in_doubt(&later.step(&vouched).await));
    later.clock.sleep(Duration::from_secs(40)).await;
    assert!(later.step(&vouched).await.unwrap().created);
    assert_eq!((soon.counts(), later.counts()), ((1, 1), (1, 1)));
}

#[tokio::test]
async fn a_rate_limited_request_is_looked_up_before_it_is_resent() {
    let honest = setting([Does::PutsOff, Does::PutsOff, Does::Answers]);
    assert!(honest.step(&app("ann")).await.unwrap().created);
    let counted = setting([Does::PutsOffAfter, Does::Answers]);
    assert!(counted.step(&app("ann")).await.unwrap().created);
    assert_eq!((honest.counts(), counted.counts()), ((1, 3), (1, 1)));
    assert_eq!(honest.passed(), 0, "a window is not waited for");
    let busy = setting([Does::PutsOff; 9]);
    assert!(matches!(busy.step(&app("ann")).await, Err(StepEnd::Failed(_))));
    assert_eq!(busy.counts(), (0, 5));
    assert!(
        busy.journal
            .steps(busy.run.id(), &StepFilter::All)
            .unwrap()
            .is_empty()
    );
}

/// The journal of a process that was killed once its request had left, and its run.
struct Killed {
    clock: Clock,
    platform: Platform,
    path: std::path::PathBuf,
    id: RunId,
    _folder: tempfile::TempDir,
}

async fn killed(does: impl IntoIterator<Item = Does>) -> Killed {
    let folder = tempfile::tempdir().unwrap();
    let (path, image) = (folder.path().join("journal.db"), folder.path().join("image.db"));
    let clock = frozen();
    let platform = Platform::new(&clock, does);
    let id = kill(&path, &image, &clock, Boundary::AfterSend, &platform).await;
    Killed {
        clock,
        platform,
        path: image,
        id,
        _folder: folder,
    }
}

impl Killed {
    async fn resume(&self) -> Result<Output, StepEnd> {
        let journal = in_file(&self.path, &self.clock);
        let run = journal.lock_run(&self.id).unwrap();
        step(&journal, &run, "a", &ensure("ann"), &self.platform).await
    }

    fn counts(&self) -> (usize, usize) {
        (self.platform.applied("ann"), self.platform.sends().len())
    }
}

/// The settle time of [`ensure`].
const TENANT_SETTLE: i64 = 90_000;

#[tokio::test]
async fn after_a_kill_the_settle_window_includes_the_senders_full_timeout() {
    let longest = CONNECT + REPLY + TENANT_SETTLE;
    for lands in [TENANT_SETTLE + 1, longest - 1, longest] {
        let killed = killed([Does::LandsLate(lands), Does::Answers]).await;
        assert!(killed.resume().await.unwrap().created, "{lands}");
        assert_eq!(killed.counts(), (1, 1), "{lands}");
    }
}

#[tokio::test]
async fn a_request_lost_in_a_kill_is_resent_after_the_window() {
    let killed = killed([Does::DropsBefore, Does::Answers]).await;
    assert!(killed.resume().await.unwrap().created);
    let sends = killed.platform.sends();
    assert!(sends[1].0 - sends[0].0 >= CONNECT + REPLY + TENANT_SETTLE);
    assert_eq!(killed.counts(), (1, 2));
}

#[tokio::test]
async fn a_wall_clock_change_does_not_change_the_settle_window() {
    let jumps = [HOUR, -HOUR, 400 * 24 * HOUR, -400 * 24 * HOUR];
    for (by_ms, while_looking) in jumps
        .into_iter()
        .flat_map(|by_ms| [(by_ms, false), (by_ms, true)])
    {
        for does in [Does::LandsLate(SETTLE - 1), Does::DropsBefore, Does::Slow(40_000)] {
            let case = format!("{by_ms} {while_looking} {does:?}");
            let mut setting = setting([does, Does::Answers]);
            if while_looking {
                setting.platform = setting.platform.clock_set_by(by_ms);
            } else {
                let clock = setting.clock.clone();
                setting.journal.on_boundary(move |boundary| {
                    if boundary == Boundary::AfterSend {
                        clock.set(by_ms);
                    }
                });
            }
            assert!(setting.step(&app("ann")).await.unwrap().created, "{case}");
            assert_eq!(setting.platform.applied("ann"), 1, "{case}");
            assert!(setting.passed() < REPLY + SETTLE + 6_000, "{case}");
        }
    }
}

#[tokio::test]
async fn a_wall_clock_change_between_kill_and_resume_has_no_effect() {
    let longest = CONNECT + REPLY + TENANT_SETTLE;
    for by_ms in [HOUR, -HOUR, -400 * 24 * HOUR] {
        for does in [Does::LandsLate(longest - 1), Does::DropsBefore] {
            let killed = killed([does, Does::Answers]).await;
            killed.clock.set(by_ms);
            assert!(killed.resume().await.unwrap().created, "{by_ms} {does:?}");
            assert_eq!(killed.platform.applied("ann"), 1, "{by_ms} {does:?}");
            let passed = killed.clock.true_millis() - START;
            assert!(passed < longest + 6_000, "{by_ms} {does:?}: {passed}");
        }
    }
}

#[tokio::test]
async fn after_a_reboot_the_whole_settle_window_is_waited_for() {
    let longest = CONNECT + REPLY + TENANT_SETTLE;
    for by_ms in [0, HOUR, -HOUR] {
        let killed = killed([Does::LandsLate(longest), Does::Answers]).await;
        killed.clock.sleep(Duration::from_secs(1)).await;
        killed.clock.reboot();
        killed.clock.set(by_ms);
        assert!(killed.resume().await.unwrap().created, "{by_ms}");
        assert_eq!(killed.counts(), (1, 1), "{by_ms}");
        let lost = killed_and_rebooted(by_ms).await;
        let sends = lost.platform.sends();
        assert!(sends[1].0 - sends[0].0 >= 1_000 + longest, "{by_ms}");
        assert!(
            sends[1].0 - sends[0].0 < longest + 7_000,
            "{by_ms}: it is not waited for ever"
        );
    }
}

async fn killed_and_rebooted(by_ms: i64) -> Killed {
    let killed = killed([Does::DropsBefore, Does::Answers]).await;
    killed.clock.sleep(Duration::from_secs(1)).await;
    killed.clock.reboot();
    killed.clock.set(by_ms);
    assert!(killed.resume().await.unwrap().created);
    killed
}

#[tokio::test]
async fn a_step_in_doubt_before_a_reboot_restarts_its_window() {
    let lost = killed([Does::LandsLate(5 * HOUR), Does::Answers]).await;
    let journal = in_file(&lost.path, &lost.clock);
    let run = journal.lock_run(&lost.id).unwrap();
    let row = journal.open_row(&run, 0, "a", false).unwrap();
    let (plan, cancel) = (ensure("ann"), CancellationToken::new());
    cancel.cancel();
    let stopped = row.step(&plan, &lost.platform.attempt(&plan), &cancel).await;
    assert!(stopped.is_err());
    drop((row, run, journal));
    lost.clock.reboot();
    let before = lost.clock.true_millis();
    assert!(lost.resume().await.unwrap().created);
    let again = lost.platform.sends()[1].0;
    assert!(
        again - before >= CONNECT + REPLY + TENANT_SETTLE,
        "{}",
        again - before
    );
}

#[tokio::test]
async fn steps_of_journal_version_1_wait_for_the_operations_full_window() {
    let longest = CONNECT + REPLY + TENANT_SETTLE;
    for does in [Does::LandsLate(longest), Does::DropsBefore] {
        let killed = killed([does, Does::Answers]).await;
        let file = rusqlite::Connection::open(&killed.path).unwrap();
        let unknown = "update step set waits_ms = null, boot = null, boot_ms = null, loss = null";
        assert_eq!(file.execute(unknown, []).unwrap(), 1);
        drop(file);
        assert!(killed.resume().await.unwrap().created, "{does:?}");
        let sends = killed.platform.sends();
        assert_eq!(killed.platform.applied("ann"), 1, "{does:?}");
        assert!(
            sends.iter().skip(1).all(|(at, _)| at - START >= longest),
            "{does:?}"
        );
    }
}

#[tokio::test]
async fn every_secret_result_is_on_disk_before_the_script_sees_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, image) = (folder.path().join("journal.db"), folder.path().join("image.db"));
    let clock = frozen();
    let journal = in_file(&path, &clock);
    let run = begin(&journal);
    let platform = Platform::new(&clock, [Does::Answers]);
    // This plan does not declare that its outcome is returned only once.
    let output = step(&journal, &run, "a", &app("ann"), &platform).await.unwrap();
    super::crash::copy(&path, &image);
    let copied = in_file(&image, &clock);
    let held = copied.ledger_get(&tenant("ann")).unwrap().map(|item| item.value);
    assert_eq!(held, Some(output.value));
}
