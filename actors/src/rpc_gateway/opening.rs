//! How a session is opened: the operator is looked up, the signature is checked, and what follows from that.

use actix::prelude::*;
use anzen_messages::OperatorId;
use anzen_messages::bls::{PublicKeyG2, Signature, verify};
use anzen_messages::session::OpenSession;
use tracing::{info, warn};

use super::actor::{Dependencies, Open, RpcGateway};
use super::error::RpcError;
use super::rules::Grant;
use super::sessions::ConnectionId;
use crate::ports::run_on;

impl Handler<Open> for RpcGateway {
    type Result = ResponseActFuture<Self, Result<Grant, RpcError>>;

    fn handle(&mut self, Open(id, open): Open, _ctx: &mut Context<Self>) -> Self::Result {
        let (now, is_familiar) = (self.now(), self.is_familiar(id, open.session.operator_id));
        if let Err(refusal) = self.sessions.open(id, &open.session, is_familiar, now) {
            return Box::pin(fut::ready(Err(refusal)));
        }
        match self.check(id, &open) {
            Ok(check) => {
                let check = check.into_actor(self);
                Box::pin(check.map(move |checked, gateway, ctx| gateway.checked(id, &open, checked, ctx)))
            }
            Err(refusal) => {
                self.sessions.refused(id, &refusal);
                Box::pin(fut::ready(Err(refusal)))
            }
        }
    }
}

impl RpcGateway {
    /// True where the operator came from the connection's address before.
    fn is_familiar(&self, id: ConnectionId, operator: OperatorId) -> bool {
        let address = self.sessions.peer(id).map(|peer| peer.ip());
        self.keys.get(operator).zip(address).is_some_and(|(known, address)| known.is_from(address))
    }

    /// What checks a session's signature: yields the operator's key.
    ///
    /// # Errors
    /// Where it need not be checked.
    fn check(
        &mut self,
        id: ConnectionId,
        open: &OpenSession,
    ) -> Result<impl Future<Output = Result<PublicKeyG2, RpcError>> + use<>, RpcError> {
        let operator = open.session.operator_id;
        let wrong = RpcError::WrongSignature(operator);
        let signature = Signature::try_from(open.signature).map_err(|_| wrong.clone())?;
        let known = self.keys.get(operator).copied();
        let is_familiar = self.is_familiar(id, operator);
        let lookups = match known {
            Some(_) => None,
            None => Some(self.admission.lookups(self.started.elapsed())?),
        };
        let (lane, message) = (self.admission.checks(is_familiar), open.session.message(&self.domain));
        let deps = self.deps.clone();
        Ok(async move {
            let key = match (known, lookups) {
                (Some(known), _) => known.key,
                (None, Some(lookups)) => {
                    let _turn = lookups.turn().await?;
                    look_up(&deps, operator).await?
                }
                (None, None) => return Err(RpcError::NotRegistered(operator)),
            };
            let _turn = lane.turn().await?;
            match run_on(deps.cpu.as_ref(), move || verify(&message, &signature, &key)).await {
                Some(true) => Ok(key),
                Some(false) => Err(wrong),
                None => Err(RpcError::Unavailable("the gateway is stopping".into())),
            }
        })
    }

    fn admit(&mut self, id: ConnectionId, open: &OpenSession) -> Result<Grant, RpcError> {
        let operator = open.session.operator_id;
        let (now, peer) = (self.now(), self.sessions.peer(id).map(tracing::field::display));
        let admitted = self.sessions.verified(id, &open.session, now);
        match &admitted {
            Ok(grant) => {
                self.deps.metrics.opened();
                info!(%operator, peer, expiry = grant.expiry, "an operator opened a session");
            }
            Err(RpcError::SecondSession(_)) => {
                let alive =
                    self.sessions.holder(operator, now).map(|(_, peer)| tracing::field::display(peer));
                warn!(
                    %operator, peer, alive,
                    "ALARM: a second session of an operator was refused; unless the operator has just restarted, \
                     two processes use its key"
                );
            }
            Err(refusal) => info!(%operator, peer, %refusal, "a session was refused"),
        }
        self.count();
        admitted
    }

    /// What follows a check: a session, or a refusal.
    fn checked(
        &mut self,
        id: ConnectionId,
        open: &OpenSession,
        checked: Result<PublicKeyG2, RpcError>,
        ctx: &mut Context<Self>,
    ) -> Result<Grant, RpcError> {
        let operator = open.session.operator_id;
        if let (Ok(key), Some(peer)) = (&checked, self.sessions.peer(id)) {
            let write = self.keys.learn(operator, *key, peer.ip());
            self.save(write.into_iter().collect(), ctx);
        }
        let outcome = checked.and_then(|_| self.admit(id, open));
        if let Err(refusal) = &outcome {
            self.sessions.refused(id, refusal);
        }
        outcome
    }
}

/// The key of an operator that is in a quorum. The registry of keys alone remembers those that have left.
async fn look_up(deps: &Dependencies, operator: OperatorId) -> Result<PublicKeyG2, RpcError> {
    let unavailable = |error| {
        warn!(%operator, %error, "an operator could not be looked up");
        RpcError::Unavailable("the aggregator cannot read the chain at the moment".into())
    };
    let registered = deps.registry.operator(operator).await.map_err(unavailable)?;
    let registered = registered.ok_or(RpcError::NotRegistered(operator))?;
    let standing = deps.standings.standing(operator, &[]).await.map_err(unavailable)?;
    if !standing.is_in_quorum() {
        return Err(RpcError::NotRegistered(operator));
    }
    Ok(registered.key.g2())
}
