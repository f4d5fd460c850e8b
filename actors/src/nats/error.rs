//! Why the bus cannot be used.

use anzen_messages::wire::ActorName;

use super::setup::MOST_MESSAGE_BYTES;

/// Why the bus cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// The aggregator's name.
    #[error("nats.aggregator is {0:?}; it may have letters, digits, '-' and '_', at most 64")]
    Name(String),
    /// Whoever is between could give orders.
    #[error(
        "nats.url {0} is plain text to another machine, and whoever is between could give orders; use tls://, or set \
         nats.plaintext = true where the network between is your own"
    )]
    Plaintext(String),
    /// A file of the configuration.
    #[error("{setting}: {path} cannot be used: {error}")]
    File {
        /// The setting.
        setting: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        error: String,
    },
    /// The server does not answer, or not as it should.
    #[error("the NATS server at {url}: {error}; check nats.url, and that the server runs with JetStream")]
    Server {
        /// Where it is.
        url: String,
        /// What it said.
        error: String,
    },
    /// What is on the server was made for something else.
    #[error(
        "the stream {stream} on the NATS server is not one of Anzen's: {difference}; remove it, or choose another nats.aggregator"
    )]
    Stream {
        /// Its name.
        stream: String,
        /// What differs.
        difference: String,
    },
    /// What is on the server cannot be made what the configuration says.
    #[error(
        "the stream {stream} cannot be given {wanted}: {error}; set nats.replicas and nats.most_bytes to what the server has \
         room for"
    )]
    Unchangeable {
        /// Its name.
        stream: String,
        /// What it was to have.
        wanted: String,
        /// What the server said.
        error: String,
    },
    /// The server lets no message of the size pass that Anzen's may have.
    #[error(
        "the NATS server takes messages of {most} bytes; set its max_payload to {MOST_MESSAGE_BYTES} or more"
    )]
    Payload {
        /// What it takes.
        most: usize,
    },
    /// Another process runs an actor that this one ran.
    #[error("another process has taken over {0}; one of them must go")]
    Taken(ActorName),
}
