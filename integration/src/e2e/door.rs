//! A way to a server that can be shut: what a process sees of it is what it sees of a server that has died.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A door to a server on this machine, first open.
pub struct Door {
    server: SocketAddr,
    at: SocketAddr,
    keeper: JoinHandle<()>,
}

impl Door {
    /// A door to `server`, on a port of its own.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        Self { server, at, keeper: tokio::spawn(keep(listener, server)) }
    }

    /// Where to knock.
    pub fn address(&self) -> SocketAddr {
        self.at
    }

    /// Ends all connections and takes no more.
    pub async fn shut(&mut self) {
        self.keeper.abort();
        // Until it has let go of the port.
        let _ = (&mut self.keeper).await;
    }

    /// Takes connections again, at the same address.
    pub async fn open(&mut self) {
        let listener = TcpListener::bind(self.at).await.unwrap();
        self.keeper = tokio::spawn(keep(listener, self.server));
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Connections end with this.
async fn keep(listener: TcpListener, server: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((mut outside, _)) = listener.accept().await {
        connections.spawn(async move {
            if let Ok(mut inside) = TcpStream::connect(server).await {
                // It ends when either side does.
                let _ = copy_bidirectional(&mut outside, &mut inside).await;
            }
        });
    }
}
