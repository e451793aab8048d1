//! The statuses of runs and rows, used from the journal to the report.

/// Defines the status of a run or a row, each with its name.
macro_rules! statuses {
    ($(#[$of:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal, $word:literal;)* }) => {
        $(#[$of])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every status.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// Returns the name shown in listings and results.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// Returns the number stored in the database. Never reused for another meaning.
            pub(crate) fn code(self) -> i64 {
                match self { $($name::$variant => $code,)* }
            }

            pub(crate) fn from_code(code: i64) -> Option<$name> {
                $name::ALL.iter().copied().find(|status| status.code() == code)
            }
        }
    };
}

statuses! {
    /// The status of a run.
    RunStatus {
        /// Recorded, not started.
        Queued = 0, "queued";
        /// In progress, or its process was killed.
        Running = 1, "running";
        /// Every row is done.
        Done = 2, "done";
        /// Every row has ended, and some failed.
        Failed = 3, "failed";
        /// At least one row needs a person or a later lookup.
        Parked = 4, "parked";
        /// Stopped by the user or by a stop rule; it can continue.
        Interrupted = 5, "interrupted";
        /// Cancelled by the user; it does not continue.
        Cancelled = 6, "cancelled";
    }
}

impl RunStatus {
    /// Whether the run is finished, so that `resume` leaves it alone.
    pub fn is_finished(self) -> bool {
        matches!(self, RunStatus::Done | RunStatus::Failed | RunStatus::Cancelled)
    }
}

statuses! {
    /// The status of a row.
    RowStatus {
        /// Not finished: waiting, or in progress.
        Queued = 0, "queued";
        /// `main` returned.
        Done = 1, "done";
        /// `main` failed, or the row's input does not fit.
        Failed = 2, "failed";
        /// A step is in doubt.
        Parked = 3, "parked";
        /// Not started, because the run was stopped.
        Skipped = 4, "skipped";
        /// Started, and stopped between two steps.
        Interrupted = 5, "interrupted";
    }
}

impl RowStatus {
    /// The statuses that appear in results, in the order in which summaries list them.
    pub const REPORTED: [RowStatus; 5] = [
        RowStatus::Done,
        RowStatus::Failed,
        RowStatus::Parked,
        RowStatus::Interrupted,
        RowStatus::Skipped,
    ];

    /// Returns the status for results: a waiting row was not started.
    #[must_use]
    pub fn reported(self) -> RowStatus {
        match self {
            RowStatus::Queued => RowStatus::Skipped,
            status => status,
        }
    }

    /// Parses the name of a status from results.
    pub fn parse(word: &str) -> Option<RowStatus> {
        let mut all = RowStatus::REPORTED.into_iter();
        all.find(|status| status.as_str() == word)
    }
}
