//! TLS handshakes of strangers: each costs more than all else that a stranger can ask for, so there are so many at a time. A
//! turn begins when the client's hello is there, does not last long, and of one address there are few; so those who stall keep
//! nobody out. Where an operator was before there are turns apart.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;

use super::bucket::whose;
use super::connection::End;

/// The longest turn: the client's answer takes one way to it and back.
const LONGEST_TURN: Duration = Duration::from_secs(2);

/// Who has a turn.
#[derive(Debug)]
pub(super) struct Handshakes {
    familiar: Turns,
    others: Turns,
}

/// So many turns at a time.
#[derive(Debug)]
struct Turns {
    all: Arc<Semaphore>,
    of_addresses: Mutex<BTreeMap<IpAddr, Weak<Semaphore>>>,
    most_per_address: usize,
}

/// One's turn, until this is dropped.
#[derive(Debug)]
struct Turn {
    _of_the_address: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Handshakes {
    /// `most` at a time, and as many more where operators were before.
    pub(super) fn new(most: usize) -> Self {
        // Many operators may be behind one address, and come at once.
        Self { familiar: Turns::new(most, most / 2), others: Turns::new(most, most / 4) }
    }

    /// Shakes hands, within `longest` in all.
    pub(super) async fn shake(
        &self,
        stream: TcpStream,
        config: Arc<ServerConfig>,
        (address, is_familiar): (IpAddr, bool),
        longest: Duration,
    ) -> Result<TlsStream<TcpStream>, End> {
        let failed = |error: std::io::Error| End::Tls(error.to_string());
        let shake = async {
            let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await.map_err(failed)?;
            let turns = if is_familiar { &self.familiar } else { &self.others };
            let _turn = turns.next(whose(address)).await?;
            let rest = timeout(LONGEST_TURN, hello.into_stream(config)).await;
            rest.map_err(|_| End::Tls(format!("it had its turn for {LONGEST_TURN:?}")))?.map_err(failed)
        };
        timeout(longest, shake)
            .await
            .unwrap_or_else(|_| Err(End::Tls(format!("it took longer than {longest:?}"))))
    }
}

impl Turns {
    fn new(most: usize, most_per_address: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(most.max(1))),
            of_addresses: Mutex::default(),
            most_per_address: most_per_address.max(1),
        }
    }

    /// Waits for a turn, first behind those of the same address.
    async fn next(&self, address: IpAddr) -> Result<Turn, End> {
        let of_the_address = self.of(address).acquire_owned().await.map_err(|_| End::Stopping)?;
        let of_all = Arc::clone(&self.all).acquire_owned().await.map_err(|_| End::Stopping)?;
        Ok(Turn { _of_the_address: of_the_address, _of_all: of_all })
    }

    /// The turns of an address; forgotten when nobody has or awaits one.
    fn of(&self, address: IpAddr) -> Arc<Semaphore> {
        // Nothing can panic between its steps.
        let mut of_addresses = self.of_addresses.lock().unwrap_or_else(PoisonError::into_inner);
        of_addresses.retain(|_, turns| turns.strong_count() > 0);
        if let Some(turns) = of_addresses.get(&address).and_then(Weak::upgrade) {
            return turns;
        }
        let turns = Arc::new(Semaphore::new(self.most_per_address));
        of_addresses.insert(address, Arc::downgrade(&turns));
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    #[tokio::test]
    async fn an_address_has_its_share_of_the_turns() {
        let turns = Turns::new(4, 2);
        let held = [turns.next(address(1)).await.unwrap(), turns.next(address(1)).await.unwrap()];
        let mut third = Box::pin(turns.next(address(1)));
        assert!(futures::poll!(&mut third).is_pending());
        assert!(turns.next(address(2)).await.is_ok(), "another address does not wait for it");
        drop(held);
        assert!(third.await.is_ok());
        turns.of(address(3));
        assert_eq!(turns.of_addresses.lock().unwrap().len(), 1, "the others are forgotten");
    }
}
