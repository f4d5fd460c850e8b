//! Whether tasks can be answered.

use actix::{Context, Handler};
use anzen_messages::wire::ActorName;

use super::actor::OperatorSigner;
use super::standing::Membership;
use crate::health::{Examine, Health, of_follower};

/// What OperatorSigner knows of itself.
#[derive(Debug, Clone)]
pub(super) struct Vitals {
    /// Whether it has taken in a block.
    pub(super) has_blocks: bool,
    /// Whether the watcher is within reach.
    pub(super) watcher: bool,
    /// Whether the operator is in a quorum, as far as is known.
    pub(super) membership: Membership,
    /// Why the signer did not sign the last time.
    pub(super) signer: Option<String>,
    /// How many aggregators have a session open with this operator.
    pub(super) aggregators: usize,
}

/// How it is.
pub(super) fn judge(vitals: &Vitals) -> Health {
    of_follower(vitals.has_blocks, &[(ActorName::ChainWatcher, vitals.watcher)]).and(|| match vitals {
        Vitals { signer: Some(trouble), .. } => Health::Down(trouble.clone()),
        Vitals { membership: Membership::Unknown, .. } => {
            Health::Initializing("it is not known yet whether the operator is registered".into())
        }
        Vitals { membership: Membership::None, .. } => {
            Health::Initializing("the operator is in no quorum; register it (anzen operator register)".into())
        }
        Vitals { membership: Membership::Left, .. } => Health::Down(
            "the operator has left its quorums: it was deregistered, ejected, or has too little stake".into(),
        ),
        Vitals { aggregators: 0, .. } => {
            Health::Down("no aggregator has a session open with this operator; the log says why".into())
        }
        _ => Health::Up,
    })
}

impl Handler<Examine> for OperatorSigner {
    type Result = Health;

    fn handle(&mut self, _: Examine, _ctx: &mut Context<Self>) -> Health {
        judge(&Vitals {
            has_blocks: self.has_blocks,
            watcher: self.world.watcher.is_reachable(),
            membership: self.standing.membership(),
            signer: self.signer.trouble(),
            aggregators: self.world.aggregators.iter().filter(|one| one.handle.is_reachable()).count(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_needs_a_quorum_its_signer_and_one_aggregator() {
        let membership = Membership::Member;
        let well = Vitals { has_blocks: true, watcher: true, membership, signer: None, aggregators: 1 };
        assert_eq!(judge(&well), Health::Up);
        assert!(matches!(judge(&Vitals { aggregators: 0, ..well.clone() }), Health::Down(_)));
        for membership in [Membership::Unknown, Membership::None] {
            assert!(matches!(judge(&Vitals { membership, ..well.clone() }), Health::Initializing(_)));
        }
        let membership = Membership::Left;
        assert!(matches!(judge(&Vitals { membership, ..well.clone() }), Health::Down(_)));
        assert!(matches!(judge(&Vitals { has_blocks: false, ..well.clone() }), Health::Initializing(_)));
        let signer = Some("the signer did not answer".to_owned());
        assert!(matches!(judge(&Vitals { signer, ..well }), Health::Down(_)));
    }
}
