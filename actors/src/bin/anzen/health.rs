//! `anzen health`: asks a running process how it is, as the AVS node API tells; for people, and for Docker.

use std::{fmt, process::ExitCode, time::Duration};

use alloy::transports::http::reqwest::{self, Url};
use serde::{Deserialize, Serialize};

use crate::outcome::{NOT_SO, Outcome};
use crate::output::{Output, Report, table};

/// How long a process may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the process serves the node API (api.listen).
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9010")]
    url: Url,
    /// Take a process that is only partially healthy, or initializing, for one that is not healthy.
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Serialize)]
struct Found {
    health: &'static str,
    services: Vec<Service>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Service {
    id: String,
    name: String,
    description: String,
    status: String,
}

#[derive(Debug, Deserialize)]
struct Services {
    services: Vec<Service>,
}

#[derive(Debug, thiserror::Error)]
enum HealthError {
    #[error("nobody answers at {0}; is the process up, and is this its api.listen?")]
    NoAnswer(Url, #[source] reqwest::Error),
    #[error("{0} is not an AVS node API: it answered {1}")]
    NotAnApi(Url, reqwest::StatusCode),
    #[error("{0} is no address to add a path to")]
    NoBase(Url),
}

impl Report for Found {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "{}\n", self.health)?;
        let row = |one: &Service| vec![one.id.clone(), one.status.clone(), one.description.clone()];
        writeln!(f, "{}", table(&["SERVICE", "STATUS", "WHAT IT DOES"], self.services.iter().map(row)))
    }
}

pub(crate) fn run(arguments: &Arguments, output: Output) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(ask(&arguments.url))?;
    output.print(&found)?;
    let healthy = match found.health {
        "healthy" => true,
        "partially healthy" => !arguments.strict,
        _ => false,
    };
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::from(NOT_SO) })
}

async fn ask(url: &Url) -> Result<Found, HealthError> {
    let failed = |error| HealthError::NoAnswer(url.clone(), error);
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().map_err(failed)?;
    let get = async |path: &str| {
        let at = url.join(path).map_err(|_| HealthError::NoBase(url.clone()))?;
        client.get(at).send().await.map_err(failed)
    };
    let health = match get("/eigen/node/health").await?.status() {
        reqwest::StatusCode::OK => "healthy",
        reqwest::StatusCode::PARTIAL_CONTENT => "partially healthy",
        reqwest::StatusCode::SERVICE_UNAVAILABLE => "unhealthy",
        other => return Err(HealthError::NotAnApi(url.clone(), other)),
    };
    let services = get("/eigen/node/services").await?.bytes().await.map_err(failed)?;
    let services: Services = serde_json::from_slice(&services)
        .map_err(|_| HealthError::NotAnApi(url.clone(), reqwest::StatusCode::OK))?;
    Ok(Found { health, services: services.services })
}
