//! The endpoints, to the letter of the specification: <https://docs.eigenlayer.xyz/eigenlayer/avs-guides/spec/api>.
//! Methods other than GET (and HEAD) get 405.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::ledger::{NodeHealth, Report, ServiceReport};
use super::monitor::Reports;
use crate::health::Health;

/// The version of the specification, which is the API's too.
const SPEC_VERSION: &str = "v0.0.1";
/// What the software is called; all of its processes are.
const NODE_NAME: &str = "anzen";
const NODE_VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

#[derive(Serialize)]
struct Node {
    node_name: &'static str,
    spec_version: &'static str,
    node_version: &'static str,
}

#[derive(Serialize)]
struct Services<'a> {
    services: Vec<Service<'a>>,
}

#[derive(Serialize)]
struct Service<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    status: &'static str,
}

#[derive(Serialize)]
struct Message {
    message: &'static str,
}

/// Serves what `reports` says.
pub(crate) fn router(reports: Reports) -> Router {
    Router::new()
        .route("/eigen/node", get(node))
        .route("/eigen/node/health", get(node_health))
        .route("/eigen/node/services", get(services))
        .route("/eigen/node/services/{id}/health", get(service_health))
        .layer(from_fn(check_version))
        .with_state(reports)
}

/// Without a version the latest is meant, which is the only one.
async fn check_version(request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let mut versions = query.split('&').filter_map(|pair| match pair.split_once('=') {
        Some(("version", version)) => Some(version),
        None if pair == "version" => Some(""),
        _ => None,
    });
    // The specification writes it with and without the v.
    if versions.any(|version| version.strip_prefix('v').unwrap_or(version) != &SPEC_VERSION[1..]) {
        return json(StatusCode::NOT_FOUND, &Message { message: "API version not found" });
    }
    next.run(request).await
}

async fn node() -> Response {
    let node = Node { node_name: NODE_NAME, spec_version: SPEC_VERSION, node_version: NODE_VERSION };
    json(StatusCode::OK, &node)
}

async fn node_health(State(reports): State<Reports>) -> StatusCode {
    match reports.borrow().node() {
        NodeHealth::Healthy => StatusCode::OK,
        NodeHealth::PartiallyHealthy => StatusCode::PARTIAL_CONTENT,
        NodeHealth::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn services(State(reports): State<Reports>) -> Response {
    let report: Report = reports.borrow().clone();
    json(StatusCode::OK, &Services { services: report.services.iter().map(Service::from).collect() })
}

async fn service_health(State(reports): State<Reports>, Path(id): Path<String>) -> StatusCode {
    match reports.borrow().service(&id) {
        Some(Health::Up) => StatusCode::OK,
        Some(Health::Initializing(_)) => StatusCode::PARTIAL_CONTENT,
        Some(Health::Down(_)) => StatusCode::SERVICE_UNAVAILABLE,
        None => StatusCode::NOT_FOUND,
    }
}

impl<'a> From<&'a ServiceReport> for Service<'a> {
    /// Not the reason: the API is public.
    fn from(report: &'a ServiceReport) -> Self {
        let super::services::Service { id, name, description, .. } = report.service;
        let status = match report.health {
            Health::Up => "Up",
            Health::Initializing(_) => "Initializing",
            Health::Down(_) => "Down",
        };
        Self { id, name, description, status }
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let (status, text) = match serde_json::to_string(body) {
        Ok(text) => (status, text),
        Err(error) => {
            tracing::error!(%error, "an answer of the node API could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, r#"{"message":"Internal server error"}"#.to_owned())
        }
    };
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
