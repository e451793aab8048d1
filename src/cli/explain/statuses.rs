//! How rows and runs stand, in one word each.

use crate::ops::explain::Explanation;

/// Every status of a row or a run.
pub(super) const ALL: &[Explanation] = &[
    Explanation {
        code: "queued",
        meaning: "The row or run is recorded and has not begun.",
        causes: &[
            "other rows are before it",
            "the process ended before it was its turn",
        ],
        remedies: &["provisor resume begins it"],
        example: "provisor resume",
    },
    Explanation {
        code: "running",
        meaning: "The run is under way, or its process was killed.",
        causes: &[
            "a process works on it",
            "the machine or the process stopped in the middle",
        ],
        remedies: &["provisor resume goes on with it; while a process works on it, that is refused"],
        example: "provisor runs list",
    },
    Explanation {
        code: "done",
        meaning: "The row's `main` returned; of a run, every row did.",
        causes: &["all went well"],
        remedies: &["nothing is left to do"],
        example: "provisor runs show RUN",
    },
    Explanation {
        code: "failed",
        meaning: "The row failed, and why is known; of a run, every row has ended and some failed.",
        causes: &[
            "an operation or the script failed",
            "the row's input does not fit the script's parameters",
        ],
        remedies: &[
            "read `_error` in the results",
            "provisor resume RUN --retry-failed tries again",
        ],
        example: "provisor resume RUN --retry-failed",
    },
    Explanation {
        code: "parked",
        meaning: "The row cannot go on without a person or a later look-up: its last step is in doubt. Nothing of it is \
                  sent again by itself.",
        causes: &["see in_doubt"],
        remedies: &[
            "provisor resume looks it up again",
            "provisor resolve records the outcome of the step",
        ],
        example: "provisor resolve RUN STEP --as absent",
    },
    Explanation {
        code: "skipped",
        meaning: "The run was stopped before it was the row's turn, so that the row was not begun.",
        causes: &["--stop-after was reached", "the run was interrupted"],
        remedies: &["provisor resume begins it"],
        example: "provisor resume",
    },
    Explanation {
        code: "interrupted",
        meaning: "The run was stopped, by its user or by a stop rule, and can go on. Of a row: it was begun, and stopped \
                  between two steps; what it did until then is on record, and no request of it is under way.",
        causes: &["Ctrl-C", "--stop-after was reached"],
        remedies: &["provisor resume goes on where it stopped, without doing anything a second time"],
        example: "provisor resume",
    },
    Explanation {
        code: "cancelled",
        meaning: "The run was given up with `provisor cancel` and does not go on.",
        causes: &["somebody gave it up"],
        remedies: &["run the script again; what exists is given back as `unchanged`"],
        example: "provisor runs show RUN",
    },
];
