//! The keys of operators, from disk.

use std::net::{IpAddr, Ipv4Addr};

use super::super::keys::Keys;
use crate::fuzz;
use crate::ports::Write;

/// Records of keys. What is written of one is read as the same.
pub(crate) fn keys(data: &[u8]) {
    let mut keys = Keys::read(&fuzz::records(data));
    for operator in keys.operators() {
        let Some(known) = keys.get(operator).copied() else { continue };
        let elsewhere = [1, 2].map(|last| IpAddr::from(Ipv4Addr::new(10, 0, 0, last)));
        // Where it came from may be either.
        for address in elsewhere {
            let Some(Write::Put { key, value, .. }) = keys.learn(operator, known.key, address) else {
                continue;
            };
            let read = Keys::read(&[(key, value)]);
            assert!(read.get(operator).is_some_and(|read| read.key == known.key && read.is_from(address)));
        }
    }
}
