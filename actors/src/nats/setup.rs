//! What is set up on the server: the stream that keeps messages, what hands them out, the bucket of the leases. Whoever
//! comes first makes them; what the configuration says otherwise since is changed.

use std::time::Duration;

use anzen_messages::wire::ActorName;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, pull};
use async_nats::jetstream::kv;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use tracing::info;

use super::bus::Bus;
use super::error::NatsError;
use super::lease::LEASE;

/// The largest message, a reached quorum, with what surrounds it. The server's `max_payload` must allow it.
pub(super) const MOST_MESSAGE_BYTES: i32 = 5 * 1024 * 1024;
/// The most messages of one kind that are kept: a burst of one leaves room for the others.
const MOST_OF_A_KIND: i64 = 16_384;
/// How long a message is kept that nobody takes: longer than any task is open.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Within this time a message that is sent again under its own number counts once: longer than any call.
const SAME_MESSAGE: Duration = Duration::from_secs(240);
/// A receiver that says nothing of a message for so long has lost it; it is handed out again.
pub(super) const ACK_WAIT: Duration = Duration::from_secs(10);
/// The most messages that one actor has in hand.
pub(super) const MOST_IN_HAND: usize = 1024;

impl Bus {
    /// The stream that keeps messages.
    ///
    /// # Errors
    /// Where the server does not answer, has another stream of that name, or cannot give it what is configured.
    pub(super) async fn stream(&self) -> Result<Stream, NatsError> {
        let stream = self.set_up(self.stream_config()).await?;
        let most = self.client.server_info().max_payload;
        if most < usize::try_from(MOST_MESSAGE_BYTES).unwrap_or(usize::MAX) {
            return Err(NatsError::Payload { most });
        }
        Ok(stream)
    }

    /// How many messages the server keeps that no actor has answered yet.
    ///
    /// # Errors
    /// Where the server does not answer.
    pub async fn kept(&self) -> Result<u64, NatsError> {
        Ok(self.stream().await?.cached_info().state.messages)
    }

    fn stream_config(&self) -> Config {
        Config {
            name: self.subjects.stream(),
            subjects: vec![self.subjects.kept()],
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            // A sender learns that there is no room; nothing that was taken is dropped for something newer.
            discard: DiscardPolicy::New,
            max_bytes: i64::try_from(self.config.most_bytes).unwrap_or(i64::MAX),
            max_messages_per_subject: MOST_OF_A_KIND,
            discard_new_per_subject: true,
            max_age: KEPT,
            max_message_size: MOST_MESSAGE_BYTES,
            duplicate_window: SAME_MESSAGE,
            num_replicas: self.config.replicas,
            ..Config::default()
        }
    }

    /// What hands an actor its messages; made if it is not there.
    pub(super) async fn consumer(&self, actor: ActorName) -> Result<Consumer<pull::Config>, NatsError> {
        let config = pull::Config {
            durable_name: Some(actor.to_string()),
            filter_subject: self.subjects.kept_for(actor),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: i64::try_from(MOST_IN_HAND).unwrap_or(i64::MAX),
            ..pull::Config::default()
        };
        let consumer = self.stream().await?.get_or_create_consumer(actor.as_str(), config).await;
        consumer.map_err(|error| self.server_error(error))
    }

    /// Where the leases are; made if it is not there.
    pub(super) async fn leases(&self) -> Result<kv::Store, NatsError> {
        let bucket = self.subjects.leases();
        // As the client's own way of making a bucket does, which asks servers for more than 2.9 can tell.
        let config = Config {
            name: format!("KV_{bucket}"),
            subjects: vec![format!("$KV.{bucket}.>")],
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            max_age: LEASE,
            num_replicas: self.config.replicas,
            allow_rollup: true,
            deny_delete: true,
            allow_direct: true,
            ..Config::default()
        };
        self.set_up(config).await?;
        self.jetstream.get_key_value(&bucket).await.map_err(|error| self.server_error(error))
    }

    /// A stream that is as `wanted`.
    async fn set_up(&self, wanted: Config) -> Result<Stream, NatsError> {
        let stream = self.jetstream.get_or_create_stream(wanted.clone()).await;
        let stream = stream.map_err(|error| self.server_error(error))?;
        let found = &stream.cached_info().config;
        if !is_its_kind(found, &wanted) {
            let Config { retention, discard, storage, subjects, .. } = found;
            let difference = format!("it has {retention:?}, {discard:?}, {storage:?}, {subjects:?}");
            return Err(NatsError::Stream { stream: wanted.name, difference });
        }
        let changed = changed(found, &wanted);
        if changed == *found {
            return Ok(stream);
        }
        let text = format!(
            "{} replicas, {} bytes, {} messages of a kind",
            changed.num_replicas, changed.max_bytes, changed.max_messages_per_subject
        );
        // A server that is alone takes the number, and keeps one.
        let is_alone = changed.num_replicas > 1 && stream.cached_info().cluster.is_none();
        let outcome = match is_alone {
            true => Err("the server is in no cluster".to_owned()),
            false => self.jetstream.update_stream(&changed).await.map_err(|error| error.to_string()),
        };
        match outcome {
            Ok(_) => info!(stream = wanted.name, "changed to what is configured: {text}"),
            Err(error) => {
                return Err(NatsError::Unchangeable { stream: wanted.name, wanted: text, error });
            }
        }
        Ok(stream)
    }
}

/// What the server does not change, or only Anzen would have so.
fn is_its_kind(found: &Config, wanted: &Config) -> bool {
    let kind = |config: &Config| (config.retention, config.discard, config.storage, config.subjects.clone());
    kind(found) == kind(wanted)
}

/// What was found, with all that may have been configured otherwise, or was otherwise in an earlier version.
fn changed(found: &Config, wanted: &Config) -> Config {
    // The server says of what is not limited that it is -1.
    let limit = |wanted: i64| if wanted == 0 { -1 } else { wanted };
    let window = Some(wanted.duplicate_window).filter(|window| !window.is_zero());
    let window = window.unwrap_or(found.duplicate_window);
    Config {
        max_bytes: limit(wanted.max_bytes),
        max_messages_per_subject: limit(wanted.max_messages_per_subject),
        discard_new_per_subject: wanted.discard_new_per_subject,
        max_age: wanted.max_age,
        max_message_size: if wanted.max_message_size == 0 { -1 } else { wanted.max_message_size },
        duplicate_window: window,
        num_replicas: wanted.num_replicas,
        ..found.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::wire_page_says;

    #[test]
    fn the_page_tells_what_is_set_up() {
        wire_page_says(&format!("| `max_msg_size` | {MOST_MESSAGE_BYTES} |"));
        wire_page_says(&format!("at most {MOST_MESSAGE_BYTES} bytes"));
        wire_page_says(&format!("| `max_msgs_per_subject` | {MOST_OF_A_KIND},"));
        wire_page_says(&format!("| `max_age` | {} s, longer", KEPT.as_secs()));
        wire_page_says(&format!("| `max_age` | {} s; the process", LEASE.as_secs()));
        wire_page_says(&format!("| `duplicate_window` | {} s,", SAME_MESSAGE.as_secs()));
        wire_page_says(&format!("`Explicit`, {} s |", ACK_WAIT.as_secs()));
        wire_page_says(&format!("| `max_ack_pending` | {MOST_IN_HAND} |"));
    }

    #[test]
    fn what_is_not_limited_is_left_so() {
        let wanted = Config { max_bytes: 7, num_replicas: 1, ..Config::default() };
        let window = Duration::from_secs(9);
        let found = changed(&Config { duplicate_window: window, ..Config::default() }, &wanted);
        assert_eq!((found.max_bytes, found.max_message_size, found.duplicate_window), (7, -1, window));
        assert_eq!(changed(&found, &wanted), found);
    }
}
