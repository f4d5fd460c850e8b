//! What has to be so before the process can start, beyond what the settings say: found all at once, and without a chain.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anzen_deploy::Addresses;
use anzen_deploy::addresses::AddressesError;
use anzen_messages::wire::ActorName;

use super::NodeConfig;
use super::key::Key;
use super::known::lookup;
use super::layer::Origin;
use super::load::{Loaded, Setting};
use super::shape::{Kind, Leaf, Shape};
use crate::adapters::Endpoint;
use crate::keys::{KeyKind, Loader, ThisProcess};
use crate::nats::NatsConfig;
use crate::rpc_gateway::is_exposed;

/// What one server serves where both are at the same address.
const TOGETHER: [&str; 2] = ["metrics.listen", "api.listen"];

/// The paths of what a process makes; every other path is of a file that must be there.
const MADE: [&str; 4] = ["addresses", "data_dir", "links.listen", "links.to"];

/// Why the process would not start, or not work.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Nothing to run.
    #[error("no roles are named; roles = [\"chain-watcher\", …] says which actors to run")]
    NoRoles,
    /// A role needs something that the configuration does not give.
    #[error("the role {role} needs {setting}, which is not set")]
    Needs {
        /// The role.
        role: ActorName,
        /// The setting.
        setting: &'static str,
    },
    /// An actor needs another that is nowhere.
    #[error(
        "the role {role} needs {needed}, which this process does not run; add it to roles, say in links.to where it is, or give the processes a bus (nats)"
    )]
    NoWay {
        /// The role.
        role: ActorName,
        /// The other.
        needed: ActorName,
    },
    /// The addresses.
    #[error(transparent)]
    Addresses(#[from] AddressesError),
    /// A file that cannot be read.
    #[error("{key} in {origin}: {path} cannot be read: {error}")]
    File {
        /// The setting.
        key: Key,
        /// Where it is said.
        origin: Origin,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: String,
    },
    /// The folder for what must last.
    #[error("data_dir in {origin}: {path} {error}")]
    DataDir {
        /// Where it is said.
        origin: Origin,
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        error: &'static str,
    },
    /// Two servers on one port.
    #[error("{first} and {second} are both {address}; give each a port of its own")]
    SamePort {
        /// A setting.
        first: Key,
        /// Another.
        second: Key,
        /// The address of both.
        address: SocketAddr,
    },
    /// An aggregator's URL.
    #[error("aggregators[{place}].url is no WebSocket URL; write it like wss://host:port")]
    Url {
        /// Which aggregator, from 0.
        place: usize,
    },
    /// An aggregator's URL is plain text to another machine.
    #[error(
        "aggregators[{place}].url is plain text to another machine; use wss://, or set plaintext = true for this \
         aggregator where the network between is your own"
    )]
    Plaintext {
        /// Which aggregator, from 0.
        place: usize,
    },
    /// The bus's URL is plain text to another machine.
    #[error(
        "nats.url is plain text to another machine; use tls://, or set nats.plaintext = true where the network between is \
         your own"
    )]
    PlaintextBus,
    /// A protocol never gets a task.
    #[error(
        "task_generator: {of} would get no tasks after the first; give an interval, a heartbeat or a deviation"
    )]
    Idle {
        /// Which, in words.
        of: String,
    },
    /// More nodes must agree than there are.
    #[error(
        "chain.agree is {agree}, and chain.rpc_url and chain.rpc_urls name {named} nodes; lower it to 1 to {named}, or name more"
    )]
    Agree {
        /// How many must.
        agree: usize,
        /// How many there are.
        named: usize,
    },
    /// An aggregator's certificates.
    #[error("aggregators[{place}].ca: {path} cannot be read: {error}")]
    Ca {
        /// Which aggregator, from 0.
        place: usize,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: String,
    },
}

impl Loaded {
    /// All that is wrong, as far as it can be known on this machine.
    pub fn check(&self) -> Vec<CheckError> {
        let mut wrong = self.config.check_roles();
        wrong.extend(Addresses::load(&self.config.addresses).err().map(CheckError::from));
        wrong.extend(self.config.check_agreement());
        wrong.extend(self.check_files());
        wrong.extend(self.check_data_dir());
        wrong.extend(self.check_ports());
        wrong
    }

    fn check_files(&self) -> Vec<CheckError> {
        let set = self.settings();
        let paths = set.into_iter().filter(|setting| is(&setting.key, |leaf| leaf.kind == Kind::Path));
        let files = paths.filter(|setting| !MADE.contains(&setting.key.to_string().as_str()));
        let unreadable = files.filter_map(|setting| {
            let path = PathBuf::from(setting.value.as_str()?);
            let error = unreadable(&path)?;
            Some(CheckError::File { key: setting.key, origin: setting.from, path, error })
        });
        unreadable.collect()
    }

    fn check_data_dir(&self) -> Option<CheckError> {
        let path = &self.config.data_dir;
        let wrong = |error| {
            let origin = self.origin(&Key::dotted("data_dir"));
            Some(CheckError::DataDir { origin, path: path.clone(), error })
        };
        // The folder itself, or the one that it will be made in.
        let there = path.ancestors().map(or_here).find(|folder| folder.exists());
        match there.map(Path::metadata) {
            Some(Ok(found)) if !found.is_dir() => wrong("is, or is in, something that is no folder"),
            Some(Ok(found)) if found.permissions().readonly() => wrong("cannot be written to"),
            Some(Ok(_)) => None,
            Some(Err(_)) | None => wrong("cannot be reached"),
        }
    }

    fn check_ports(&self) -> Vec<CheckError> {
        let listens = |setting: &Setting| -> Option<(Key, SocketAddr)> {
            let unused = setting.key.0.first().is_some_and(|section| section == "edge")
                && !self.config.runs(ActorName::RpcGateway);
            let address: SocketAddr = setting.value.as_str()?.parse().ok()?;
            (address.port() != 0 && !unused).then(|| (setting.key.clone(), address))
        };
        let is_socket = |leaf: &Leaf| leaf.expected == "socket address";
        let all: Vec<(Key, SocketAddr)> =
            self.settings().iter().filter(|one| is(&one.key, is_socket)).filter_map(listens).collect();
        let mut wrong = Vec::new();
        for (place, (first, address)) in all.iter().enumerate() {
            for (second, other) in all[place + 1..].iter().filter(|(_, other)| overlap(address, other)) {
                if address == other
                    && TOGETHER.iter().all(|name| [first, second].contains(&&Key::dotted(name)))
                {
                    continue;
                }
                let (first, second) = (first.clone(), second.clone());
                wrong.push(CheckError::SamePort { first, second, address: *address });
            }
        }
        wrong
    }
}

impl NodeConfig {
    fn check_agreement(&self) -> Option<CheckError> {
        let (agree, named) = (self.chain.agree, self.chain.rpc_endpoints().len());
        (!(1..=named).contains(&agree)).then_some(CheckError::Agree { agree, named })
    }

    fn check_roles(&self) -> Vec<CheckError> {
        if self.roles.is_empty() {
            return vec![CheckError::NoRoles];
        }
        let mut wrong = Vec::new();
        for role in &self.roles {
            let needed = self.needs_of(*role).into_iter();
            let needed = needed
                .filter(|other| !self.runs(*other) && !self.links.to.contains_key(other))
                .filter(|_| self.nats.is_none());
            wrong.extend(needed.map(|needed| CheckError::NoWay { role: *role, needed }));
        }
        if self.runs(ActorName::OperatorSigner) {
            wrong.extend(self.check_operator());
        }
        if self.runs(ActorName::TaskGenerator) {
            wrong.extend(self.task_generator.idle().into_iter().map(|of| CheckError::Idle { of }));
        }
        let exposed = self.nats.as_ref().is_some_and(NatsConfig::is_exposed);
        wrong.extend(exposed.then_some(CheckError::PlaintextBus));
        let keys = Loader::new(&ThisProcess);
        for (role, kind, source) in [
            (ActorName::OperatorSigner, KeyKind::Bls, &self.keys.bls),
            (ActorName::TxSender, KeyKind::Ecdsa, &self.keys.ecdsa),
        ] {
            if self.runs(role) && !keys.is_given(kind, source) {
                wrong.push(CheckError::Needs { role, setting: kind.setting() });
            }
        }
        wrong
    }

    fn check_operator(&self) -> Vec<CheckError> {
        let role = ActorName::OperatorSigner;
        let mut wrong = Vec::new();
        let keys = Loader::new(&ThisProcess);
        if self.register_operator_on_startup && !keys.is_given(KeyKind::Ecdsa, &self.keys.ecdsa) {
            wrong.push(CheckError::Needs { role, setting: KeyKind::Ecdsa.setting() });
        }
        if self.aggregators.is_empty() {
            wrong.push(CheckError::Needs { role, setting: "aggregators" });
        }
        for (place, aggregator) in self.aggregators.iter().enumerate() {
            let endpoint = aggregator.url.parse::<Endpoint>();
            if !endpoint.is_ok_and(|endpoint| matches!(endpoint.url().scheme(), "ws" | "wss")) {
                wrong.push(CheckError::Url { place });
            }
            if !aggregator.plaintext && is_exposed(&aggregator.url) {
                wrong.push(CheckError::Plaintext { place });
            }
            if let Some(path) = &aggregator.ca
                && let Some(error) = unreadable(path)
            {
                wrong.push(CheckError::Ca { place, path: path.clone(), error });
            }
        }
        wrong
    }
}

fn is(key: &Key, what: impl Fn(&Leaf) -> bool) -> bool {
    matches!(lookup(key), Some(Shape::Leaf(leaf)) if what(leaf))
}

fn unreadable(path: &Path) -> Option<String> {
    match std::fs::File::open(path).and_then(|file| file.metadata()) {
        Ok(found) if found.is_dir() => Some("it is a folder".into()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}

fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// True where both cannot be listened on.
fn overlap(one: &SocketAddr, other: &SocketAddr) -> bool {
    let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && (everywhere || one.ip() == other.ip())
}
