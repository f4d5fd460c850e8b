//! Whether transactions can be sent.

use anzen_messages::wire::ActorName;

use crate::health::{Health, of_follower};

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
