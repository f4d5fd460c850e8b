//! A process's ways to others: to those of its aggregator on this machine, and to the aggregators that an operator submits to.

use std::sync::Arc;

use anzen_messages::wire::ActorName;

use super::config::AggregatorAt;
use super::error::NodeError;
use super::roles::Upstream;
use super::run::Process;
use crate::bus::Directory;
use crate::keys::KeyKind;
use crate::ports::Rng;
use crate::rpc_gateway::{self, Identity, LinkDependencies, LinkTransport, OperatorLink};

impl Process {
    pub(super) fn link_dependencies(&self) -> LinkDependencies {
        LinkDependencies {
            clock: Arc::clone(&self.ports.clock),
            rng: Arc::clone(&self.ports.rng) as Arc<dyn Rng>,
            metrics: self.metrics.links.clone(),
        }
    }

    /// The actors of the other processes.
    pub(super) fn link(&self, directory: &mut Directory) -> Result<(), NodeError> {
        for (actor, path) in &self.config.links.to {
            let transport = LinkTransport::start(path, self.link_dependencies())
                .map_err(|error| NodeError::Gateway(error.to_string()))?;
            directory.link(*actor, Arc::new(transport));
        }
        Ok(())
    }

    /// An operator's connections to the aggregators.
    pub(super) fn upstream(&self) -> Result<Vec<Upstream>, NodeError> {
        if !self.config.runs(ActorName::OperatorSigner) {
            return Ok(Vec::new());
        }
        let missing = NodeError::Missing { role: ActorName::OperatorSigner, setting: KeyKind::Bls.setting() };
        let signer = self.ports.bls_signer.clone().ok_or(missing)?;
        let connect = |at: &AggregatorAt| {
            let identity = Identity { server: at.server_name.clone(), ..self.identity.clone() };
            let (url, ca, plaintext) = (at.url.clone(), at.ca.clone(), at.plaintext);
            let upstream = rpc_gateway::Upstream { identity, url, ca, plaintext };
            let (config, deps) = (&self.config.operator_link, self.link_dependencies());
            let link = OperatorLink::start(config, upstream, signer.clone(), deps);
            let link = link.map_err(|error| NodeError::Gateway(error.to_string()))?;
            let (name, oracle_indices) = (at.server_name.clone(), at.oracle_indices.clone());
            Ok(Upstream { name, transport: Arc::new(link), oracle_indices })
        };
        self.config.aggregators.iter().map(connect).collect()
    }
}
