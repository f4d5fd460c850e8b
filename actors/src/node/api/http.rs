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

#[cfg(test)]
mod tests {
    use std::future::IntoFuture;

    use alloy::transports::http::reqwest::{Client, Method};
    use anzen_messages::wire::ActorName;
    use serde_json::{Value, json};
    use tokio::net::TcpListener;
    use tokio::sync::watch;

    use super::super::services::{Service, services_of};
    use super::*;

    struct Api {
        base: String,
        client: Client,
        reports: watch::Sender<Report>,
    }

    impl Api {
        async fn start() -> Self {
            let services = services_of(&[ActorName::OperatorSigner]);
            let report = |service: Service| ServiceReport { service, health: Health::Up };
            let (reports, receiver) =
                watch::channel(Report { services: services.into_iter().map(report).collect() });
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let base = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(axum::serve(listener, router(receiver)).into_future());
            Self { base, client: Client::builder().no_proxy().build().unwrap(), reports }
        }

        fn set(&self, health: &Health) {
            self.reports.send_modify(|report| report.services[0].health = health.clone());
        }

        async fn ask(&self, method: Method, path: &str) -> (u16, String, String) {
            let answer = self.client.request(method, format!("{}{path}", self.base)).send().await.unwrap();
            let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
            (answer.status().as_u16(), kind.unwrap_or_default(), answer.text().await.unwrap())
        }

        async fn json(&self, path: &str, status: u16) -> Value {
            let (found, kind, text) = self.ask(Method::GET, path).await;
            assert_eq!((found, kind.as_str()), (status, "application/json"), "{path}");
            serde_json::from_str(&text).unwrap()
        }

        async fn status(&self, path: &str) -> u16 {
            let (status, _, text) = self.ask(Method::GET, path).await;
            assert_eq!(text, "", "{path} tells its status only");
            status
        }
    }

    #[tokio::test]
    async fn a_node_says_what_it_is() {
        let api = Api::start().await;
        let node = json!({ "node_name": "anzen", "spec_version": "v0.0.1", "node_version": NODE_VERSION });
        assert_eq!(api.json("/eigen/node", 200).await, node);
    }

    #[tokio::test]
    async fn health_is_told_by_the_status_alone() {
        let api = Api::start().await;
        let reason = || "secret".to_owned();
        for (health, status, word) in [
            (Health::Up, 200, "Up"),
            (Health::Initializing(reason()), 206, "Initializing"),
            (Health::Down(reason()), 503, "Down"),
        ] {
            api.set(&health);
            assert_eq!(api.status("/eigen/node/health").await, status);
            assert_eq!(api.status("/eigen/node/services/operator-signer/health").await, status);
            assert_eq!(api.status("/eigen/node/services/store/health").await, 200);
            let services = api.json("/eigen/node/services", 200).await;
            let expected = json!({
                "id": "operator-signer", "name": "OperatorSigner",
                "description": "Computes, signs and submits the operator's answers", "status": word,
            });
            assert_eq!(services["services"][0], expected);
        }
    }

    #[tokio::test]
    async fn an_unknown_service_is_not_found() {
        let api = Api::start().await;
        for id in ["tx-sender", "Operator-Signer", "store%2F..", "x%00"] {
            assert_eq!(api.status(&format!("/eigen/node/services/{id}/health")).await, 404, "{id}");
        }
    }

    #[tokio::test]
    async fn other_versions_are_not_found() {
        let api = Api::start().await;
        let paths = ["", "/health", "/services", "/services/operator-signer/health", "/services/none/health"];
        for path in paths.map(|path| format!("/eigen/node{path}")) {
            for version in ["0.0.2", "v1.0.0", "", "vv0.0.1", "latest"] {
                let answer = api.json(&format!("{path}?version={version}"), 404).await;
                assert_eq!(answer, json!({ "message": "API version not found" }));
            }
        }
        for version in ["v0.0.1", "0.0.1"] {
            assert_eq!(api.status(&format!("/eigen/node/health?version={version}&x=1")).await, 200);
        }
    }

    #[tokio::test]
    async fn nothing_can_be_changed() {
        let api = Api::start().await;
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            assert_eq!(api.ask(method, "/eigen/node/health").await.0, 405);
        }
        assert_eq!(api.ask(Method::HEAD, "/eigen/node/health").await.0, 200);
    }
}
