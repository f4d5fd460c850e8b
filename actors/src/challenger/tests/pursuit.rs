//! A fault that EigenLayer does not let anyone execute, and a transaction that is refused.

use anzen_messages::transaction::{TxId, TxRefusal};

use super::super::effect::State;
use super::court::{Court, EXECUTION, VETO, fault_id};
use super::trial::{Trial, answered, hash, mined};
use crate::errand::Sent;
use crate::follow::ChainState;
use crate::testing::{block_ref, value};

/// All signers are frozen since block 103.
fn frozen() -> Court {
    let mut court = Court { withdrawn: Some(103), ..Court::new() };
    court.signers.iter_mut().for_each(|one| (one.frozen, one.registered) = (true, false));
    court
}

#[test]
fn a_slashing_that_changes_nothing_is_tried_again_at_ever_longer_pauses_and_until_the_end() {
    let mut trial = Trial::new(frozen(), mined);
    let (veto_end, execution_end) = (103 + VETO - 1, 103 + VETO + EXECUTION - 1);
    trial.blocks(execution_end);
    let at: Vec<u64> = trial.sent.iter().map(|(block, _)| *block).collect();
    assert_eq!((at[0], trial.sent[0].1.clone()), (veto_end + 1, TxId::slash(fault_id(), 0, None)));
    assert!(at.len() <= 12, "each costs gas: {at:?}");
    assert!(at.last().is_some_and(|last| last + 4 > execution_end), "{at:?}");
    let ids: std::collections::BTreeSet<&TxId> = trial.sent.iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), at.len(), "the same id would not be sent again");
    assert_eq!(trial.state(), Some(State::Expired));
}

#[test]
fn a_transaction_that_is_refused_is_tried_again_under_another_id() {
    let refused = |_| Sent::Refused(TxRefusal::Expired);
    let mut trial = Trial::new(Court::new(), refused);
    trial.blocks(120);
    assert_eq!(trial.sent[0].1, TxId::challenge(hash(), 102, None));
    let (again, id) = &trial.sent[1];
    assert_eq!(*id, TxId::challenge(hash(), 102, Some(*again)));
}

#[test]
fn what_is_unknown_is_asked_for_again_under_the_same_id() {
    let unknown = |_| Sent::Unknown("the link broke".into());
    let mut trial = Trial::new(Court::new(), unknown);
    trial.blocks(120);
    assert!(
        trial.sent.len() > 2 && trial.sent.iter().all(|(_, id)| *id == TxId::challenge(hash(), 102, None))
    );
}

/// EigenLayer is paused for good.
#[test]
fn an_operator_that_cannot_be_ejected_holds_no_slashing_up() {
    let mut court = frozen();
    court.signers[1].registered = true;
    let mut trial = Trial::new(court, mined);
    trial.blocks(103 + VETO - 1);
    let ejections = trial.sent.iter().filter(|(_, id)| id.purpose() == "eject").count();
    assert!((2..=8).contains(&ejections), "{:?}", trial.sent);
    assert_eq!(trial.sent.len(), ejections, "nothing else is to be done yet");
    assert_eq!(trial.state(), Some(State::Veto));
    trial.blocks(103 + VETO + 8);
    assert!(trial.sent.iter().any(|(_, id)| id.purpose() == "slash"), "{:?}", trial.sent);
}

#[test]
fn an_answer_that_a_reorg_moved_gets_a_transaction_of_its_own() {
    let mut trial = Trial::new(Court::new(), mined);
    trial.cases.retract(block_ref(101));
    trial.court.answer = Some((value(9), 103));
    trial.block(102, vec![]);
    trial.block(103, vec![answered()]);
    trial.blocks(106);
    let ids: Vec<&TxId> = trial.sent.iter().map(|(_, id)| id).collect();
    assert_eq!(ids[..2], [&TxId::challenge(hash(), 102, None), &TxId::challenge(hash(), 103, None)]);
}
