//! What providers say when a question is too large.

/// True where a node's error says that the same question about fewer blocks may be answered. A limit on how often one may
/// ask is another matter.
pub fn asked_too_much(code: i64, message: &str) -> bool {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    !says(&["rate limit", "per second", "too many requests", "capacity"])
        && (code == -32005 || says(&["range", "limit", "too many", "exceed", "more than", "too large"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_is_too_large_is_told_from_other_limits() {
        for message in [
            "exceed maximum block range: 5000",
            "query returned more than 10000 results",
            "Log response size exceeded",
            "block range is too large",
        ] {
            assert!(asked_too_much(-32000, message), "{message}");
        }
        assert!(!asked_too_much(-32005, "rate limit exceeded"));
        assert!(!asked_too_much(-32000, "header not found"));
    }
}
