//! Where the servers of the bus are. There is no secret in it, so it may be shown.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use async_nats::ServerAddr;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The servers of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers(Vec<Server>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Server {
    is_tls: bool,
    host: String,
    port: u16,
}

/// A text names no servers. It is not repeated: it may have a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no NATS servers: {0}; write nats://host:4222 or tls://host:4222, with commas between several, and put user and password \
     into nats.password_file"
)]
pub struct ServersError(&'static str);

impl Servers {
    /// A server on this machine, where servers listen that are told nothing.
    pub(super) fn here() -> Self {
        Self(vec![Server { is_tls: false, host: "127.0.0.1".into(), port: 4222 }])
    }

    /// As the client wants them.
    pub(super) fn addresses(&self) -> std::io::Result<Vec<ServerAddr>> {
        self.0.iter().map(|server| server.to_string().parse()).collect()
    }

    /// True where one of them is on another machine and is not reached by `tls://`.
    pub(super) fn are_exposed(&self) -> bool {
        self.0.iter().any(|server| !server.is_tls && !is_loopback(&server.host))
    }
}

/// True of a host that is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl FromStr for Server {
    type Err = ServersError;

    fn from_str(text: &str) -> Result<Self, ServersError> {
        let server: ServerAddr = text.trim().parse().map_err(|_| ServersError("this is no URL"))?;
        if server.username().is_some() || server.password().is_some() {
            return Err(ServersError("there is a user or a password in it"));
        }
        if !matches!(server.scheme(), "nats" | "tls") {
            return Err(ServersError("the scheme is another"));
        }
        if server.host().is_empty() {
            return Err(ServersError("there is no host in it"));
        }
        Ok(Self { is_tls: server.tls_required(), host: server.host().to_owned(), port: server.port() })
    }
}

impl FromStr for Servers {
    type Err = ServersError;

    fn from_str(text: &str) -> Result<Self, ServersError> {
        text.split(',').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_tls, host, port } = self;
        let scheme = if *is_tls { "tls" } else { "nats" };
        match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{port}"),
            false => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join(","))
    }
}

impl Serialize for Servers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Servers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(text: &str) -> Servers {
        text.parse().unwrap()
    }

    #[test]
    fn servers_are_shown_as_they_are_written() {
        for text in ["nats://127.0.0.1:4222", "tls://a.org:4222,tls://b.org:7", "nats://[::1]:4222"] {
            assert_eq!(servers(text).to_string(), text);
        }
        assert_eq!(servers("tls://a.org, b.org").to_string(), "tls://a.org:4222,nats://b.org:4222");
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        for text in [
            "nats://anzen:hunter2@127.0.0.1:4222",
            "nats://hunter2@127.0.0.1",
            "tls://a.org,nats://:hunter2@b.org",
            "hunter2://a.org",
            "nats://hunter2 x",
        ] {
            let refused = text.parse::<Servers>().unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn plain_text_is_for_this_machine() {
        for here in [
            "nats://127.0.0.1",
            "localhost",
            "nats://[::1]:4",
            "tls://far.org",
            "tls://far.org,nats://127.0.0.2",
        ] {
            assert!(!servers(here).are_exposed(), "{here}");
        }
        for exposed in
            ["nats://far.org", "10.0.0.1", "tls://far.org,nats://10.0.0.1", "nats://localhost.far.org"]
        {
            assert!(servers(exposed).are_exposed(), "{exposed}");
        }
    }
}
