//! URLs of nodes, of which path, query and user often are a key.

use alloy::transports::http::reqwest::Url;

/// The part of a URL that may be written down: all of it for a node on this machine, else scheme, host and port.
pub(crate) fn without_key(url: &str) -> String {
    match url.parse::<Url>() {
        Ok(parsed) if matches!(parsed.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) => {
            url.to_owned()
        }
        Ok(parsed) => parsed.origin().ascii_serialization(),
        Err(_) => String::new(),
    }
}

/// The text, with every URL in it reduced to scheme, host and port.
pub fn redact(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, url) = rest.split_at(at + "://".len());
        let end = url.find(|c: char| c.is_whitespace() || "\"'`<>".contains(c)).unwrap_or(url.len());
        let end = url[..end].trim_end_matches([')', ']', '}', ',', ';', ':', '.']).len();
        let (url, after) = url.split_at(end);
        let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
        redacted += before;
        redacted += authority.rsplit('@').next().unwrap_or_default();
        if url[authority.len()..].len() > 1 {
            redacted += "/...";
        }
        rest = after;
    }
    redacted + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_local_url_is_written_whole() {
        for local in ["http://127.0.0.1:8545", "http://localhost:8545/a?b", "ws://[::1]:1/x"] {
            assert_eq!(without_key(local), local);
        }
        assert_eq!(without_key("https://u:p@eth.example.org/v2/KEY?k=KEY"), "https://eth.example.org");
        assert_eq!(without_key("wss://example.org:8546/KEY"), "wss://example.org:8546");
        assert_eq!(without_key("http://localhost.example.org/KEY"), "http://localhost.example.org");
        assert_eq!(without_key("KEY"), "");
    }

    #[test]
    fn keys_in_urls_are_not_shown() {
        for (text, expected) in [
            ("for url (https://h.org/v2/KEY): refused", "for url (https://h.org/...): refused"),
            ("https://u:KEY@h.org:8545/", "https://h.org:8545"),
            ("\"http://h?k=KEY\" and wss://[::1]:1/KEY.", "\"http://h/...\" and wss://[::1]:1/...."),
            ("http://127.0.0.1:8545 is not there", "http://127.0.0.1:8545 is not there"),
            ("no URL at all ://", "no URL at all ://"),
        ] {
            assert_eq!(redact(text), expected);
        }
    }
}
