//! What whoever was dialled says to an operator that opens a session.

use std::convert::Infallible;
use std::fmt;

use jsonrpsee::core::client::{ClientBuilder, ReceivedMessage, TransportReceiverT, TransportSenderT};

use super::super::error::MOST_WORDS;
use super::*;
use crate::adapters::LocalBlsSigner;
use crate::fuzz::{finish, lines};
use crate::ports::UnixMillis;
use crate::testing::secret;

const SESSION_SECS: u64 = 100;

/// One message a line. Whatever they are, the next session is signed after a time that is neither none nor longer than the one
/// that was asked for, and what is told of a failure is short.
pub(crate) fn session_replies(data: &[u8]) {
    let messages: Vec<String> = lines(data).rev().map(str::to_owned).collect();
    let renewed = finish(async {
        let client = ClientBuilder::new().build_with_tokio(Nowhere, Messages(messages));
        let renewed = to_aggregator().renew(&client).await;
        drop(client);
        // What it has spawned ends.
        yield_often().await;
        renewed
    });
    match renewed {
        Some(Ok(Some(after))) => {
            assert!((SHORTEST_RENEWAL..=Duration::from_secs(SESSION_SECS)).contains(&after));
        }
        Some(Err(error)) => assert!(error.to_string().len() < 2 * MOST_WORDS + 256, "{error}"),
        _ => {}
    }
}

fn to_aggregator() -> ToAggregator {
    let aggregator =
        Identity { server: "aggregator-0".into(), chain_id: 31_337, task_manager: [0xaa; 20].into() };
    ToAggregator {
        url: String::new(),
        trust: None,
        domain: SigningDomain::new(aggregator.chain_id, aggregator.task_manager),
        aggregator,
        signer: Arc::new(LocalBlsSigner::new(secret(0))),
        session_secs: SESSION_SECS,
        clock: Arc::new(Noon),
    }
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> UnixMillis {
        UnixMillis(1_800_000_000_000)
    }
}

async fn yield_often() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

struct Nowhere;

impl TransportSenderT for Nowhere {
    type Error = Infallible;

    async fn send(&mut self, _message: String) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The messages that are still to come, the next one last.
struct Messages(Vec<String>);

#[derive(Debug)]
struct NoMore;

impl fmt::Display for NoMore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the input is over")
    }
}

impl std::error::Error for NoMore {}

impl TransportReceiverT for Messages {
    type Error = NoMore;

    async fn receive(&mut self) -> Result<ReceivedMessage, NoMore> {
        // A reply comes after its request, which is made after the reply before.
        yield_often().await;
        self.0.pop().map(ReceivedMessage::Text).ok_or(NoMore)
    }
}
