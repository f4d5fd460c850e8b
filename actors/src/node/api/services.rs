//! The services of a process: its actors, and what stands behind them.

use anzen_messages::wire::ActorName;

/// The id of the chain's RPC endpoint.
pub(crate) const RPC_ENDPOINT: &str = "rpc-endpoint";
/// The id of the records on disk.
pub(crate) const STORE: &str = "store";

/// A service, as the specification has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Service {
    /// Stable; part of a path.
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    /// True where the node cannot do its work without it.
    pub(super) vital: bool,
}

impl Service {
    /// False for what stands behind the actors.
    pub(super) fn is_actor(&self) -> bool {
        ![RPC_ENDPOINT, STORE].contains(&self.id)
    }
}

/// The services of a process that runs `roles`.
pub(crate) fn services_of(roles: &[ActorName]) -> Vec<Service> {
    let mut actors = roles.to_vec();
    actors.sort_unstable();
    actors.dedup();
    let behind = [
        (RPC_ENDPOINT, "RPC endpoint", "The Ethereum node that all questions to the chain go to"),
        (STORE, "Store", "The records on disk that survive a restart"),
    ];
    let behind = behind.map(|(id, name, description)| Service { id, name, description, vital: true });
    actors.into_iter().map(actor).chain(behind).collect()
}

fn actor(actor: ActorName) -> Service {
    let (name, description) = match actor {
        ActorName::ChainWatcher => ("ChainWatcher", "Follows the chain and tells the other actors"),
        ActorName::TaskGenerator => ("TaskGenerator", "Has tasks created when they are due"),
        ActorName::OperatorSigner => ("OperatorSigner", "Computes, signs and submits the operator's answers"),
        ActorName::SignatureCollector => ("SignatureCollector", "Adds operators' signatures up to a quorum"),
        ActorName::Aggregator => ("Aggregator", "Has certified answers posted"),
        ActorName::StakeUpdater => ("StakeUpdater", "Keeps the recorded stakes of operators fresh"),
        ActorName::Challenger => ("Challenger", "Recomputes answers, and disputes wrong ones"),
        ActorName::TxSender => ("TxSender", "Sends the transactions of the process's key"),
        ActorName::RpcGateway => ("RpcGateway", "Takes operators' connections and their messages"),
    };
    // Anyone may refresh stakes, and tasks may have several generators: answers go on for a while without either.
    let vital = !matches!(actor, ActorName::StakeUpdater | ActorName::TaskGenerator);
    Service { id: actor.as_str(), name, description, vital }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_fit_into_a_path() {
        let services = services_of(&[ActorName::ALL, ActorName::ALL].concat());
        assert_eq!(services.len(), ActorName::ALL.len() + 2);
        for service in &services {
            assert!(service.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", service.id);
            assert_eq!(services.iter().filter(|other| other.id == service.id).count(), 1);
        }
    }
}
