//! The statuses of rows and runs.

use crate::operation::explain::Explanation;

/// Every status of a row or a run.
pub(super) const ALL: &[Explanation] = &[
    Explanation {
        code: "queued",
        meaning: "The row or run is recorded and has not started.",
        causes: &["other rows are before it", "the process ended before its turn"],
        remedies: &["provisor resume starts it"],
        example: "provisor resume",
    },
    Explanation {
        code: "running",
        meaning: "The run is in progress, or its process was killed.",
        causes: &[
            "a process is working on it",
            "the machine or the process stopped in the middle",
        ],
        remedies: &["provisor resume continues it, unless a process is working on it"],
        example: "provisor runs list",
    },
    Explanation {
        code: "done",
        meaning: "The row's `main` returned; for a run: every row is done.",
        causes: &["everything succeeded"],
        remedies: &["nothing is left to do"],
        example: "provisor runs show RUN",
    },
    Explanation {
        code: "failed",
        meaning: "The row failed for a known reason; for a run: every row has ended, and some failed.",
        causes: &[
            "an operation or the script failed",
            "the row's input does not fit the script's parameters",
        ],
        remedies: &[
            "read `_error` in the results",
            "provisor resume RUN --retry-failed retries it",
        ],
        example: "provisor resume RUN --retry-failed",
    },
    Explanation {
        code: "parked",
        meaning: "The row needs a decision or a later look-up: its last step is in doubt, and is not sent again on its own.",
        causes: &["see in_doubt"],
        remedies: &[
            "provisor resume looks it up again",
            "provisor resolve records the outcome of the step",
        ],
        example: "provisor resolve RUN STEP --as absent",
    },
    Explanation {
        code: "skipped",
        meaning: "The run was stopped before the row started.",
        causes: &["--stop-after was reached", "the run was interrupted"],
        remedies: &["provisor resume starts it"],
        example: "provisor resume",
    },
    Explanation {
        code: "interrupted",
        meaning: "The run was stopped, by its user or by a stop rule, and can be resumed. A row was started, and stopped \
                  between two steps; its steps until then are recorded, and no request is in progress.",
        causes: &["Ctrl-C", "--stop-after was reached"],
        remedies: &["provisor resume continues where it stopped, and repeats nothing"],
        example: "provisor resume",
    },
    Explanation {
        code: "cancelled",
        meaning: "The run was abandoned with `provisor cancel` and cannot be resumed.",
        causes: &["someone ran provisor cancel"],
        remedies: &["run the script again; existing objects are returned as `unchanged`"],
        example: "provisor runs show RUN",
    },
];
