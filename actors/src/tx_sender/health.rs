//! Whether transactions can be sent.

use actix::{Context, Handler};
use anzen_messages::transaction::TxRefusal;
use anzen_messages::wire::ActorName;

use super::actor::{Outcome, TxSender};
use crate::health::{Examine, Health, of_follower};

/// A transaction that was sent so often, at a higher price each time, is stuck.
const STUCK: usize = 8;

/// What the sender knows of itself.
#[derive(Debug, Clone)]
pub(super) struct Vitals {
    /// Whether the watcher is within reach.
    pub(super) watcher: bool,
    /// Whether the account's nonce is known.
    pub(super) nonce_known: bool,
    /// How often the transaction that was replaced most has been sent.
    pub(super) attempts: usize,
    /// Why the last transaction was not sent.
    pub(super) trouble: Option<String>,
}

/// How the sender is.
pub(super) fn judge(vitals: &Vitals) -> Health {
    let basics = of_follower(vitals.nonce_known, &[(ActorName::ChainWatcher, vitals.watcher)]);
    basics.and(|| match &vitals.trouble {
        Some(trouble) => Health::Down(trouble.clone()),
        None if vitals.attempts >= STUCK => {
            let attempts = vitals.attempts;
            Health::Down(format!(
                "a transaction was sent {attempts} times and is not mined; is the fee ceiling too low?"
            ))
        }
        None => Health::Up,
    })
}

/// Notes what the end of a request says of the key and its account. A call that would revert says nothing.
pub(super) fn note(trouble: &mut Option<String>, outcome: &Outcome) {
    match outcome {
        Ok(_) => *trouble = None,
        Err(refusal @ (TxRefusal::InsufficientFunds { .. } | TxRefusal::Unavailable { .. })) => {
            *trouble = Some(refusal.to_string());
        }
        Err(_) => {}
    }
}

impl TxSender {
    fn unpaid(&self) -> Option<String> {
        let (address, balance) = (self.queue.sender, self.queue.balance.to_string());
        let refusal = TxRefusal::InsufficientFunds { address, balance };
        self.queue.lacks_funds().then(|| refusal.to_string())
    }
}

impl Handler<Examine> for TxSender {
    type Result = Health;

    fn handle(&mut self, _: Examine, _ctx: &mut Context<Self>) -> Health {
        judge(&Vitals {
            watcher: self.deps.watcher.is_reachable(),
            nonce_known: self.queue.nonces.unused().is_some(),
            attempts: self.queue.most_attempts(),
            trouble: self.trouble.clone().or_else(|| self.unpaid()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_pay_or_is_stuck_is_down() {
        let well = Vitals { watcher: true, nonce_known: true, attempts: 1, trouble: None };
        assert_eq!(judge(&well), Health::Up);
        assert!(matches!(judge(&Vitals { attempts: STUCK, ..well.clone() }), Health::Down(_)));
        assert!(matches!(judge(&Vitals { nonce_known: false, ..well.clone() }), Health::Initializing(_)));
        let trouble = Some("too little ether".to_owned());
        assert_eq!(judge(&Vitals { trouble, ..well }), Health::Down("too little ether".into()));
    }
}
