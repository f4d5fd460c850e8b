//! Which metrics a query names.

use std::collections::BTreeSet;

/// The names in `query` that begin with `anzen_`, as they are served: `_bucket`, `_total` and all.
pub fn metrics(query: &str) -> BTreeSet<String> {
    let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    words.filter(|word| word.starts_with("anzen_")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_they_stand() {
        let query =
            r#"sum by (le) (rate(anzen_a_bucket{x="1"}[5m])) / on() anzen_b_total or up{job="anzen"}"#;
        assert!(metrics(query).into_iter().eq(["anzen_a_bucket".to_owned(), "anzen_b_total".to_owned()]));
    }
}
