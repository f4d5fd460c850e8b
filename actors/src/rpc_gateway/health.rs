//! Whether operators get in, and their messages on.

use async_trait::async_trait;

use super::Edge;
use crate::health::{Health, HealthProbe, Pulse, of_follower};
use crate::ports::UnixMillis;

#[async_trait]
impl HealthProbe for Edge {
    async fn examine(&self, now: UnixMillis) -> Health {
        let actor = self.gateway.examine(now).await;
        actor.and(|| of_follower(true, &self.methods.receivers())).and(|| {
            let closed = || Health::Initializing("operators cannot connect yet".into());
            self.door.get().map_or_else(closed, Pulse::health)
        })
    }
}
