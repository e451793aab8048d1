//! Deliberate faults that a build can enable one at a time; `tests/sabotage.sh` shows that some test detects each of
//! them.
//!
//! Only a build with the feature `sabotage` can enable one, with `SABOTAGE=name` in its environment. In any other build
//! each check is a constant and compiles to nothing.

/// Declares the faults and their names.
macro_rules! sabotages {
    ($($(#[$doc:meta])* $fault:ident = $name:literal,)*) => {
        /// A deliberate fault.
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
    /// The in-doubt window of a request is half as long.
    WindowHalved = "window-halved",
    /// A resource that a lookup finds counts as absent.
    LookUpIgnored = "look-up-ignored",
    /// An inconclusive lookup counts as absent.
    UnknownIsAbsent = "unknown-is-absent",
    /// Only the time of day decides whether a window is over.
    WallClock = "wall-clock",
    /// A request leaves without a fresh stamp.
    StampNotRenewed = "stamp-not-renewed",
    /// A resource is created even though another step holds the claim on it.
    ClaimSkipped = "claim-skipped",
    /// The claim of a running run is treated as that of a dead one.
    LivingTakenForDead = "living-taken-for-dead",
    /// A request is resent if its resource is absent after a late response.
    SentAgainWhenLate = "sent-again-when-late",
    /// A request is resent if its resource is absent after a success response without a body.
    SentAgainAfterYes = "sent-again-after-yes",
    /// A request that the platform defers is resent without a lookup.
    SentAgainWhenPutOff = "sent-again-when-put-off",
    /// The script continues before the outcome is on disk.
    OutcomeLater = "outcome-later",
    /// A resume ignores the recorded steps.
    RecordForgotten = "record-forgotten",
    /// A created resource is not inserted into the ledger.
    LedgerNotWritten = "ledger-not-written",
    /// Acts of earlier runs are not remembered.
    ActsForgotten = "acts-forgotten",
    /// A row that leaves a step open counts as done.
    LeftOpenIsDone = "left-open-is-done",
    /// A process may write for a run that another one has taken over.
    EpochIgnored = "epoch-ignored",
    /// Two processes may execute the same run.
    RunNotLocked = "run-not-locked",
    /// The rows in progress when a process dies are not counted.
    DeathsNotCounted = "deaths-not-counted",
    /// The write-ahead log is not checkpointed into the database.
    LogNotFolded = "log-not-folded",
    /// Values are written to the journal unencrypted.
    SealOff = "seal-off",
    /// A sealed value can be opened at any place.
    PlaceNotBound = "place-not-bound",
    /// A change is repeated without a lookup after its response was lost.
    ChangeRepeated = "change-repeated",
    /// A secret may go to any host.
    OriginIgnored = "origin-ignored",
    /// A response that repeats a secret is given to the script as plain text.
    EchoInClear = "echo-in-clear",
    /// Messages are not scrubbed of secrets.
    RedactionOff = "redaction-off",
    /// Anything may be changed on a master account.
    App1Open = "app-1-open",
    /// A list that was read once is never updated.
    ListNotReadOn = "list-not-read-on",
    /// The timeout of a call is part of the identity of its step.
    TimeoutIsIdentity = "timeout-is-identity",
    /// A key of `http::` identifies the same resource on every path.
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
    /// A library may call any operation.
    LibraryActs = "library-acts",
    /// An interrupted run replaces the results of an earlier one.
    ResultsReplaced = "results-replaced",
}

impl Sabotage {
    /// Whether this process has the fault enabled.
    #[cfg(feature = "sabotage")]
    pub(crate) fn is_on(self) -> bool {
        use std::sync::LazyLock;
        static CHOSEN: LazyLock<Option<Sabotage>> = LazyLock::new(|| {
            #[allow(
                clippy::disallowed_methods,
                reason = "the fault is chosen when the program starts"
            )]
            let name = std::env::var("SABOTAGE").ok()?;
            Sabotage::named(&name)
        });
        *CHOSEN == Some(self)
    }

    /// Always `false`: this build has no faults.
    #[cfg(not(feature = "sabotage"))]
    pub(crate) const fn is_on(self) -> bool {
        let _ = self;
        false
    }
}
