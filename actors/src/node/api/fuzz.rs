//! What a stranger may ask of the node API, for `just fuzz`.

use anzen_messages::wire::ActorName;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::ledger::{Report, ServiceReport};
use super::services::{Service, services_of};
use crate::fuzz::finish;
use crate::health::Health;
use crate::node::http_server::serve;

/// All statuses that there are: those of the specification, and those of bytes that are no request.
const STATUSES: [&str; 9] = ["200", "206", "400", "404", "405", "408", "414", "431", "503"];

/// All that is sent on a connection. Whatever it is: the answer is HTTP, and is none of a fault of ours.
pub(crate) fn api(data: &[u8]) {
    let Some(said) = finish(converse(data)) else { return };
    let said = String::from_utf8_lossy(&said);
    let Some(status) = said.strip_prefix("HTTP/1.1 ").or_else(|| said.strip_prefix("HTTP/1.0 ")) else {
        return assert!(said.is_empty(), "{said}");
    };
    assert!(STATUSES.iter().any(|known| status.starts_with(known)), "{said}");
    assert!(!said.contains("secret"), "reasons are not for the public");
}

async fn converse(sent: &[u8]) -> Vec<u8> {
    // More than is ever sent, so that all can be written before anything is read.
    let (mut here, there) = duplex(1 << 20);
    let health = [Health::Up, Health::Initializing("secret".into()), Health::Down("secret".into())];
    let report = |(service, health): (Service, &Health)| ServiceReport { service, health: health.clone() };
    let services = services_of(&[ActorName::OperatorSigner, ActorName::ChainWatcher]);
    let services = services.into_iter().zip(health.iter().cycle()).map(report).collect();
    // Reports are read after their sender is gone as before.
    let (_, reports) = watch::channel(Report { services });
    let talk = async {
        // The server may hang up; and takes it that nobody waits for an answer any more where nothing more can come.
        let _ = here.write_all(sent).await;
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
        let _ = here.shutdown().await;
        let mut said = Vec::new();
        let _ = here.read_to_end(&mut said).await;
        said
    };
    tokio::join!(serve(there, super::router(reports), CancellationToken::new()), talk).1
}
