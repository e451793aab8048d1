//! Faults that a build can be given on purpose, one at a time: `tests/sabotage.sh` shows that a test notices each of them.
//!
//! Only a build with the feature `sabotage` can be given one, by `SABOTAGE=name` in its environment. In every other build each
//! question is a constant, and nothing of this is left.

/// Declares the faults and their names.
macro_rules! sabotages {
    ($($(#[$doc:meta])* $fault:ident = $name:literal,)*) => {
        /// One fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Sabotage {
            $($(#[$doc])* $fault,)*
        }

        #[cfg(feature = "sabotage")]
        impl Sabotage {
            fn named(name: &str) -> Option<Sabotage> {
                match name {
                    $($name => Some(Sabotage::$fault),)*
                    _ => None,
                }
            }
        }
    };
}

sabotages! {
    /// A request leaves before its intent is on disk.
    IntentLater = "intent-later",
    /// The database does not wait for the disk.
    NotSynced = "not-synced",
    /// The window of a request is half as long.
    WindowHalved = "window-halved",
    /// What a look-up finds counts as absent.
    LookUpIgnored = "look-up-ignored",
    /// A look-up that cannot tell counts as absent.
    UnknownIsAbsent = "unknown-is-absent",
    /// The time of day alone tells whether a window is over.
    WallClock = "wall-clock",
    /// A request leaves without a fresh stamp.
    StampNotRenewed = "stamp-not-renewed",
    /// A thing is created though another step has the claim on it.
    ClaimSkipped = "claim-skipped",
    /// The claim of a living run is taken for that of a dead one.
    LivingTakenForDead = "living-taken-for-dead",
    /// What is absent after a late answer is sent again.
    SentAgainWhenLate = "sent-again-when-late",
    /// What is absent after a yes without content is sent again.
    SentAgainAfterYes = "sent-again-after-yes",
    /// What the platform puts off is sent again without a look-up.
    SentAgainWhenPutOff = "sent-again-when-put-off",
    /// The script goes on before the outcome is on disk.
    OutcomeLater = "outcome-later",
    /// A resume does not know the recorded steps.
    RecordForgotten = "record-forgotten",
    /// A created thing is not entered in the ledger.
    LedgerNotWritten = "ledger-not-written",
    /// Acts of earlier runs are not remembered.
    ActsForgotten = "acts-forgotten",
    /// A row that leaves a step open is done.
    LeftOpenIsDone = "left-open-is-done",
    /// Two processes may carry one run out.
    RunNotLocked = "run-not-locked",
    /// The rows under way at the death of a process are not counted.
    DeathsNotCounted = "deaths-not-counted",
    /// The log is not folded into the database.
    LogNotFolded = "log-not-folded",
    /// Values are written to the journal in clear.
    SealOff = "seal-off",
    /// A sealed value opens at any place.
    PlaceNotBound = "place-not-bound",
    /// A change is repeated after its answer was lost, without a look-up.
    ChangeRepeated = "change-repeated",
    /// A secret may go to any host.
    OriginIgnored = "origin-ignored",
    /// An answer that repeats a secret is given to the script as text.
    EchoInClear = "echo-in-clear",
    /// Messages are not scrubbed of secrets.
    RedactionOff = "redaction-off",
    /// Anything may be changed on a master account.
    App1Open = "app-1-open",
    /// A list that was read once is never read on.
    ListNotReadOn = "list-not-read-on",
    /// The timeout of a call is part of the identity of its step.
    TimeoutIsIdentity = "timeout-is-identity",
    /// A key of `http::` means the same on every path.
    KeyWithoutPath = "key-without-path",
    /// A run with parked rows exits with 0.
    ParkedIsFinished = "parked-is-finished",
    /// A read-only profile may change its account.
    ReadOnlyOff = "read-only-off",
    /// Every project file is trusted.
    EveryFileTrusted = "every-file-trusted",
    /// Control characters reach the terminal.
    ControlsInClear = "controls-in-clear",
    /// A native function may take any amount of memory.
    MemoryUnbounded = "memory-unbounded",
    /// Values may be nested to any depth.
    NestingUnbounded = "nesting-unbounded",
    /// An interrupted run replaces the results of an earlier one.
    ResultsReplaced = "results-replaced",
}

impl Sabotage {
    /// Does this process have the fault?
    #[cfg(feature = "sabotage")]
    pub(crate) fn is_on(self) -> bool {
        use std::sync::LazyLock;
        static CHOSEN: LazyLock<Option<Sabotage>> = LazyLock::new(|| {
            let name = std::env::var("SABOTAGE").ok()?;
            Sabotage::named(&name)
        });
        *CHOSEN == Some(self)
    }

    /// Does this process have the fault? Never: it was built without them.
    #[cfg(not(feature = "sabotage"))]
    pub(crate) const fn is_on(self) -> bool {
        let _ = self;
        false
    }
}
