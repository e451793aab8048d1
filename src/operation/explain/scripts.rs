//! The codes that do not come from operations: mistakes in scripts, and errors that scripts throw.

use super::Explanation;

/// The kinds of failures of scripts themselves.
pub(super) const KINDS: &[Explanation] = &[
    Explanation {
        code: "script_error",
        meaning: "The script does something that the language does not allow: it uses a name that does not exist, a value \
                  of the wrong type or an index past the end. A script can catch the error, but it is usually a mistake.",
        causes: &[
            "a variable, function, property or module is misspelled",
            "a look-up returned `()`, and the script reads a property of it",
            "a function uses a variable that was declared outside of it",
        ],
        remedies: &[
            "go to the line shown, and read the hint below it",
            "read a key that may be missing with `get_or(\"key\", default)`",
        ],
        example: "let answer = #{name: \"Ann\"};\nprint(answer.get_or(\"phone\", \"none\"));",
    },
    Explanation {
        code: "out_of_memory",
        meaning: "While the script ran, the program exceeded the memory limit for scripts: 1 GiB, unless `--max-memory` \
                  sets another. The script is stopped and cannot catch this; what it did on platforms is recorded. A call \
                  that would need more memory than is left, such as `pad`, `replace` or `to_json`, is not started.",
        causes: &[
            "an endless loop keeps extending a text, a list or a map",
            "all data is collected before any of it is processed",
            "the row needs too much memory even alone: rows that run at once share the limit, and one that exceeds it beside \
             others has run once more alone, after them",
        ],
        remedies: &[
            "process the data in parts, and drop what you no longer need: `all = ();`",
            "if the script needs more, raise the limit: `--max-memory 4G`",
        ],
        example: "let total = 0;\nfor part in [1, 2, 3] {\n    let numbers = [part].map(|n| n * 2);\n    total += numbers[0];\n}\ntotal",
    },
    Explanation {
        code: "syntax_error",
        meaning: "The script has a syntax error. Nothing was run.",
        causes: &[
            "a `;` is missing at the end of a statement",
            "a bracket, a quote or a brace is not closed",
            "a word of another language is used: `null`, `new`, `++`",
        ],
        remedies: &[
            "go to the line shown, or to the end of the statement before it",
            "a map is written `#{ key: value }`, and nothing is `()`",
        ],
        example: "let client = #{ email: \"ann@example.com\", phone: () };",
    },
    Explanation {
        code: "thrown",
        meaning: "The script itself threw this, with `throw`, and nothing caught it.",
        causes: &["the script found a value that it does not accept"],
        remedies: &[
            "read the message; the author of the script wrote it",
            "an error that a script throws as a map keeps its own `kind`",
        ],
        example: "fn check(email) {\n    if !email.contains(\"@\") { throw `${email} is no e-mail address`; }\n}",
    },
];
