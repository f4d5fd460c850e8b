//! Values out of bytes; where they end, zeros.

use alloy::primitives::{Address, B256, U256};

/// What is left of an input.
#[derive(Debug)]
pub(crate) struct Taken<'a>(pub(crate) &'a [u8]);

impl Taken<'_> {
    /// True where nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_at(N.min(self.0.len()));
        self.0 = rest;
        let mut bytes = [0; N];
        bytes[..taken.len()].copy_from_slice(taken);
        bytes
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let [byte] = self.take();
        byte
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

    pub(crate) fn address(&mut self) -> Address {
        Address::new(self.take())
    }
}
