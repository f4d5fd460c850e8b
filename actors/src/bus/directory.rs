//! Who is where.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use actix::dev::ToEnvelope;
use actix::{Actor, Handler};
use anzen_messages::wire::{ActorName, Wire};

use super::{Dispatcher, Handle, Inbox};
use crate::ports::Transport;
use crate::telemetry::Incoming;

/// An actor is neither in this process nor reachable through a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing leads to {actor}: run it in this process (roles), or say where it is (links.{actor})")]
pub struct NoRoute {
    /// The actor that is missing.
    pub actor: ActorName,
}

/// The actors that this process can reach: those it runs, and those it has a transport to. Filled while the node is
/// assembled; actors are given handles, never the directory.
#[derive(Default)]
pub struct Directory {
    local: HashMap<TypeId, Box<dyn Any>>,
    remote: BTreeMap<ActorName, Arc<dyn Transport>>,
    dispatcher: Dispatcher,
}

impl Directory {
    /// Makes a message's receiver known: an actor of this process.
    pub fn provide<A, M>(&mut self, inbox: &Inbox<A>)
    where
        M: Wire,
        A: Actor + Handler<Incoming<M>>,
        A::Context: ToEnvelope<A, Incoming<M>>,
    {
        let handle = inbox.handle::<M>();
        self.dispatcher.accept(handle.clone());
        self.local.insert(TypeId::of::<M>(), Box::new(handle));
    }

    /// Makes known how to reach an actor of another process.
    pub fn link(&mut self, actor: ActorName, transport: Arc<dyn Transport>) {
        self.remote.insert(actor, transport);
    }

    /// A handle for messages of one kind: to the actor here if there is one, else to the one elsewhere.
    ///
    /// # Errors
    /// Where the actor is in neither place.
    pub fn handle<M: Wire>(&self) -> Result<Handle<M>, NoRoute> {
        let local = self.local.get(&TypeId::of::<M>()).and_then(|handle| handle.downcast_ref::<Handle<M>>());
        match (local, self.remote.get(&M::TO)) {
            (Some(handle), _) => Ok(handle.clone()),
            (None, Some(transport)) => Ok(Handle::remote(Arc::clone(transport))),
            (None, None) => Err(NoRoute { actor: M::TO }),
        }
    }

    /// What this process takes from others.
    pub fn dispatcher(&self) -> Dispatcher {
        self.dispatcher.clone()
    }
}
