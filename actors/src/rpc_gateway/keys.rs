//! The keys of operators that had a session before, on disk: they get in while the chain cannot be asked, and strangers that
//! claim to be anybody do not crowd them out.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use alloy::primitives::{B256, FixedBytes};
use anzen_messages::OperatorId;
use anzen_messages::bls::{G2Bytes, PublicKeyG2};

use super::bucket::whose;
use crate::ports::{Space, Write};

/// An operator's id, then its key in G2 (128 bytes), then its address as IPv6 (16 bytes).
pub(super) const KEYS: Space = Space("gateway.keys");
/// The most operators whose keys are kept. One more is asked for each time.
const MOST_KNOWN: usize = 16_384;
const KEY_BYTES: usize = 128;

/// An operator that was here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// Its key, which never changes: the id is its hash.
    pub(super) key: PublicKeyG2,
    /// Where it came from last, as [`whose`] has it.
    address: IpAddr,
}

impl Known {
    /// True where the operator came from this address before.
    pub(super) fn is_from(&self, address: IpAddr) -> bool {
        self.address == whose(address)
    }

    fn encode(&self) -> Vec<u8> {
        let address = match self.address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        [self.key.to_bytes().0.as_slice(), &address.octets()].concat()
    }

    fn decode(record: &[u8]) -> Option<Self> {
        let (key, address) = record.split_at_checked(KEY_BYTES)?;
        let key = PublicKeyG2::try_from(G2Bytes(FixedBytes::try_from(key).ok()?)).ok()?;
        let address = Ipv6Addr::from(<[u8; 16]>::try_from(address).ok()?);
        Some(Self { key, address: IpAddr::V6(address).to_canonical() })
    }
}

/// All of them, and how many came from each address.
#[derive(Debug, Default)]
pub(super) struct Keys {
    known: BTreeMap<OperatorId, Known>,
    addresses: BTreeMap<IpAddr, usize>,
}

impl Keys {
    /// From disk. A record that cannot be read is left out: the chain knows the key as well.
    pub(super) fn read(records: &[(Vec<u8>, Vec<u8>)]) -> Self {
        let known = records.iter().filter_map(|(id, record)| {
            let id = B256::try_from(id.as_slice()).ok()?;
            Some((OperatorId(id), Known::decode(record)?))
        });
        let mut keys = Self::default();
        known.take(MOST_KNOWN).for_each(|(operator, known)| keys.put(operator, known));
        keys
    }

    fn put(&mut self, operator: OperatorId, known: Known) {
        self.remove(operator);
        self.known.insert(operator, known);
        *self.addresses.entry(known.address).or_default() += 1;
    }

    fn remove(&mut self, operator: OperatorId) -> Option<()> {
        let Known { address, .. } = self.known.remove(&operator)?;
        let count = self.addresses.get_mut(&address)?;
        *count -= 1;
        if *count == 0 {
            self.addresses.remove(&address);
        }
        Some(())
    }

    /// True where an operator came from this address last.
    pub(super) fn are_from(&self, address: IpAddr) -> bool {
        self.addresses.contains_key(&whose(address))
    }

    pub(super) fn get(&self, operator: OperatorId) -> Option<&Known> {
        self.known.get(&operator)
    }

    pub(super) fn operators(&self) -> Vec<OperatorId> {
        self.known.keys().copied().collect()
    }

    /// An operator proved to have `key`, from `address`. Where that is new, what is to be written.
    pub(super) fn learn(&mut self, operator: OperatorId, key: PublicKeyG2, address: IpAddr) -> Option<Write> {
        let known = Known { key, address: whose(address) };
        let is_news = self.known.get(&operator) != Some(&known);
        let has_room = self.known.len() < MOST_KNOWN || self.known.contains_key(&operator);
        if !is_news || !has_room {
            return None;
        }
        self.put(operator, known);
        Some(Write::Put { space: KEYS, key: operator.0.to_vec(), value: known.encode() })
    }

    /// The operator has left.
    pub(super) fn forget(&mut self, operator: OperatorId) -> Option<Write> {
        self.remove(operator)?;
        Some(Write::Delete { space: KEYS, key: operator.0.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{operator_id, secret};

    #[test]
    fn what_is_written_is_read() {
        let mut keys = Keys::default();
        let mut records = Vec::new();
        for (i, address) in [(0, "10.0.0.1"), (1, "2001:db8::1")] {
            let key = secret(i).public_key().g2();
            let Some(Write::Put { key, value, .. }) =
                keys.learn(operator_id(i), key, address.parse().unwrap())
            else {
                panic!("not written");
            };
            records.push((key, value));
        }
        let read = Keys::read(&records);
        assert_eq!((&read.known, &read.addresses), (&keys.known, &keys.addresses));
        assert!(read.are_from("10.0.0.1".parse().unwrap()) && !read.are_from("10.0.0.2".parse().unwrap()));
        assert!(read.get(operator_id(0)).unwrap().is_from("10.0.0.1".parse().unwrap()));
        assert!(read.get(operator_id(1)).unwrap().is_from("2001:db8::2".parse().unwrap()), "one /64");
    }

    #[test]
    fn only_news_is_written_and_what_cannot_be_read_is_left_out() {
        let mut keys = Keys::default();
        let (key, address) = (secret(0).public_key().g2(), "10.0.0.1".parse().unwrap());
        assert!(keys.learn(operator_id(0), key, address).is_some());
        assert!(keys.learn(operator_id(0), key, address).is_none());
        assert!(keys.learn(operator_id(0), key, "10.0.0.2".parse().unwrap()).is_some());
        assert!(!keys.are_from(address), "it comes from elsewhere now");
        assert!(keys.forget(operator_id(0)).is_some() && keys.forget(operator_id(0)).is_none());
        assert!(keys.addresses.is_empty());
        let records = [(vec![1; 32], vec![0; 144]), (vec![1; 31], vec![]), (vec![2; 32], vec![1; 7])];
        assert!(Keys::read(&records).known.is_empty());
    }
}
