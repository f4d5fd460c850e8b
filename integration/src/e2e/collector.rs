//! An OpenTelemetry collector: takes spans by OTLP over HTTP, and keeps them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// A span, and the process that it is of.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The process.
    pub service: String,
    /// The span.
    pub span: Span,
}

impl Recorded {
    /// An attribute's text.
    pub fn attribute(&self, name: &str) -> Option<String> {
        text(&self.span.attributes, name)
    }
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == name)?.value.as_ref()?;
    match value.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

/// A running collector.
pub struct Collector {
    /// Where it takes spans.
    pub url: String,
    spans: Arc<Mutex<Vec<Recorded>>>,
}

impl Collector {
    /// Starts one, on a port of its own.
    pub async fn start() -> Self {
        let spans = Arc::<Mutex<Vec<Recorded>>>::default();
        let kept = Arc::clone(&spans);
        let take = move |body: Bytes| {
            let request = ExportTraceServiceRequest::decode(body).unwrap();
            kept.lock().unwrap().extend(flatten(request));
            std::future::ready(StatusCode::OK)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, spans }
    }

    /// All that has come.
    pub fn spans(&self) -> Vec<Recorded> {
        self.spans.lock().unwrap().clone()
    }
}

fn flatten(request: ExportTraceServiceRequest) -> Vec<Recorded> {
    let mut flat = Vec::new();
    for of_process in request.resource_spans {
        let attributes = of_process.resource.map(|resource| resource.attributes).unwrap_or_default();
        let service = text(&attributes, "service.name").unwrap();
        let spans = of_process.scope_spans.into_iter().flat_map(|scope| scope.spans);
        flat.extend(spans.map(|span| Recorded { service: service.clone(), span }));
    }
    flat
}
