//! Whether tasks can be answered.

use anzen_messages::wire::ActorName;

use crate::health::{Health, of_follower};

/// What OperatorSigner knows of itself.
#[derive(Debug, Clone)]
pub(super) struct Vitals {
    /// Whether it has taken in a block.
    pub(super) has_blocks: bool,
    /// Whether the watcher is within reach.
    pub(super) watcher: bool,
    /// Why the signer did not sign the last time.
    pub(super) signer: Option<String>,
    /// How many aggregators have a session open with this operator.
    pub(super) aggregators: usize,
}

/// How it is.
pub(super) fn judge(vitals: &Vitals) -> Health {
    of_follower(vitals.has_blocks, &[(ActorName::ChainWatcher, vitals.watcher)]).and(|| match vitals {
        Vitals { signer: Some(trouble), .. } => Health::Down(trouble.clone()),
        Vitals { aggregators: 0, .. } => {
            Health::Down("no aggregator has a session open with this operator; the log says why".into())
        }
        _ => Health::Up,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_needs_its_signer_and_one_aggregator() {
        let well = Vitals { has_blocks: true, watcher: true, signer: None, aggregators: 1 };
        assert_eq!(judge(&well), Health::Up);
        assert!(matches!(judge(&Vitals { aggregators: 0, ..well.clone() }), Health::Down(_)));
        assert!(matches!(judge(&Vitals { has_blocks: false, ..well.clone() }), Health::Initializing(_)));
        let signer = Some("the signer did not answer".to_owned());
        assert!(matches!(judge(&Vitals { signer, ..well }), Health::Down(_)));
    }
}
