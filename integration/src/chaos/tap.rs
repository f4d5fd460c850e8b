//! A tap in the operators' connections to an aggregator: passes everything on, and tells what passes.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anzen_messages::signature::{SubmitReply, SubmitSignature};
use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::{JoinHandle, JoinSet};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{accept_async, connect_async};

use super::witness::Witness;
use crate::invariants::{Fact, Moment};

/// What passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// A submission, on its way to the aggregator.
    Submission,
    /// The acknowledgement of one, on its way to the operator.
    Acknowledgement,
}

/// A tap. Its connections end with it.
pub(super) struct Tap {
    address: SocketAddr,
    passed: broadcast::Sender<Passed>,
    keeper: JoinHandle<()>,
}

impl Tap {
    /// A tap in front of the aggregator `name`, whose edge is at `edge`.
    pub(super) async fn at(edge: SocketAddr, name: &str, witness: &Witness) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let passed = broadcast::Sender::new(1024);
        let pipe =
            Pipe { edge, aggregator: name.to_owned(), witness: witness.clone(), passed: passed.clone() };
        Self { address, passed, keeper: tokio::spawn(keep(listener, pipe)) }
    }

    /// Where operators connect.
    pub(super) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Returns when the next `what` has passed from now on.
    pub(super) async fn next(&self, what: Passed) {
        let mut passed = self.passed.subscribe();
        loop {
            match passed.recv().await {
                Ok(one) if one == what => return,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn keep(listener: TcpListener, pipe: Pipe) {
    let mut connections = JoinSet::new();
    while let Ok((operator, _)) = listener.accept().await {
        connections.spawn(pipe.clone().carry(operator));
        while connections.try_join_next().is_some() {}
    }
}

#[derive(Clone)]
struct Pipe {
    edge: SocketAddr,
    aggregator: String,
    witness: Witness,
    passed: broadcast::Sender<Passed>,
}

impl Pipe {
    /// Carries messages both ways until either side ends; then both do.
    async fn carry(self, operator: TcpStream) {
        let Ok((mut edge, _)) = connect_async(format!("ws://{}", self.edge)).await else { return };
        let Ok(mut operator) = accept_async(operator).await else { return };
        let mut calls = BTreeMap::new();
        loop {
            tokio::select! {
                message = operator.next() => {
                    let Some(Ok(message)) = message else { return };
                    self.seen(&message, |value| self.request(value, &mut calls));
                    if is_content(&message) && edge.send(message).await.is_err() {
                        return;
                    }
                }
                message = edge.next() => {
                    let Some(Ok(message)) = message else { return };
                    self.seen(&message, |value| self.reply(value, &mut calls));
                    if is_content(&message) && operator.send(message).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Looks at each call, or reply, of a message.
    fn seen(&self, message: &Message, mut look: impl FnMut(&Value)) {
        let Ok(value) = serde_json::from_slice::<Value>(&message.clone().into_data()) else { return };
        match value.as_array() {
            Some(batch) => batch.iter().for_each(look),
            None => look(&value),
        }
    }

    fn request(&self, call: &Value, calls: &mut BTreeMap<String, (SubmitSignature, Moment)>) {
        if call["method"] != "collector_submitSignature" {
            return;
        }
        let params = &call["params"];
        let body = params.get(0).unwrap_or(params)["body"].clone();
        let message: SubmitSignature = serde_json::from_value(body).expect("an operator's submission");
        let (operator, response) = (message.operator_id, message.response);
        self.witness.tell(Fact::Signed { operator, response, on_disk: true });
        calls.insert(call["id"].to_string(), (message, self.witness.now()));
        let _ = self.passed.send(Passed::Submission);
    }

    fn reply(&self, reply: &Value, calls: &mut BTreeMap<String, (SubmitSignature, Moment)>) {
        let Some((message, asked)) = calls.remove(&reply["id"].to_string()) else { return };
        let Ok(reply) = SubmitReply::deserialize(&reply["result"]) else { return };
        let aggregator = self.aggregator.clone();
        self.witness.tell(Fact::Replied { aggregator, message, asked, reply, on_disk: true });
        if reply.is_acknowledgement() {
            let _ = self.passed.send(Passed::Acknowledgement);
        }
    }
}

/// Pings and pongs are between neighbours.
fn is_content(message: &Message) -> bool {
    matches!(message, Message::Text(_) | Message::Binary(_))
}
