//! What one connection makes the server hold.

use serde_json::value::{RawValue, to_raw_value};
use soketto::handshake::{Client as Handshake, ServerResponse};
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::super::connection::{End, serve};
use super::super::json_rpc::{Outcome, Service};
use super::*;

/// Answers each call with 500 bytes at once, and counts them.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Service for Counting {
    fn call(
        &self,
        _method: &str,
        _params: Option<&RawValue>,
    ) -> futures::future::BoxFuture<'static, Outcome> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(to_raw_value(&"x".repeat(500)).unwrap()) })
    }

    fn is_known(&self) -> bool {
        true
    }

    fn refused(&self, _error: &RpcError) {}
}

#[tokio::test]
async fn what_waits_to_be_read_is_bounded_in_bytes() {
    let config =
        Config { most_waiting_kib: 32, calls_per_second: 0, longest_silence_secs: 2, ..Config::default() };
    let (limits, counting) = (config.limits(), Counting::default());
    let (client, server) = tokio::io::duplex(8 * 1024);
    let served = serve(server, counting.clone(), &limits, CancellationToken::new());
    let shout = async {
        let mut handshake = Handshake::new(client.compat(), "localhost", "/");
        assert!(matches!(handshake.handshake().await.unwrap(), ServerResponse::Accepted { .. }));
        let (mut sender, _receiver) = handshake.into_builder().finish();
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#;
        // Ends when the server gives the connection up.
        while sender.send_text(call).await.is_ok() && sender.flush().await.is_ok() {}
    };
    let (end, ()) = soon(futures::future::join(served, shout)).await;
    assert!(matches!(end, End::Stuck(_)), "{end:?}");
    // 15 replies at 2 KiB each wait to be read; what was written before fills the 8 KiB between.
    let called = counting.0.load(Ordering::SeqCst);
    assert!((10..=32).contains(&called), "{called} calls were taken");
}
