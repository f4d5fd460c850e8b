//! Calls: JSON-RPC.

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use serde_json::value::RawValue;

use super::super::error::RpcError;
use super::super::json_rpc::{Outcome, Service, Work, envelope};
use crate::fuzz::finish;

const MOST_BATCH: usize = 50;
const LONGEST_CALL: Duration = Duration::from_secs(1);

/// Answers a call with its own parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Echo {
    /// The other end has said who it is.
    pub(super) is_known: bool,
}

impl Service for Echo {
    fn call(&self, method: &str, params: Option<&RawValue>) -> BoxFuture<'static, Outcome> {
        let outcome = envelope(params).map(|envelope| envelope.body);
        let outcome = if method.is_empty() { Err(RpcError::UnknownMethod(method.into())) } else { outcome };
        std::future::ready(outcome).boxed()
    }

    fn is_known(&self) -> bool {
        self.is_known
    }

    fn refused(&self, error: &RpcError) {
        drop(error.to_string());
    }
}

/// A message over a WebSocket: calls, batches, ids, parameters. What answers it is JSON.
pub(crate) fn json_rpc(data: &[u8]) {
    let service = Echo { is_known: true };
    let reply = finish(async { Work::read(data, MOST_BATCH, LONGEST_CALL, &service).reply.await });
    if let Some(reply) = reply.flatten() {
        assert!(serde_json::from_str::<&RawValue>(&reply).is_ok(), "{reply}");
    }
}
