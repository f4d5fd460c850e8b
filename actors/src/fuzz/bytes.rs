//! Values out of bytes; where they end, zeros.

use alloy::primitives::{B256, U256};

/// What is left of an input.
#[derive(Debug)]
pub(crate) struct Taken<'a>(pub(crate) &'a [u8]);

impl<'a> Taken<'a> {
    /// True where nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `count` bytes, or those that are left.
    pub(crate) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let taken = self.bytes(N);
        let mut bytes = [0; N];
        bytes[..taken.len()].copy_from_slice(taken);
        bytes
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let [byte] = self.take();
        byte
    }

    /// One of so many.
    pub(crate) fn one_of(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    pub(crate) fn number(&mut self) -> u64 {
        u64::from_be_bytes(self.take())
    }

    pub(crate) fn large(&mut self) -> u128 {
        u128::from_be_bytes(self.take())
    }

    pub(crate) fn word(&mut self) -> U256 {
        U256::from_be_bytes(self.take::<32>())
    }

    pub(crate) fn hash(&mut self) -> B256 {
        B256::new(self.take())
    }
}

/// Records of a store: how long the key is, how long the value is (in two bytes), both.
pub(crate) fn records(data: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut taken, mut records) = (Taken(data), Vec::new());
    while !taken.is_empty() {
        let key = usize::from(taken.byte());
        let value = usize::from(u16::from_be_bytes(taken.take()));
        records.push((taken.bytes(key).to_vec(), taken.bytes(value).to_vec()));
    }
    records
}

/// The lines of a text; none where it is no text.
pub(crate) fn lines(data: &[u8]) -> std::str::Lines<'_> {
    std::str::from_utf8(data).unwrap_or_default().lines()
}
