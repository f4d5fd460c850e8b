//! A client of a node, for what is done once: by commands, and before the actors start.

use std::time::Duration;

use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::transports::http::reqwest::Client;

use super::error::NodeError;
use crate::adapters::Endpoint;

/// A client of the node at `endpoint`, which answers within `timeout` or fails. Asks nothing yet.
///
/// # Errors
/// Where no HTTP client can be made.
pub fn client_of(endpoint: &Endpoint, timeout: Duration) -> Result<DynProvider, NodeError> {
    let client = Client::builder().timeout(timeout).build();
    let client = client.map_err(|error| NodeError::Adapter(error.to_string()))?;
    Ok(ProviderBuilder::new().connect_reqwest(client, endpoint.url().clone()).erased())
}
