//! Who is connected, and as whom: the state of the edge. No I/O, no clock.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use alloy::primitives::B256;
use anzen_messages::OperatorId;
use anzen_messages::session::Session;

use super::bucket::{Allowance, Attempts, whose};
use super::error::RpcError;

/// Names a connection for as long as the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ConnectionId(u64);

/// The time, both ways.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// Seconds since 1970: what expiries are compared with.
    pub(super) seconds: u64,
    /// Since the process started: what allowances fill up with. It never jumps.
    pub(super) uptime: Duration,
}

/// What sessions are held to.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// This aggregator's name.
    pub(super) server: String,
    /// The longest session, in seconds.
    pub(super) longest_seconds: u64,
    /// The most connections.
    pub(super) most_connections: usize,
    /// The most connections of one address.
    pub(super) most_per_address: usize,
    /// Attempts to open a session, per address.
    pub(super) attempts: Allowance,
    /// The most addresses whose attempts are remembered.
    pub(super) most_addresses: usize,
}

/// A session: messages of this operator may come from the connection until it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    /// Who opened it.
    pub(super) operator: OperatorId,
    /// Seconds since 1970 after which it is over.
    pub(super) expiry: u64,
}

impl Grant {
    /// True while it can be used.
    pub(super) fn is_alive(&self, seconds: u64) -> bool {
        seconds <= self.expiry
    }
}

#[derive(Debug)]
struct Connection {
    peer: SocketAddr,
    nonce: Option<B256>,
    grant: Option<Grant>,
}

/// Why a connection is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowded {
    /// There are as many as may be.
    All,
    /// There are as many of this address as may be.
    Address,
}

impl Crowded {
    /// As it is counted.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::All => "connections",
            Self::Address => "connections_of_address",
        }
    }
}

/// All connections, and the sessions on them.
#[derive(Debug)]
pub(super) struct Sessions {
    rules: Rules,
    next: u64,
    connections: BTreeMap<ConnectionId, Connection>,
    addresses: BTreeMap<IpAddr, usize>,
    holders: BTreeMap<OperatorId, ConnectionId>,
    attempts: Attempts,
}

impl Sessions {
    pub(super) fn new(rules: Rules) -> Self {
        let attempts = Attempts::new(rules.attempts, rules.most_addresses);
        Self {
            rules,
            next: 0,
            connections: BTreeMap::new(),
            addresses: BTreeMap::new(),
            holders: BTreeMap::new(),
            attempts,
        }
    }

    /// A connection from `peer` came in.
    pub(super) fn connect(&mut self, peer: SocketAddr) -> Result<ConnectionId, Crowded> {
        if self.connections.len() >= self.rules.most_connections {
            return Err(Crowded::All);
        }
        let count = self.addresses.entry(whose(peer.ip())).or_default();
        if *count >= self.rules.most_per_address {
            return Err(Crowded::Address);
        }
        *count += 1;
        let id = ConnectionId(self.next);
        self.next += 1;
        self.connections.insert(id, Connection { peer, nonce: None, grant: None });
        Ok(id)
    }

    /// The connection is gone, and its session with it.
    pub(super) fn disconnect(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(&id) else { return };
        let address = whose(connection.peer.ip());
        if let Some(count) = self.addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.addresses.remove(&address);
            }
        }
        if let Some(grant) = connection.grant
            && self.holders.get(&grant.operator) == Some(&id)
        {
            self.holders.remove(&grant.operator);
        }
    }

    /// The connection is given a nonce, good for one attempt. An earlier one is void.
    pub(super) fn hello(&mut self, id: ConnectionId, nonce: B256) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.nonce = Some(nonce);
        }
    }

    /// The connection asks for a session. Where it may have one, its signature is to be checked, and
    /// [`Sessions::verified`] follows. Either way the nonce is used up, and an attempt of the address.
    pub(super) fn open(&mut self, id: ConnectionId, session: &Session, now: Now) -> Result<(), RpcError> {
        let connection = self.connections.get_mut(&id).ok_or(RpcError::NoSession)?;
        self.attempts.take(connection.peer.ip(), now.uptime).map_err(|wait| RpcError::TooManyAttempts {
            retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        })?;
        let nonce = connection.nonce.take();
        if session.server != self.rules.server {
            let (here, there) = (self.rules.server.clone(), session.server.clone());
            return Err(RpcError::WrongServer { here, there });
        }
        if nonce != Some(session.nonce) {
            return Err(RpcError::WrongNonce);
        }
        let ahead = session.expiry.saturating_sub(now.seconds);
        if ahead == 0 || ahead > self.rules.longest_seconds {
            let (expiry, longest) = (session.expiry, self.rules.longest_seconds);
            return Err(RpcError::WrongExpiry { expiry, now: now.seconds, longest });
        }
        Ok(())
    }

    /// The signature of a session that [`Sessions::open`] let pass is good: the connection has it, in place of an earlier
    /// one of the same operator.
    pub(super) fn verified(
        &mut self,
        id: ConnectionId,
        session: &Session,
        now: Now,
    ) -> Result<Grant, RpcError> {
        let operator = session.operator_id;
        if self.holder(operator, now).is_some_and(|(holder, _)| holder != id) {
            return Err(RpcError::SecondSession(operator));
        }
        let connection = self.connections.get_mut(&id).ok_or(RpcError::NoSession)?;
        if let Some(before) = connection.grant.filter(|before| before.operator != operator) {
            return Err(RpcError::NotYourId { session: before.operator, message: operator });
        }
        let grant = Grant { operator, expiry: session.expiry };
        connection.grant = Some(grant);
        self.attempts.give_back(connection.peer.ip());
        self.holders.insert(operator, id);
        Ok(grant)
    }

    /// The connection with a live session of `operator`, and its address.
    pub(super) fn holder(&self, operator: OperatorId, now: Now) -> Option<(ConnectionId, SocketAddr)> {
        let id = *self.holders.get(&operator)?;
        let connection = self.connections.get(&id)?;
        connection.grant.filter(|grant| grant.is_alive(now.seconds)).map(|_| (id, connection.peer))
    }

    /// The address of a connection.
    pub(super) fn peer(&self, id: ConnectionId) -> Option<SocketAddr> {
        self.connections.get(&id).map(|connection| connection.peer)
    }

    /// How many connections there are, and how many of them have a session.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.connections.len(), self.holders.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONCE: B256 = B256::repeat_byte(7);

    fn rules() -> Rules {
        Rules {
            server: "here".into(),
            longest_seconds: 100,
            most_connections: 4,
            most_per_address: 2,
            attempts: Allowance { burst: 3, refill: Duration::from_secs(10) },
            most_addresses: 8,
        }
    }

    fn at(seconds: u64) -> Now {
        Now { seconds, uptime: Duration::from_secs(seconds) }
    }

    fn peer(last: u8) -> SocketAddr {
        ([10, 0, 0, last], 1).into()
    }

    fn operator(byte: u8) -> OperatorId {
        OperatorId(B256::repeat_byte(byte))
    }

    fn session(byte: u8, expiry: u64) -> Session {
        Session { server: "here".into(), nonce: NONCE, operator_id: operator(byte), expiry }
    }

    fn opened(sessions: &mut Sessions, last: u8, byte: u8) -> Result<(ConnectionId, Grant), RpcError> {
        let id = sessions.connect(peer(last)).unwrap();
        sessions.hello(id, NONCE);
        sessions.open(id, &session(byte, 60), at(10))?;
        sessions.verified(id, &session(byte, 60), at(10)).map(|grant| (id, grant))
    }

    #[test]
    fn a_nonce_is_good_for_one_attempt_on_its_connection() {
        let mut sessions = Sessions::new(rules());
        let [a, b] = [1, 2].map(|last| sessions.connect(peer(last)).unwrap());
        sessions.hello(a, NONCE);
        assert_eq!(sessions.open(b, &session(1, 60), at(10)), Err(RpcError::WrongNonce));
        assert_eq!(sessions.open(a, &session(1, 60), at(10)), Ok(()));
        assert_eq!(sessions.open(a, &session(1, 60), at(10)), Err(RpcError::WrongNonce));
    }

    #[test]
    fn a_session_for_another_server_or_time_is_refused() {
        let mut sessions =
            Sessions::new(Rules { attempts: Allowance { burst: 9, ..rules().attempts }, ..rules() });
        let id = sessions.connect(peer(1)).unwrap();
        let mut open = |session: Session| {
            sessions.hello(id, NONCE);
            sessions.open(id, &session, at(10))
        };
        let elsewhere = Session { server: "there".into(), ..session(1, 60) };
        assert!(matches!(open(elsewhere), Err(RpcError::WrongServer { .. })));
        for expiry in [0, 9, 10, 111, u64::MAX] {
            assert!(matches!(open(session(1, expiry)), Err(RpcError::WrongExpiry { .. })), "{expiry}");
        }
        assert_eq!(open(session(1, 110)), Ok(()));
    }

    #[test]
    fn an_operator_has_one_live_session() {
        let mut sessions = Sessions::new(rules());
        let (first, _) = opened(&mut sessions, 1, 1).unwrap();
        assert_eq!(opened(&mut sessions, 2, 1), Err(RpcError::SecondSession(operator(1))));
        assert!(opened(&mut sessions, 3, 2).is_ok(), "another operator is free to");
        sessions.disconnect(first);
        sessions.disconnect(first);
        assert!(opened(&mut sessions, 1, 1).is_ok());
    }

    #[test]
    fn an_expired_session_does_not_stand_in_the_way() {
        let mut sessions = Sessions::new(rules());
        let (first, grant) = opened(&mut sessions, 1, 1).unwrap();
        assert!(grant.is_alive(60) && !grant.is_alive(61));
        let second = sessions.connect(peer(2)).unwrap();
        assert!(sessions.verified(second, &session(1, 90), at(61)).is_ok());
        sessions.disconnect(first);
        assert_eq!(
            sessions.holder(operator(1), at(61)),
            Some((second, peer(2))),
            "the first one's end is not its end"
        );
    }

    #[test]
    fn a_session_is_renewed_on_its_connection_by_its_operator_only() {
        let mut sessions = Sessions::new(rules());
        let (id, _) = opened(&mut sessions, 1, 1).unwrap();
        let renewed = sessions.verified(id, &session(1, 90), at(50)).unwrap();
        assert_eq!(renewed.expiry, 90);
        let other = sessions.verified(id, &session(2, 90), at(50));
        assert_eq!(other, Err(RpcError::NotYourId { session: operator(1), message: operator(2) }));
    }

    #[test]
    fn attempts_are_limited_by_address_whatever_they_claim() {
        let mut sessions = Sessions::new(rules());
        let [a, b, c] = [1, 1, 2].map(|last| sessions.connect(peer(last)).unwrap());
        for (claim, id) in [(1, a), (2, b), (3, a)] {
            assert_eq!(sessions.open(id, &session(claim, 60), at(10)), Err(RpcError::WrongNonce));
        }
        sessions.hello(b, NONCE);
        let refused = sessions.open(b, &session(4, 60), at(10));
        assert_eq!(refused, Err(RpcError::TooManyAttempts { retry_after_ms: 10_000 }));
        sessions.hello(c, NONCE);
        assert_eq!(sessions.open(c, &session(4, 60), at(10)), Ok(()), "another address is free to");
        assert_eq!(sessions.open(b, &session(4, 60), at(20)), Ok(()), "the nonce was not used up");
    }

    #[test]
    fn connections_are_limited_in_all_and_by_address() {
        let mut sessions = Sessions::new(rules());
        let first = sessions.connect(peer(1)).unwrap();
        assert!(sessions.connect(peer(1)).is_ok());
        assert_eq!(sessions.connect(peer(1)), Err(Crowded::Address));
        assert!(sessions.connect(peer(2)).is_ok() && sessions.connect(peer(2)).is_ok());
        assert_eq!(sessions.connect(peer(3)), Err(Crowded::All));
        sessions.disconnect(first);
        assert!(sessions.connect(peer(1)).is_ok());
    }

    #[derive(Debug, Clone)]
    enum Step {
        Connect(u8),
        Disconnect(usize),
        Hello(usize),
        Open(usize, u8),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..4u8).prop_map(Step::Connect),
            (0..8usize).prop_map(Step::Disconnect),
            (0..8usize).prop_map(Step::Hello),
            (0..8usize, 0..3u8).prop_map(|(id, operator)| Step::Open(id, operator)),
            (1..50u64).prop_map(Step::Pass),
        ]
    }

    proptest! {
        /// Whatever happens, an operator has at most one live session, and what is gone leaves nothing behind.
        #[test]
        fn one_live_session_each_and_nothing_left_behind(steps in prop::collection::vec(step(), 0..80)) {
            let mut sessions = Sessions::new(rules());
            let mut ids = Vec::new();
            let mut now = 10;
            for step in steps {
                let id = |place: usize| ids.get(place).copied();
                match step {
                    Step::Connect(last) => ids.extend(sessions.connect(peer(last))),
                    Step::Disconnect(place) => id(place).into_iter().for_each(|id| sessions.disconnect(id)),
                    Step::Hello(place) => id(place).into_iter().for_each(|id| sessions.hello(id, NONCE)),
                    Step::Pass(seconds) => now += seconds,
                    Step::Open(place, operator) => {
                        let Some(id) = id(place) else { continue };
                        let session = session(operator, now + 60);
                        if sessions.open(id, &session, at(now)).is_ok() {
                            let _ = sessions.verified(id, &session, at(now));
                        }
                    }
                }
                for byte in 0..3 {
                    let alive = |connection: &&Connection| {
                        connection.grant.is_some_and(|it| it.operator == operator(byte) && it.is_alive(now))
                    };
                    prop_assert!(sessions.connections.values().filter(alive).count() <= 1);
                }
                prop_assert!(sessions.connections.len() <= 4);
            }
            for id in ids {
                sessions.disconnect(id);
            }
            prop_assert_eq!(sessions.sizes(), (0, 0));
            prop_assert!(sessions.addresses.is_empty());
        }
    }
}
