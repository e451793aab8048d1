//! Tests of the module above.

use std::collections::BTreeSet;

use super::*;
use crate::operation::error::Code;

#[test]
fn every_error_code_status_and_exit_code_has_one_explain_entry() {
    let mut seen = BTreeSet::new();
    for entry in all(&crate::platforms::catalogue()) {
        assert!(
            seen.insert(entry.explanation.code),
            "{} is there twice",
            entry.explanation.code
        );
    }
    for code in Code::ALL {
        assert!(seen.contains(code.as_str()), "{}", code.as_str());
    }
    for status in crate::journal::RunStatus::ALL {
        assert!(seen.contains(status.as_str()), "{}", status.as_str());
    }
    for status in crate::report::RowStatus::REPORTED {
        assert!(seen.contains(status.as_str()), "{}", status.as_str());
    }
    for exit in Exit::ALL {
        assert!(seen.contains(exit.code().to_string().as_str()), "{exit:?}");
    }
}
