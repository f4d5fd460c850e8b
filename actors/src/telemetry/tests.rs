use anzen_messages::TaskHash;
use anzen_messages::trace::TraceParent;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use std::sync::{Arc, Mutex};
use tracing::Span;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;

use super::context::parent_of;
use super::export::{Begun, Ids, TRACER};
use super::line::Line;
use super::start::{spans, traces_url};
use super::*;

fn task() -> TaskHash {
    TaskHash(alloy::primitives::B256::repeat_byte(0xab))
}

#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

/// What is recorded while `work` runs.
fn recorded(work: impl FnOnce()) -> Vec<SpanData> {
    let kept = Kept::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(kept.clone())
        .with_id_generator(Ids::default())
        .build();
    let subscriber = tracing_subscriber::registry().with(spans(&provider));
    tracing::subscriber::with_default(subscriber, work);
    kept.0.lock().unwrap().clone()
}

#[test]
fn a_step_for_a_task_is_in_the_tasks_trace_and_so_is_what_it_calls() {
    let mut sent = None;
    let spans = recorded(|| {
        let outer = task_step!("signer.compute", OperatorSigner, task(), index = 3);
        let _in = outer.enter();
        let _context = scope!(OperatorSigner).entered();
        step!("submit", aggregator = "a").in_scope(|| sent = current());
    });
    let root = TraceParent::of_task(task());
    let [inner, outer] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(outer.parent_span_id, root.span_id.into());
    assert_eq!(inner.parent_span_id, outer.span_context.span_id());
    for span in [inner, outer] {
        assert_eq!(span.span_context.trace_id(), root.trace_id.into());
    }
    let sent = sent.unwrap();
    assert_eq!(
        (sent.trace_id.into(), sent.span_id.into()),
        (inner.span_context.trace_id(), inner.span_context.span_id())
    );
}

#[test]
fn a_message_about_a_task_is_part_of_no_other_trace() {
    let root = TraceParent::of_task(task());
    let own = TraceParent { span_id: 7, ..root };
    let other = TraceParent { trace_id: 8, ..own };
    assert_eq!(parent_of(Some(task()), Some(own)), Some(own));
    assert_eq!(parent_of(Some(task()), Some(other)), Some(root));
    assert_eq!(parent_of(Some(task()), None), Some(root));
    assert_eq!(parent_of(None, Some(other)), Some(other));
    assert_eq!(parent_of(None, None), None);
}

#[test]
fn nothing_is_sent_along_where_nothing_is_recorded() {
    assert_eq!(current(), None);
    let span = task_step!("signer.compute", OperatorSigner, task());
    assert_eq!(span.in_scope(current), None);
    let _ = Begun::now(&Span::none());
}

#[test]
fn the_ids_of_a_root_are_those_of_its_task() {
    use opentelemetry::trace::{Tracer, TracerProvider};
    let kept = Kept::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(kept.clone())
        .with_id_generator(Ids::default())
        .build();
    opentelemetry::global::set_tracer_provider(provider.clone());
    task_created(task(), &Begun::now(&Span::none()), [("index", 1), ("oracle_index", 2), ("block", 3)]);
    drop(provider.tracer(TRACER).start("another"));
    let spans = kept.0.lock().unwrap();
    let root = TraceParent::of_task(task());
    assert_eq!(spans[0].span_context.trace_id(), root.trace_id.into());
    assert_eq!(spans[0].span_context.span_id(), root.span_id.into());
    assert_ne!(spans[1].span_context.trace_id(), root.trace_id.into());
}

/// Whatever becomes of the spans, exporting them ends, and is counted.
#[test]
fn a_collector_that_is_gone_costs_a_count() {
    use opentelemetry_otlp::WithExportConfig;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    drop(listener);
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(nobody)
        .with_timeout(std::time::Duration::from_millis(200))
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let metrics = ExportMetrics::default();
    let exporter = super::otlp::OnRuntime::new(exporter, runtime.handle().clone(), metrics.clone());
    let spans = recorded(|| drop(task_step!("signer.compute", OperatorSigner, task())));
    assert!(futures::executor::block_on(exporter.export(spans)).is_err());
    let mut registry = prometheus_client::registry::Registry::default();
    metrics.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains(r#"anzen_telemetry_spans_total{outcome="failed"} 1"#), "{text}");
}

#[test]
fn the_endpoint_may_be_given_with_its_path_or_without() {
    for endpoint in ["http://c:4318", "http://c:4318/", "http://c:4318/v1/traces"] {
        assert_eq!(traces_url(endpoint), "http://c:4318/v1/traces");
    }
}

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Page {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What is logged while `work` runs.
fn logged(json: bool, work: impl FnOnce()) -> String {
    let page = Page::default();
    let log = tracing_subscriber::fmt::layer()
        .with_writer(page.clone())
        .with_ansi(false)
        .fmt_fields(JsonFields::new())
        .event_format(Line { json });
    tracing::subscriber::with_default(tracing_subscriber::registry().with(log), work);
    let bytes = page.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn speak() {
    let span = task_step!("signer.compute", OperatorSigner, task(), index = 3);
    let _in = span.enter();
    tracing::warn!(index = 4, error = "a \u{1b}[2J b", "cannot");
    tracing::info!(target: "anzen_actors::tx_sender::actor", "sent");
}

#[test]
fn a_json_line_has_the_fields_of_the_spans_around_it() {
    let text = logged(true, speak);
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["level"], "WARN");
    let fields = &lines[0]["fields"];
    assert_eq!(fields["task"], task().to_string());
    assert_eq!(
        (&fields["actor"], &fields["index"]),
        (&"operator-signer".into(), &4.into()),
        "the innermost counts"
    );
    assert_eq!(fields["message"], "cannot");
}

#[test]
fn a_line_for_people_has_them_too_and_nothing_that_a_terminal_obeys() {
    let text = logged(false, speak);
    let line = text.lines().next().unwrap();
    assert!(line.contains(" WARN operator-signer: cannot"), "{line}");
    assert!(line.contains(&format!("task={}", task())) && line.contains("index=4"), "{line}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn an_actor_is_known_by_its_module() {
    let said = || tracing::info!(target: "anzen_actors::tx_sender::actor", "sent");
    assert!(logged(false, said).contains("tx-sender: sent"));
    assert!(logged(true, said).contains(r#""actor":"tx-sender""#));
}
