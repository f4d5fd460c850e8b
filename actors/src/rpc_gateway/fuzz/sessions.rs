//! Strangers and operators that come, ask and go, in any order.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use alloy::primitives::B256;
use anzen_messages::OperatorId;
use anzen_messages::session::Session;

use super::super::bucket::Allowance;
use super::super::error::RpcError;
use super::super::rules::{Grant, Now, Rules};
use super::super::sessions::{ConnectionId, Sessions};
use crate::fuzz::Taken;

const SERVER: &str = "aggregator-0";
const MOST_SESSIONS: usize = 3;
const MOST_STRANGERS: usize = 4;
const LONGEST: u64 = 100;

fn rules() -> Rules {
    let allowance = Allowance { burst: 8, refill: Duration::from_secs(1) };
    Rules {
        server: SERVER.into(),
        longest_seconds: LONGEST,
        most_sessions: MOST_SESSIONS,
        most_strangers: MOST_STRANGERS,
        most_strangers_per_address: 2,
        knocks: allowance,
        attempts: allowance,
        most_addresses: 4,
    }
}

/// What is done to the gateway's state, and what must be so whatever that is.
pub(crate) fn sessions(data: &[u8]) {
    let mut taken = Taken(data);
    let mut run = Run {
        state: Sessions::new(rules()),
        now: Now { seconds: 1_000, uptime: Duration::ZERO },
        connections: Vec::new(),
        checked: Vec::new(),
        grants: BTreeMap::new(),
    };
    while !taken.is_empty() {
        run.step(&mut taken);
        run.check();
    }
    for id in std::mem::take(&mut run.connections) {
        run.state.disconnect(id);
    }
    assert_eq!(run.state.sizes(), (0, 0), "something is left of who is gone");
}

struct Run {
    state: Sessions,
    now: Now,
    connections: Vec<ConnectionId>,
    /// Whose signature is being checked.
    checked: Vec<(ConnectionId, Session)>,
    grants: BTreeMap<ConnectionId, Grant>,
}

impl Run {
    fn step(&mut self, taken: &mut Taken<'_>) {
        match taken.byte() % 8 {
            0 | 1 => self.connect(peer(taken)),
            2 => self.disconnect(taken),
            3 => {
                if let Some(id) = self.one(taken) {
                    drop(self.state.hello(id, nonce(taken), self.now));
                }
            }
            4 | 5 => self.open(taken),
            6 => self.decide(taken),
            _ => {
                self.now.uptime += Duration::from_millis(u64::from(taken.byte()) * 100);
                // The clock on the wall jumps, too.
                let seconds =
                    if taken.byte() == 255 { taken.number() } else { self.now.seconds.saturating_add(1) };
                self.now.seconds = self.now.seconds.max(seconds);
            }
        }
    }

    fn one(&self, taken: &mut Taken<'_>) -> Option<ConnectionId> {
        let which = taken.one_of(self.connections.len());
        self.connections.get(which).copied()
    }

    fn connect(&mut self, peer: SocketAddr) {
        let Ok((id, given_way)) = self.state.connect(peer, self.now) else { return };
        assert!(!self.connections.contains(&id));
        if let Some(other) = given_way {
            assert!(self.connections.contains(&other) && !self.grants.contains_key(&other));
            assert!(self.checked.iter().all(|(id, _)| *id != other), "its signature is being checked");
            self.forget(other);
        }
        self.connections.push(id);
    }

    fn disconnect(&mut self, taken: &mut Taken<'_>) {
        let Some(id) = self.one(taken) else { return };
        self.state.disconnect(id);
        self.forget(id);
    }

    fn forget(&mut self, id: ConnectionId) {
        self.connections.retain(|other| *other != id);
        self.grants.remove(&id);
    }

    fn open(&mut self, taken: &mut Taken<'_>) {
        let Some(id) = self.one(taken) else { return };
        let session = session(taken, self.now.seconds);
        if self.checked.iter().any(|(other, _)| *other == id) {
            // A stranger has one call at a time.
            return;
        }
        let is_familiar = taken.byte().is_multiple_of(2);
        if self.state.open(id, &session, is_familiar, self.now).is_ok() {
            let left = session.expiry.checked_sub(self.now.seconds);
            assert!(session.server == SERVER && left.is_some_and(|left| (1..=LONGEST).contains(&left)));
            self.checked.push((id, session));
        }
    }

    /// A check ends, perhaps of a connection that is gone.
    fn decide(&mut self, taken: &mut Taken<'_>) {
        if self.checked.is_empty() {
            return;
        }
        let (id, session) = self.checked.swap_remove(taken.one_of(self.checked.len()));
        let operator = session.operator_id;
        let refusal = match taken.byte() % 4 {
            0 => Err(RpcError::WrongSignature(operator)),
            1 => Err(RpcError::Unavailable(String::new())),
            _ => self.state.verified(id, &session, self.now),
        };
        match refusal {
            Err(refusal) => self.state.refused(id, &refusal),
            Ok(grant) => {
                assert!(self.connections.contains(&id), "who is gone has a session");
                let seconds = self.now.seconds;
                let alive = |(other, held): (&ConnectionId, &Grant)| {
                    *other != id && held.operator == operator && held.is_alive(seconds)
                };
                assert!(!self.grants.iter().any(alive), "a second live session");
                assert!(self.grants.get(&id).is_none_or(|before| before.operator == operator));
                self.grants.insert(id, grant);
            }
        }
    }

    fn check(&self) {
        let (connections, sessions) = self.state.sizes();
        assert_eq!(connections, self.connections.len());
        assert!(sessions <= MOST_SESSIONS && connections <= MOST_SESSIONS + MOST_STRANGERS);
        assert!(self.grants.len() <= MOST_SESSIONS);
    }
}

fn peer(taken: &mut Taken<'_>) -> SocketAddr {
    let which = taken.byte();
    let address: IpAddr = match which % 3 {
        0 => Ipv4Addr::new(10, 0, 0, which / 64).into(),
        1 => Ipv4Addr::new(10, 0, 0, which / 64).to_ipv6_mapped().into(),
        _ => Ipv6Addr::from_bits(u128::from(which / 64) << 64 | u128::from(which)).into(),
    };
    SocketAddr::new(address, 1)
}

fn nonce(taken: &mut Taken<'_>) -> B256 {
    B256::repeat_byte(taken.byte() % 2)
}

fn session(taken: &mut Taken<'_>, now: u64) -> Session {
    let (how, nonce) = (taken.byte(), nonce(taken));
    let expiry = if how == 255 { taken.number() } else { now.saturating_add(u64::from(how >> 1)) };
    let server = if how == 254 { String::new() } else { SERVER.to_owned() };
    Session { server, nonce, operator_id: OperatorId(B256::repeat_byte(taken.byte() % 5)), expiry }
}
