//! What providers say when a question is too large.

/// True where a node's error says that the same question about fewer blocks may be answered. A limit on how often one may
/// ask is another matter.
pub fn asked_too_much(code: i64, message: &str) -> bool {
    let words = ["range", "limit", "too many", "exceed", "more than", "too large"];
    !asked_too_often(message) && (code == -32005 || says(message, &words))
}

/// True where a node's error says that the same question may be answered later.
pub(crate) fn asked_too_often(message: &str) -> bool {
    says(
        message,
        &[
            "rate limit",
            "request rate",
            "request count",
            "quota",
            "per second",
            "too many requests",
            "capacity",
        ],
    )
}

fn says(message: &str, words: &[&str]) -> bool {
    let message = message.to_lowercase();
    words.iter().any(|word| message.contains(word))
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
