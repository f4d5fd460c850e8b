//! The connection to the server: how it is made, and told of.

use std::path::Path;
use std::sync::Arc;

use async_nats::{Client, ConnectOptions, Event};
use tokio::sync::watch;
use tracing::{info, warn};

use super::bus::BusDependencies;
use super::config::NatsConfig;
use super::error::NatsError;
use super::metrics::NatsMetrics;
use crate::retry::Backoff;

/// Pauses between attempts to connect.
const RECONNECT: Backoff = Backoff { first_ms: 50, longest_ms: 2_000 };
/// The most messages that wait within the client to be written. Beyond them senders wait.
const MOST_UNWRITTEN: usize = 256;

/// Starts to connect, and goes on for good; tells whether there is a connection.
///
/// # Errors
/// Where the configuration cannot be.
pub(super) async fn connect(
    config: &NatsConfig,
    deps: &BusDependencies,
) -> Result<(Client, watch::Receiver<bool>), NatsError> {
    if config.is_exposed() {
        return Err(NatsError::Plaintext(config.url.to_string()));
    }
    let failed = |error: &dyn std::fmt::Display| NatsError::Server {
        url: config.url.to_string(),
        error: error.to_string(),
    };
    let addresses = config.url.addresses().map_err(|error| failed(&error))?;
    let (told, connected) = watch::channel(false);
    let options = with_files(options(config, deps, told), config).await?;
    let client = options.connect(addresses).await.map_err(|error| failed(&error))?;
    Ok((client, connected))
}

fn options(config: &NatsConfig, deps: &BusDependencies, told: watch::Sender<bool>) -> ConnectOptions {
    let (metrics, url, rng) = (deps.metrics.clone(), config.url.to_string(), Arc::clone(&deps.rng));
    metrics.connected(&url, false);
    ConnectOptions::new()
        .name(format!("anzen {}", deps.process))
        .retry_on_initial_connect()
        .max_reconnects(None)
        // Others than the configured ones may want plain text.
        .ignore_discovered_servers()
        .require_tls(config.ca.is_some())
        .client_capacity(MOST_UNWRITTEN)
        .reconnect_delay_callback(move |attempts| {
            RECONNECT.pause(rng.as_ref(), u32::try_from(attempts).unwrap_or(u32::MAX))
        })
        .event_callback(move |event| {
            note(&metrics, &url, &event, &told);
            std::future::ready(())
        })
}

async fn with_files(mut options: ConnectOptions, config: &NatsConfig) -> Result<ConnectOptions, NatsError> {
    if let Some(path) = &config.credentials_file {
        let failed = |error| unusable("nats.credentials_file", path, &error);
        options = options.credentials_file(path).await.map_err(failed)?;
    }
    if let Some(path) = &config.password_file {
        let failed = |error: &std::io::Error| unusable("nats.password_file", path, error);
        let text = tokio::fs::read_to_string(path).await.map_err(|error| failed(&error))?;
        let mut lines = text.lines().map(str::to_owned);
        let (Some(user), Some(password)) = (lines.next(), lines.next()) else {
            let error = std::io::Error::other("it has no two lines: a user name, and a password");
            return Err(failed(&error));
        };
        options = options.user_and_password(user, password);
    }
    if let Some(path) = &config.ca {
        options = options.add_root_certificates(path.clone());
    }
    Ok(options)
}

fn unusable(setting: &'static str, path: &Path, error: &std::io::Error) -> NatsError {
    NatsError::File { setting, path: path.display().to_string(), error: error.to_string() }
}

fn note(metrics: &NatsMetrics, server: &str, event: &Event, told: &watch::Sender<bool>) {
    match event {
        Event::Connected => {
            metrics.connected(server, true);
            info!("connected to the NATS server");
            told.send_replace(true);
        }
        // By this process itself, which tries for good otherwise.
        Event::Closed => {
            metrics.connected(server, false);
            info!("left the NATS server");
            told.send_replace(false);
        }
        Event::Disconnected => {
            metrics.connected(server, false);
            warn!(%event, "no connection to the NATS server; it is being made again");
            told.send_replace(false);
        }
        _ => warn!(%event, "the NATS server"),
    }
}
