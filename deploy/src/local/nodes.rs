//! Which processes there are. They run in the network's folder and are told of their files by paths that start there, so that all
//! paths are short: a Unix socket's may have no more than about a hundred bytes.

use std::path::{Path, PathBuf};

use anzen_messages::wire::ActorName;
use serde::{Deserialize, Serialize};

use super::{
    LocalError,
    endpoints::Endpoints,
    folder::Folder,
    process::{Program, Sign, this_program},
};

/// A process's configuration, in its own folder.
pub(super) const CONFIG: &str = "node.toml";
/// What a process keeps, in its own folder.
pub(super) const DATA: &str = "data";

/// How an aggregator is divided into processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topology {
    /// One process.
    Compact,
    /// Each actor in a process of its own.
    Spread,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) roles: Vec<ActorName>,
}

impl Node {
    pub(super) fn runs(&self, actor: ActorName) -> bool {
        self.roles.contains(&actor)
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        Path::new(&self.name).join(DATA)
    }

    pub(super) fn config(&self, folder: &Folder) -> PathBuf {
        folder.join(&self.name).join(CONFIG)
    }

    /// What runs it. It ends with this process.
    pub(super) fn program(&self, folder: &Folder) -> Result<Program, LocalError> {
        let config = format!("{}/{CONFIG}", self.name);
        Ok(Program {
            name: self.name.clone(),
            program: this_program()?,
            arguments: ["node", "--exit-with-parent", "--config", &config].map(Into::into).to_vec(),
            folder: folder.path().to_owned(),
            log: folder.log_of(&self.name),
            sign: Sign::File(Endpoints::path(folder, self)),
        })
    }
}

/// An aggregator: one process or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Aggregator {
    /// Which, from 0.
    pub(super) replica: u32,
    /// `aggregator` where there is one; `aggregator-1` and so on where there are several.
    pub(super) name: String,
    /// In the order in which they are started.
    pub(super) nodes: Vec<Node>,
}

impl Aggregator {
    /// The name that it goes by in sessions.
    pub(super) fn server_name(&self) -> String {
        format!("local-{}", self.name)
    }
}

/// So many aggregators.
pub(super) fn aggregators(topology: Topology, count: u32) -> Vec<Aggregator> {
    let one = |replica| {
        let name = if count == 1 { "aggregator".into() } else { format!("aggregator-{}", replica + 1) };
        let name_of =
            |actor: ActorName| if count == 1 { actor.to_string() } else { format!("{name}/{actor}") };
        let nodes = match topology {
            Topology::Compact => vec![Node { name: name.clone(), roles: ActorName::AGGREGATOR.to_vec() }],
            Topology::Spread => {
                ActorName::AGGREGATOR.map(|actor| Node { name: name_of(actor), roles: vec![actor] }).to_vec()
            }
        };
        Aggregator { replica, name, nodes }
    };
    (0..count).map(one).collect()
}

/// The process of the challenger.
pub(super) fn challenger() -> Node {
    Node { name: ActorName::Challenger.to_string(), roles: ActorName::CHALLENGER.to_vec() }
}

/// The process of an operator.
pub(super) fn operator(number: u32) -> Node {
    Node { name: operator_name(number), roles: ActorName::OPERATOR.to_vec() }
}

pub(super) fn operator_name(number: u32) -> String {
    format!("operator-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_topologies_run_each_of_an_aggregators_actors_once() {
        for topology in [Topology::Compact, Topology::Spread] {
            for aggregator in aggregators(topology, 2) {
                let nodes = aggregator.nodes;
                let mut actors: Vec<ActorName> = nodes.iter().flat_map(|node| node.roles.clone()).collect();
                actors.sort();
                let others = [ActorName::OperatorSigner, ActorName::Challenger];
                let expected = ActorName::ALL.into_iter().filter(|actor| !others.contains(actor));
                assert_eq!(actors, expected.collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn all_processes_have_names_of_their_own() {
        let names = |topology, count| -> Vec<String> {
            let nodes = aggregators(topology, count).into_iter().flat_map(|aggregator| aggregator.nodes);
            nodes.map(|node| node.name).collect()
        };
        assert_eq!(names(Topology::Compact, 1), ["aggregator"]);
        assert_eq!(names(Topology::Compact, 2), ["aggregator-1", "aggregator-2"]);
        assert!(names(Topology::Spread, 1).contains(&"tx-sender".to_owned()));
        let all = names(Topology::Spread, 4);
        assert!(all.contains(&"aggregator-4/tx-sender".to_owned()));
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), 4 * ActorName::AGGREGATOR.len());
    }
}
