//! How runs and rows stand, from the journal to the report.

/// A run's status, or a row's, with the word that stands for it.
macro_rules! statuses {
    ($(#[$of:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal, $word:literal;)* }) => {
        $(#[$of])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every status.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// One word, as listings and results show it.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// The number that the database holds. Never reused for another meaning.
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
    /// How far a run is.
    RunStatus {
        /// Recorded, not begun.
        Queued = 0, "queued";
        /// Under way, or its process was killed.
        Running = 1, "running";
        /// Every row is done.
        Done = 2, "done";
        /// Every row has ended, some of them failed.
        Failed = 3, "failed";
        /// At least one row needs a person or a later look-up.
        Parked = 4, "parked";
        /// Stopped by the user or by a stop rule; it can go on.
        Interrupted = 5, "interrupted";
        /// Given up by the user; it does not go on.
        Cancelled = 6, "cancelled";
    }
}

impl RunStatus {
    /// Has it come to an end that `resume` leaves alone?
    pub fn is_finished(self) -> bool {
        matches!(self, RunStatus::Done | RunStatus::Failed | RunStatus::Cancelled)
    }
}

statuses! {
    /// How a row stands.
    RowStatus {
        /// Not finished: waiting, or under way.
        Queued = 0, "queued";
        /// `main` returned.
        Done = 1, "done";
        /// `main` failed, or the row's input does not fit.
        Failed = 2, "failed";
        /// A step is in doubt.
        Parked = 3, "parked";
        /// Not begun, because the run was stopped.
        Skipped = 4, "skipped";
        /// Begun, and stopped between two steps.
        Interrupted = 5, "interrupted";
    }
}

impl RowStatus {
    /// Every status that results have, in the order in which summaries list them.
    pub const REPORTED: [RowStatus; 5] = [
        RowStatus::Done,
        RowStatus::Failed,
        RowStatus::Parked,
        RowStatus::Interrupted,
        RowStatus::Skipped,
    ];

    /// The status as results have it: a row that waits was not begun.
    #[must_use]
    pub fn reported(self) -> RowStatus {
        match self {
            RowStatus::Queued => RowStatus::Skipped,
            status => status,
        }
    }

    /// The status of results with this word.
    pub fn parse(word: &str) -> Option<RowStatus> {
        let mut all = RowStatus::REPORTED.into_iter();
        all.find(|status| status.as_str() == word)
    }
}
