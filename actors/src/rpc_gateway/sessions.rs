//! Who is connected, and as whom: the state of the edge. No I/O, no clock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use alloy::primitives::B256;
use anzen_messages::OperatorId;
use anzen_messages::session::Session;

use super::bucket::{Attempts, whose};
use super::error::RpcError;
use super::rules::{Crowded, Grant, Now, Rules};

/// Names a connection for as long as the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ConnectionId(u64);

#[derive(Debug)]
struct Connection {
    peer: SocketAddr,
    nonce: Option<B256>,
    grant: Option<Grant>,
    /// Its signature is being checked.
    is_checked: bool,
    /// What its attempt was taken from.
    charged: Purse,
}

impl Connection {
    fn address(&self) -> IpAddr {
        whose(self.peer.ip())
    }
}

/// Who pays for an attempt to open a session. An address pays for all that come from it and are not known there, whatever they
/// claim. An operator pays for itself where it comes from the address that it came from before, so that many behind one address
/// do not wait for each other, and wherever its sessions are good, so that it cannot have signatures checked without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purse {
    Address,
    Operator(OperatorId),
}

/// All connections, and the sessions on them.
#[derive(Debug)]
pub(super) struct Sessions {
    rules: Rules,
    next: u64,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Those without a session, the oldest first, and how many of them each address has.
    strangers: BTreeSet<ConnectionId>,
    addresses: BTreeMap<IpAddr, usize>,
    holders: BTreeMap<OperatorId, ConnectionId>,
    attempts: Attempts<IpAddr>,
    /// Attempts of operators that are known where they come from, and their sessions.
    own_attempts: Attempts<OperatorId>,
    knocks: Attempts<IpAddr>,
}

impl Sessions {
    pub(super) fn new(rules: Rules) -> Self {
        let attempts = Attempts::new(rules.attempts, rules.most_addresses);
        let own_attempts = Attempts::new(rules.attempts, rules.most_addresses);
        let knocks = Attempts::new(rules.knocks, rules.most_addresses);
        Self {
            rules,
            next: 0,
            connections: BTreeMap::new(),
            strangers: BTreeSet::new(),
            addresses: BTreeMap::new(),
            holders: BTreeMap::new(),
            attempts,
            own_attempts,
            knocks,
        }
    }

    /// A connection from `peer` came in. Where it takes the place of another, that one is gone, and is to be closed.
    pub(super) fn connect(
        &mut self,
        peer: SocketAddr,
        now: Now,
    ) -> Result<(ConnectionId, Option<ConnectionId>), Crowded> {
        let address = whose(peer.ip());
        if self.addresses.get(&address).is_some_and(|count| *count >= self.rules.most_strangers_per_address) {
            return Err(Crowded::Address);
        }
        self.knocks.take(address, now.uptime).map_err(|_| Crowded::Knocks)?;
        let mut given_way = None;
        if self.strangers.len() >= self.rules.most_strangers {
            let oldest = self.gives_way().ok_or(Crowded::All)?;
            self.disconnect(oldest);
            given_way = Some(oldest);
        }
        let id = ConnectionId(self.next);
        self.next += 1;
        let connection =
            Connection { peer, nonce: None, grant: None, is_checked: false, charged: Purse::Address };
        self.connections.insert(id, connection);
        self.strangers.insert(id);
        *self.addresses.entry(address).or_default() += 1;
        Ok((id, given_way))
    }

    /// The stranger that has to go: the oldest of the address that has most. One whose signature is being checked stays.
    fn gives_way(&self) -> Option<ConnectionId> {
        let candidates = self.strangers.iter().filter_map(|id| {
            let connection = self.connections.get(id).filter(|connection| !connection.is_checked)?;
            let of_its_address = self.addresses.get(&connection.address()).copied().unwrap_or_default();
            Some((of_its_address, Reverse(*id)))
        });
        candidates.max().map(|(_, Reverse(id))| id)
    }

    /// The connection is no stranger any more: it has a session, or is gone.
    fn no_stranger(&mut self, id: ConnectionId, peer: SocketAddr) {
        if !self.strangers.remove(&id) {
            return;
        }
        let address = whose(peer.ip());
        if let Some(count) = self.addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.addresses.remove(&address);
            }
        }
    }

    /// The connection is gone, and its session with it.
    pub(super) fn disconnect(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(&id) else { return };
        self.no_stranger(id, connection.peer);
        if let Some(grant) = connection.grant
            && self.holders.get(&grant.operator) == Some(&id)
        {
            self.holders.remove(&grant.operator);
        }
    }

    /// The connection is given a nonce, good for one attempt. An earlier one is void.
    ///
    /// # Errors
    /// Where its address has knocked too often, or it is gone.
    pub(super) fn hello(&mut self, id: ConnectionId, nonce: B256, now: Now) -> Result<(), RpcError> {
        let connection = self.connections.get_mut(&id).ok_or(RpcError::NoSession)?;
        self.knocks.take(connection.address(), now.uptime).map_err(too_many)?;
        connection.nonce = Some(nonce);
        Ok(())
    }

    /// The connection asks for a session; `is_familiar` where the operator that it claims to be came from its address before.
    /// Where it may have one, its signature is to be checked, and [`Sessions::verified`] or [`Sessions::refused`] follows. Either
    /// way the nonce is used up, and an attempt.
    pub(super) fn open(
        &mut self,
        id: ConnectionId,
        session: &Session,
        is_familiar: bool,
        now: Now,
    ) -> Result<(), RpcError> {
        let connection = self.connections.get_mut(&id).ok_or(RpcError::NoSession)?;
        connection.charged = match connection.grant {
            Some(Grant { operator, .. }) => Purse::Operator(operator),
            None if is_familiar => Purse::Operator(session.operator_id),
            None => Purse::Address,
        };
        let taken = match connection.charged {
            Purse::Address => self.attempts.take(connection.address(), now.uptime),
            Purse::Operator(operator) => self.own_attempts.take(operator, now.uptime),
        };
        taken.map_err(too_many)?;
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
        connection.is_checked = true;
        Ok(())
    }

    /// The session that [`Sessions::open`] let pass was refused. What is not the other end's fault is no attempt of it.
    pub(super) fn refused(&mut self, id: ConnectionId, refusal: &RpcError) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.is_checked = false;
        if matches!(refusal, RpcError::Full(_) | RpcError::Unavailable(_)) {
            match connection.charged {
                Purse::Address => self.attempts.give_back(connection.address()),
                Purse::Operator(operator) => self.own_attempts.give_back(operator),
            }
        }
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
        let connection = self.connections.get(&id).ok_or(RpcError::NoSession)?;
        if let Some(before) = connection.grant.filter(|before| before.operator != operator) {
            return Err(RpcError::NotYourId { session: before.operator, message: operator });
        }
        if connection.grant.is_none()
            && self.connections.len() - self.strangers.len() >= self.rules.most_sessions
        {
            return Err(RpcError::Full("the gateway, with sessions,".into()));
        }
        let grant = Grant { operator, expiry: session.expiry };
        let connection = self.connections.get_mut(&id).ok_or(RpcError::NoSession)?;
        (connection.grant, connection.is_checked) = (Some(grant), false);
        let (peer, address, charged) = (connection.peer, connection.address(), connection.charged);
        if charged == Purse::Address {
            self.attempts.give_back(address);
            // It is known from now on. That it has none left shows the next time.
            let _ = self.own_attempts.take(operator, now.uptime);
        }
        // The nonce, and the connection.
        self.knocks.give_back(address);
        if self.strangers.contains(&id) {
            self.knocks.give_back(address);
        }
        self.no_stranger(id, peer);
        self.holders.insert(operator, id);
        Ok(grant)
    }

    /// The connection on which an operator has, or last had, a session.
    pub(super) fn connection_of(&self, operator: OperatorId) -> Option<ConnectionId> {
        self.holders.get(&operator).copied()
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

fn too_many(wait: Duration) -> RpcError {
    RpcError::TooManyAttempts { retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) }
}

#[cfg(test)]
#[path = "tests/sessions.rs"]
mod tests;
