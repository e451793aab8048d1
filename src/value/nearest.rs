//! Finds the known name that a mistyped one probably means.

/// Names with a higher similarity (Jaro-Winkler) match even if many letters differ: `lenght` for `len`.
const MIN_SIMILARITY: f64 = 0.85;

/// Returns the candidate most similar to `name`, if one is similar enough. Ignores case.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let max_edits = (wanted.chars().count() / 3).min(3);
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let known = candidate.to_lowercase();
        let similarity = strsim::jaro_winkler(&wanted, &known);
        let meant = similarity > MIN_SIMILARITY || strsim::damerau_levenshtein(&wanted, &known) <= max_edits;
        if meant && candidate != name && best.is_none_or(|(most, _)| similarity > most) {
            best = Some((similarity, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typos_get_a_suggestion_and_unrelated_words_do_not() {
        assert_eq!(nearest("emial", ["email", "url"]), Some("email"));
        assert_eq!(nearest("Emails", ["email", "url"]), Some("email"));
        assert_eq!(
            nearest("ensure_tennant", ["ensure_app", "ensure_tenant"]),
            Some("ensure_tenant")
        );
        assert_eq!(nearest("lenght", ["len", "pad"]), Some("len"));
        assert_eq!(nearest("b", ["a"]), None);
        assert_eq!(nearest("site", ["email", "url"]), None);
        assert_eq!(nearest("url", ["url"]), None);
    }
}
