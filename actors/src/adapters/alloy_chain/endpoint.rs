//! Where a node listens. Providers put keys into the path, so it is never shown whole.

use std::fmt;
use std::str::FromStr;

use alloy::transports::http::reqwest::Url;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A URL whose text shows its scheme, host and port only.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// A text is no URL of a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the URL of a node ({0}); write it like https://host/path or wss://host/path")]
pub struct EndpointError(String);

impl Endpoint {
    /// The URL, with all that is secret in it.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(text).map_err(|error| EndpointError(error.to_string()))?;
        match url.scheme() {
            "http" | "https" | "ws" | "wss" if url.has_host() => Ok(Self(url)),
            other => Err(EndpointError(format!("the scheme is {other}"))),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Cuts the URLs in a text down to scheme, host and port.
pub(crate) fn redacted(text: &str) -> String {
    let mut words = text.split_inclusive(|c: char| c.is_whitespace() || "()\"',<>".contains(c));
    words.by_ref().fold(String::new(), |mut out, word| {
        let end = word.len() - word.chars().next_back().filter(|c| !is_of_url(*c)).map_or(0, char::len_utf8);
        match word[..end].parse::<Endpoint>() {
            Ok(endpoint) => out.push_str(&endpoint.to_string()),
            Err(_) => out.push_str(&word[..end]),
        }
        out.push_str(&word[end..]);
        out
    })
}

fn is_of_url(c: char) -> bool {
    !(c.is_whitespace() || "()\"',<>".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_shows_a_key() {
        let endpoint: Endpoint =
            "https://user:secret@node.example:8545/v2/secret?key=secret".parse().unwrap();
        assert_eq!(format!("{endpoint} {endpoint:?}"), "https://node.example:8545 https://node.example:8545");
        let text = "error sending request for url (https://node.example/v2/secret), and wss://a.b/secret";
        let shown = "error sending request for url (https://node.example), and wss://a.b";
        assert_eq!(redacted(text), shown);
        assert_eq!(redacted("nothing to hide: 0x12 (really)"), "nothing to hide: 0x12 (really)");
    }

    #[test]
    fn what_is_no_url_of_a_node_is_refused() {
        for text in ["", "node.example", "ftp://node.example", "localhost:8545"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
