//! What a stranger may send, for `just fuzz`.

use std::cell::OnceCell;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use serde_json::value::RawValue;
use tokio::runtime::{Builder, Runtime};

use super::error::RpcError;
use super::json_rpc::{Outcome, Service, Work, envelope};

const MOST_BATCH: usize = 50;
const LONGEST_CALL: Duration = Duration::from_secs(1);

/// Answers a call with its own parameters.
#[derive(Debug, Clone, Copy)]
struct Echo;

impl Service for Echo {
    fn call(&self, method: &str, params: Option<&RawValue>) -> BoxFuture<'static, Outcome> {
        let outcome = envelope(params).map(|envelope| envelope.body);
        let outcome = if method.is_empty() { Err(RpcError::UnknownMethod(method.into())) } else { outcome };
        std::future::ready(outcome).boxed()
    }

    fn is_known(&self) -> bool {
        true
    }

    fn refused(&self, error: &RpcError) {
        drop(error.to_string());
    }
}

thread_local! {
    /// Calls have a time limit, which needs a clock.
    static RUNTIME: OnceCell<Option<Runtime>> = const { OnceCell::new() };
}

/// A message over a WebSocket: calls, batches, ids, parameters. What answers it is JSON.
pub(crate) fn json_rpc(data: &[u8]) {
    RUNTIME.with(|runtime| {
        let runtime = runtime.get_or_init(|| Builder::new_current_thread().enable_time().build().ok());
        let Some(runtime) = runtime else { return };
        let reply = runtime.block_on(async { Work::read(data, MOST_BATCH, LONGEST_CALL, &Echo).reply.await });
        if let Some(reply) = reply {
            assert!(serde_json::from_str::<&RawValue>(&reply).is_ok(), "{reply}");
        }
    });
}
