//! How actors reach each other: a [`Handle`] that hides the distance, an [`Inbox`] that bounds what an actor takes on, a
//! [`Dispatcher`] that hands messages from other processes to the actors here, a [`Directory`] that says who is where.

mod directory;
mod dispatch;
mod handle;
mod inbox;
mod metrics;

pub use directory::{Directory, NoRoute};
pub use dispatch::{DispatchError, Dispatcher};
pub use handle::{DeliveryError, Handle};
pub use inbox::Inbox;

pub use crate::telemetry::Incoming;
pub use metrics::BusMetrics;
