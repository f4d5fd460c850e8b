//! Recording spans: ids, sampling, the root of a task's trace.

use std::cell::Cell;
use std::time::SystemTime;

use anzen_messages::TaskHash;
use anzen_messages::trace::TraceParent;
use opentelemetry::trace::{Link, Span as _, SpanContext, SpanId, TraceContextExt, TraceId, Tracer};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::context::span_context;

/// The name of the tracer.
pub(super) const TRACER: &str = "anzen";

thread_local! {
    /// The ids of the span that this thread makes next, where they are not left to chance.
    static NEXT: Cell<Option<TraceParent>> = const { Cell::new(None) };
}

/// Random ids, but for the roots of tasks.
#[derive(Debug, Default)]
pub(super) struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        NEXT.get().map_or_else(|| self.0.new_trace_id(), |root| span_context(root).trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        NEXT.get().map_or_else(|| self.0.new_span_id(), |root| span_context(root).span_id())
    }
}

/// When the creation of a task was begun, and in which span. The task's hash, and so its trace, is known only when it has
/// been created.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    at: SystemTime,
    span: SpanContext,
}

impl Begun {
    /// Now, in this span.
    pub(crate) fn now(span: &Span) -> Self {
        Self { at: opentelemetry::time::now(), span: span.context().span().span_context().clone() }
    }
}

/// Records the root of a task's trace, `task.create`: from the beginning of the creation until now. It is linked to the
/// span in which the transaction was sent.
pub(crate) fn task_created(task: TaskHash, begun: &Begun, fields: [(&'static str, i64); 3]) {
    let actor = anzen_messages::wire::ActorName::TaskGenerator.as_str();
    let mut attributes = vec![KeyValue::new("task", task.to_string()), KeyValue::new("actor", actor)];
    attributes.extend(fields.map(|(name, value)| KeyValue::new(name, value)));
    let tracer = global::tracer(TRACER);
    let mut builder =
        tracer.span_builder("task.create").with_start_time(begun.at).with_attributes(attributes);
    if begun.span.is_valid() {
        builder = builder.with_links(vec![Link::with_context(begun.span.clone())]);
    }
    NEXT.set(Some(TraceParent::of_task(task)));
    let mut span = tracer.build_with_context(builder, &Context::new());
    NEXT.set(None);
    span.end();
}
