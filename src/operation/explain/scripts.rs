//! The codes that do not come from operations: mistakes in scripts, and errors that scripts throw.

use super::Explanation;

/// The kinds of failures of scripts themselves.
pub(super) const KINDS: &[Explanation] = &[
    Explanation {
        code: "script_error",
        meaning: "The script asks for something that the language cannot do: a name that does not exist, a value of the \
                  wrong type, an index beyond the end. A script may catch it, but it is usually a mistake.",
        causes: &[
            "a variable, function, property or module is spelled wrongly",
            "what was looked for is `()`, and a property of it is read",
            "a function uses a variable that was declared outside of it",
        ],
        remedies: &[
            "go to the line that is shown, and read the hint below it",
            "read a key that may be missing with `get_or(\"key\", default)`",
        ],
        example: "let answer = #{name: \"Ann\"};\nprint(answer.get_or(\"phone\", \"none\"));",
    },
    Explanation {
        code: "out_of_memory",
        meaning: "While the script ran, the program came to have allocated more memory than scripts may take: 1 GiB, \
                  unless `--max-memory` says otherwise. The script is stopped and cannot catch it; what it had done on \
                  platforms is recorded. A call that would make more than is left, such as `pad`, `replace` or `to_json`, is not begun.",
        causes: &[
            "a loop makes a text, a list or a map longer and never ends",
            "everything is collected before anything is done with it",
            "many rows at once each take much: they share the bound, and those that take most are stopped",
        ],
        remedies: &[
            "process the data in parts, and drop what you no longer need: `all = ();`",
            "run fewer rows at once with `--jobs`, and try those that failed again: `provisor resume --retry-failed`",
            "allow more, when the script needs it: `--max-memory 4G`",
        ],
        example: "let total = 0;\nfor part in [1, 2, 3] {\n    let numbers = [part].map(|n| n * 2);\n    total += numbers[0];\n}\ntotal",
    },
    Explanation {
        code: "syntax_error",
        meaning: "The script cannot be read: its text is not in the language. Nothing was run.",
        causes: &[
            "a statement has no `;`",
            "a bracket, a quote or a brace is not closed",
            "a word of another language is used: `null`, `new`, `++`",
        ],
        remedies: &[
            "go to the line that is shown, or to the end of the statement before it",
            "a map is written `#{ key: value }`, and nothing is `()`",
        ],
        example: "let client = #{ email: \"ann@example.com\", phone: () };",
    },
    Explanation {
        code: "thrown",
        meaning: "The script itself threw this, with `throw`, and nothing caught it.",
        causes: &["the script found a value that it refuses"],
        remedies: &[
            "read the message; it is the script's author's",
            "an error that a script throws as a map keeps its own `kind`",
        ],
        example: "fn check(email) {\n    if !email.contains(\"@\") { throw `${email} is no e-mail address`; }\n}",
    },
];
