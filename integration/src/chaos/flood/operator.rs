//! An operator that has a session, and sends as much as is taken: signatures for tasks that there are not, the same again and
//! again, false second answers; in batches as large as they may be; and on every second connection it reads nothing.

use alloy::primitives::{B256, I256, keccak256};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;

use super::Sent;
use crate::e2e::chain::Chain;
use crate::e2e::network::LocalNetwork;
use crate::e2e::wire::{Client, Keys};

/// How many calls a batch may have.
const BATCH: u64 = 256;

/// The operator.
pub(super) struct Villain {
    network: Value,
    addresses: Value,
    keys: Keys,
    /// The newest task and its true answer.
    task: watch::Receiver<Option<(B256, I256)>>,
}

impl Villain {
    pub(super) fn new(
        network: &LocalNetwork,
        keys: Keys,
        task: watch::Receiver<Option<(B256, I256)>>,
    ) -> Self {
        let (network, addresses) = (network.json("network.json"), network.json("addresses.json"));
        Self { network, addresses, keys, task }
    }

    /// Floods for good.
    pub(super) async fn flood(self, sent: Sent) {
        let chain = Chain::new(self.addresses.clone());
        for connection in 0_u64.. {
            let client = Client::connect(&self.network, &chain, self.keys.clone()).await;
            let (mut sink, mut stream) = client.into_socket().split();
            let sending = async {
                for round in 0_u64.. {
                    let batch = self.batch(&chain, round);
                    if sink.send(Message::text(batch)).await.is_err() {
                        return;
                    }
                    sent.more(BATCH);
                }
            };
            let reading = async {
                while connection.is_multiple_of(2) && stream.next().await.is_some() {}
                if !connection.is_multiple_of(2) {
                    std::future::pending::<()>().await;
                }
            };
            // It ends when it is cut off.
            tokio::select! { () = sending => {} () = reading => {} }
        }
    }

    fn batch(&self, chain: &Chain, round: u64) -> String {
        let (task, value) = self.task.borrow().unwrap_or_default();
        let (garbage, honest) = (self.keys.garbage(), self.keys.sign_answer(chain, task, value));
        let call = |place: u64| {
            let unknown = keccak256((round * BATCH + place).to_be_bytes());
            let other = value - I256::ONE - I256::try_from(round * BATCH + place).unwrap();
            let (task, value, signature) = match round % 3 {
                0 => (unknown, value, &garbage),
                1 => (task, value, &honest),
                _ => (task, other, &garbage),
            };
            let message = self.keys.submission(task, value, signature);
            let params = json!([{ "version": 1, "body": message }]);
            json!({ "jsonrpc": "2.0", "id": place, "method": "collector_submitSignature", "params": params })
        };
        Value::Array((0..BATCH).map(call).collect()).to_string()
    }
}
