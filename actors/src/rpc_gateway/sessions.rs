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
    /// All that [`Crowded::reason`] says.
    pub(super) const REASONS: [&str; 2] = ["connections", "connections_of_address"];

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
#[path = "tests/sessions.rs"]
mod tests;
