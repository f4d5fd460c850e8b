//! What an endpoint proves of the state after a block: its header against the block's hash, slots against the header. No I/O.

use alloy::consensus::TrieAccount;
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::rlp;
use alloy::rpc::types::{EIP1186AccountProofResponse, EIP1186StorageProof, Header};
use alloy::trie::{EMPTY_ROOT_HASH, KECCAK_EMPTY, Nibbles, proof::verify_proof};
use anzen_contracts::model_evaluator::StateProof::{AccountProof, SlotProof};

/// A path has no more nodes: a nibble of its key each, and the root.
const MOST_NODES: usize = 65;
/// No node of a state's tries is longer, in bytes; the longest, of sixteen branches, has 532.
const LONGEST_NODE: usize = 1_024;
/// A node is named by its hash, unless it is shorter than that, in bytes: then it stands in the node before it.
const SHORTEST_NAMED_NODE: usize = 32;

/// A block whose header has the hash that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct ProvenBlock {
    /// The header's encoding, whose hash is the block's.
    pub(super) header: Bytes,
    /// Seconds since 1970.
    pub(super) time: u64,
    state_root: B256,
}

/// Slots of an account, as they were after a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct ProvenAccount {
    /// What they held, in the order of the proofs.
    pub(in super::super) words: Vec<B256>,
    /// What shows it to a contract: the nodes that are named by their hashes.
    pub(super) proof: AccountProof,
}

impl ProvenAccount {
    /// What a slot held; nothing where it was not asked for.
    pub(super) fn word(&self, slot: B256) -> Option<B256> {
        let mut slots = self.proof.slots.iter().zip(&self.words);
        slots.find(|(one, _)| one.slot == slot).map(|(_, word)| *word)
    }
}

/// Why an answer is not what it was said to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unproven {
    /// The header is another block's, or has fields that are not known here.
    #[error("the header of block {asked} has the hash {found}")]
    Header {
        /// The hash that was asked for.
        asked: B256,
        /// That of the answer.
        found: B256,
    },
    /// The account is another, or the state has it otherwise.
    #[error("the proof of account {0} does not lead to the block's state root")]
    Account(Address),
    /// The storage has the slot otherwise.
    #[error("the proof of slot {slot} of {account} does not lead to the account's storage root")]
    Slot {
        /// Whose storage.
        account: Address,
        /// Which slot.
        slot: B256,
    },
}

impl ProvenBlock {
    /// The block of this hash, if the header is its.
    pub(in super::super) fn new(header: &Header, asked: B256) -> Result<Self, Unproven> {
        let encoded = rlp::encode(&header.inner);
        let found = keccak256(&encoded);
        if found != asked {
            return Err(Unproven::Header { asked, found });
        }
        let (time, state_root) = (header.inner.timestamp, header.inner.state_root);
        Ok(Self { header: encoded.into(), time, state_root })
    }

    /// What `slots` of `account` held after the block, in their order.
    pub(in super::super) fn slots(
        &self,
        account: Address,
        slots: &[B256],
        mut answer: EIP1186AccountProofResponse,
    ) -> Result<ProvenAccount, Unproven> {
        keep_named(&mut answer.account_proof);
        let storage_root = self.storage_root(account, &answer)?;
        let mut given = answer.storage_proof.into_iter();
        let mut prove = |slot: &B256| {
            let proven = given.next().and_then(|one| proven_slot(storage_root, *slot, one));
            proven.ok_or(Unproven::Slot { account, slot: *slot })
        };
        let proven: Result<Vec<_>, _> = slots.iter().map(&mut prove).collect();
        let (words, slots) = proven?.into_iter().unzip();
        Ok(ProvenAccount { words, proof: AccountProof { account, proof: answer.account_proof, slots } })
    }

    /// The root of the account's storage; that of nothing where there is no such account, so that every slot is zero.
    fn storage_root(&self, account: Address, answer: &EIP1186AccountProofResponse) -> Result<B256, Unproven> {
        let key = keccak256(account);
        let EIP1186AccountProofResponse { nonce, balance, code_hash, storage_hash, account_proof, .. } =
            answer;
        let leaf = TrieAccount::new(*nonce, *balance, *storage_hash, *code_hash);
        if leads_to(self.state_root, key, Some(rlp::encode(leaf)), account_proof) {
            return Ok(*storage_hash);
        }
        let is_nothing = *nonce == 0 && balance.is_zero() && [B256::ZERO, KECCAK_EMPTY].contains(code_hash);
        if is_nothing && leads_to(self.state_root, key, None, account_proof) {
            return Ok(EMPTY_ROOT_HASH);
        }
        Err(Unproven::Account(account))
    }
}

/// What a slot holds in the storage with this root, and what shows it: nothing but the root where the storage is empty.
fn proven_slot(root: B256, slot: B256, mut one: EIP1186StorageProof) -> Option<(B256, SlotProof)> {
    let value = (!one.value.is_zero()).then(|| rlp::encode(one.value));
    keep_named(&mut one.proof);
    let is_so = match root {
        EMPTY_ROOT_HASH => {
            one.proof.clear();
            value.is_none()
        }
        root => leads_to(root, keccak256(slot), value, &one.proof),
    };
    is_so.then(|| (word(one.value), SlotProof { slot, proof: one.proof }))
}

/// Some clients list the nodes that stand in others, too, and an empty trie as a node.
fn keep_named(proof: &mut Vec<Bytes>) {
    proof.retain(|node| node.len() >= SHORTEST_NAMED_NODE);
}

/// Whether a trie with this root has the value at the key, or nothing there.
fn leads_to(root: B256, key: B256, value: Option<Vec<u8>>, proof: &[Bytes]) -> bool {
    let is_bounded = proof.len() <= MOST_NODES && proof.iter().all(|node| node.len() <= LONGEST_NODE);
    is_bounded && verify_proof(root, Nibbles::unpack(key), value, proof).is_ok()
}

fn word(value: U256) -> B256 {
    B256::from(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::rpc::types::EIP1186StorageProof;
    use alloy::trie::HashBuilder;
    use alloy::trie::proof::ProofRetainer;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const VAULT: Address = Address::repeat_byte(7);
    const NOBODY: Address = Address::repeat_byte(8);

    /// The root of a trie, and the way to a key in it.
    fn trie(entries: &BTreeMap<B256, Vec<u8>>, key: B256) -> (B256, Vec<Bytes>) {
        let path = Nibbles::unpack(key);
        let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(vec![path]));
        entries.iter().for_each(|(key, value)| builder.add_leaf(Nibbles::unpack(key), value));
        let root = builder.root();
        let nodes = builder.take_proof_nodes().matching_nodes_sorted(&path);
        (root, nodes.into_iter().map(|(_, node)| node).collect())
    }

    fn slot(number: u8) -> B256 {
        B256::with_last_byte(number)
    }

    /// A block with a vault among a hundred accounts, whose slots 1 to 40 hold ten times their number; and what an honest node
    /// says of these slots of an account.
    fn honest(account: Address, slots: &[B256]) -> (ProvenBlock, EIP1186AccountProofResponse) {
        let held = |number: u8| U256::from(10 * u64::from(number));
        let storage: BTreeMap<B256, Vec<u8>> =
            (1..=40).map(|number| (keccak256(slot(number)), rlp::encode(held(number)))).collect();
        let storage_root = trie(&storage, B256::ZERO).0;
        let vault = TrieAccount::new(1, U256::ZERO, storage_root, B256::repeat_byte(3));
        let other =
            |number: u8| (keccak256(Address::with_last_byte(number)), rlp::encode(TrieAccount::default()));
        let mut accounts: BTreeMap<B256, Vec<u8>> = (0..100).map(other).collect();
        accounts.insert(keccak256(VAULT), rlp::encode(vault));
        let (state_root, account_proof) = trie(&accounts, keccak256(account));
        let found = if account == VAULT { vault } else { TrieAccount::default() };
        let storage_proof = |slot: &B256| EIP1186StorageProof {
            key: (*slot).into(),
            value: if account == VAULT && slot[31] <= 40 { held(slot[31]) } else { U256::ZERO },
            proof: if account == VAULT { trie(&storage, keccak256(slot)).1 } else { Vec::new() },
        };
        let answer = EIP1186AccountProofResponse {
            address: account,
            balance: found.balance,
            code_hash: found.code_hash,
            nonce: found.nonce,
            storage_hash: found.storage_root,
            account_proof,
            storage_proof: slots.iter().map(storage_proof).collect(),
        };
        (ProvenBlock { header: Bytes::new(), time: 5, state_root }, answer)
    }

    fn words(
        block: &ProvenBlock,
        account: Address,
        slots: &[B256],
        answer: &EIP1186AccountProofResponse,
    ) -> Result<Vec<B256>, Unproven> {
        block.slots(account, slots, answer.clone()).map(|proven| proven.words)
    }

    #[test]
    fn what_is_there_and_what_is_not_can_both_be_proved() {
        let slots = [slot(1), slot(40), slot(41)];
        let (block, answer) = honest(VAULT, &slots);
        let held = [10_u64, 400, 0].map(|value| word(U256::from(value)));
        assert_eq!(words(&block, VAULT, &slots, &answer), Ok(held.to_vec()));
        let (block, answer) = honest(NOBODY, &slots);
        assert_eq!(
            words(&block, NOBODY, &slots, &answer),
            Ok(vec![B256::ZERO; 3]),
            "there is no such account"
        );
    }

    #[test]
    fn a_slot_of_no_account_or_of_an_empty_storage_is_shown_by_the_account_alone() {
        let slots = [slot(1)];
        for account in [NOBODY, Address::with_last_byte(5)] {
            let (block, mut answer) = honest(account, &slots);
            // Some clients name the empty trie's root, and one that is no friend says whatever it likes.
            answer.storage_proof[0].proof = vec![Bytes::from_static(&[0x80]), Bytes::from(vec![1; 40])];
            let proven = block.slots(account, &slots, answer.clone()).unwrap();
            assert_eq!(proven.words, [B256::ZERO]);
            let SlotProof { slot: of, proof } = &proven.proof.slots[0];
            assert_eq!((proven.proof.account, *of, proof.len()), (account, slot(1), 0));
            assert_eq!(proven.proof.proof, answer.account_proof);
            answer.storage_proof[0].value = U256::ONE;
            assert!(block.slots(account, &slots, answer).is_err());
        }
    }

    #[test]
    fn a_client_that_lists_nodes_that_stand_in_others_is_no_liar() {
        let held = |last: u8| rlp::encode(U256::from_be_slice(&[last; 20]));
        let entries = (1..=2).map(|last| (B256::with_last_byte(last), held(last))).collect();
        let key = B256::with_last_byte(1);
        let (root, named) = trie(&entries, key);
        // Nothing is left of the path but a flag.
        let leaf = Bytes::from(rlp::encode(vec![Bytes::from_static(&[0x20]), held(1).into()]));
        let mut listed: Vec<Bytes> = named.into_iter().filter(|node| *node != leaf).collect();
        assert!(
            leaf.len() < SHORTEST_NAMED_NODE
                && listed.last().unwrap().windows(leaf.len()).any(|part| part == &leaf[..])
        );
        listed.push(leaf);
        let mut kept = listed.clone();
        keep_named(&mut kept);
        assert_eq!(kept, listed[..listed.len() - 1]);
        assert!(leads_to(root, key, Some(held(1)), &kept) && !leads_to(root, key, Some(held(2)), &kept));
    }

    #[test]
    fn a_lie_about_a_slot_is_found_out() {
        let slots = [slot(1), slot(41)];
        let lie = |tell: fn(&mut EIP1186AccountProofResponse)| {
            let (block, mut answer) = honest(VAULT, &slots);
            tell(&mut answer);
            words(&block, VAULT, &slots, &answer)
        };
        let of_slot = |slot| Err(Unproven::Slot { account: VAULT, slot });
        assert_eq!(lie(|answer| answer.storage_proof[0].value = U256::from(11)), of_slot(slot(1)));
        assert_eq!(
            lie(|answer| answer.storage_proof[0].value = U256::ZERO),
            of_slot(slot(1)),
            "it is not empty"
        );
        assert_eq!(lie(|answer| answer.storage_proof[1].value = U256::from(1)), of_slot(slot(41)));
        assert_eq!(lie(|answer| answer.storage_proof.swap(0, 1)), of_slot(slot(1)), "of another slot");
        assert_eq!(lie(|answer| _ = answer.storage_proof.pop()), of_slot(slot(41)), "nothing is said of it");
        assert_eq!(lie(|answer| _ = answer.storage_proof[0].proof.pop()), of_slot(slot(1)));
    }

    #[test]
    fn a_lie_about_an_account_is_found_out() {
        let slots = [slot(1)];
        let lie = |tell: fn(&mut EIP1186AccountProofResponse)| {
            let (block, mut answer) = honest(VAULT, &slots);
            tell(&mut answer);
            words(&block, VAULT, &slots, &answer)
        };
        let of_account = Err(Unproven::Account(VAULT));
        assert_eq!(lie(|answer| answer.storage_hash = B256::ZERO), of_account);
        assert_eq!(lie(|answer| answer.account_proof.clear()), of_account);
        let nothing = |answer: &mut EIP1186AccountProofResponse| {
            (answer.nonce, answer.code_hash) = (0, B256::ZERO);
            answer.storage_proof[0].value = U256::ZERO;
        };
        assert_eq!(lie(nothing), of_account, "there is such an account");
        let (block, answer) = honest(NOBODY, &slots);
        assert_eq!(words(&block, VAULT, &slots, &answer), of_account, "the proof is of another one");
    }

    #[test]
    fn a_header_that_is_another_blocks_is_refused() {
        let header = Header::new(alloy::consensus::Header { timestamp: 5, ..Default::default() });
        let block = ProvenBlock::new(&header, header.hash).unwrap();
        assert_eq!((block.time, keccak256(&block.header)), (5, header.hash));
        let mut other = header.clone();
        other.inner.state_root = B256::repeat_byte(1);
        assert!(matches!(ProvenBlock::new(&other, header.hash), Err(Unproven::Header { .. })));
    }

    #[test]
    fn a_proof_without_bounds_is_not_walked() {
        let slots = [slot(1)];
        let (block, mut answer) = honest(VAULT, &slots);
        answer.account_proof.resize(MOST_NODES + 1, Bytes::from(vec![0; SHORTEST_NAMED_NODE]));
        assert!(words(&block, VAULT, &slots, &answer).is_err());
        answer.account_proof = vec![Bytes::from(vec![0; LONGEST_NODE + 1])];
        assert!(words(&block, VAULT, &slots, &answer).is_err());
    }

    proptest! {
        /// Whatever becomes of a proof, it shows what is so or nothing.
        #[test]
        fn a_proof_that_is_changed_shows_nothing_else(
            of_account: bool, node: prop::sample::Index, byte: prop::sample::Index, change in 1..=255_u8, claim in 0..500_u64,
        ) {
            let slots = [slot(1)];
            let (block, mut answer) = honest(VAULT, &slots);
            let proof = if of_account { &mut answer.account_proof } else { &mut answer.storage_proof[0].proof };
            let node = node.get_mut(proof);
            let mut bytes = node.to_vec();
            let byte = byte.index(bytes.len());
            bytes[byte] ^= change;
            *node = bytes.into();
            answer.storage_proof[0].value = U256::from(claim);
            prop_assert!(words(&block, VAULT, &slots, &answer).is_err());
        }
    }
}
