//! Which trace a span belongs to, here and on the wire.

use anzen_messages::TaskHash;
use anzen_messages::trace::TraceParent;
use anzen_messages::wire::Wire;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// A message to an actor of this process, with the span that it was sent in. A mailbox would lose it.
pub struct Incoming<M> {
    /// The message.
    pub message: M,
    /// The sender's span.
    pub span: Span,
}

impl<M> Incoming<M> {
    pub(crate) fn new(message: M) -> Self {
        Self { message, span: Span::current() }
    }
}

impl<M: Wire> actix::Message for Incoming<M> {
    type Result = M::Reply;
}

/// The span, beneath the root of a task's trace.
pub(crate) fn rooted(span: Span, task: TaskHash) -> Span {
    within(&span, TraceParent::of_task(task));
    span
}

/// Makes a span that has just been made a child of one in another process.
fn within(span: &Span, parent: TraceParent) {
    let parent = Context::new().with_remote_span_context(span_context(parent));
    // Where nothing is recorded, no span has a parent.
    let _ = span.set_parent(parent);
}

pub(super) fn span_context(parent: TraceParent) -> SpanContext {
    let flags = if parent.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace_id, span_id) = (parent.trace_id.into(), parent.span_id.into());
    SpanContext::new(trace_id, span_id, flags, true, TraceState::default())
}

/// The current span, for a message to another process; nothing where none is recorded.
pub(crate) fn current() -> Option<TraceParent> {
    let context = Context::current();
    let current = context.span().span_context().clone();
    current.is_valid().then(|| TraceParent {
        trace_id: u128::from_be_bytes(current.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(current.span_id().to_bytes()),
        sampled: current.is_sampled(),
    })
}

/// The span of taking a message from another process; none for a message that is part of no trace.
///
/// A message about a task belongs to the task's trace, whatever its sender says: otherwise a stranger could write into
/// other traces.
pub(crate) fn receive<M: Wire>(message: &M, trace: Option<TraceParent>) -> Span {
    let task = message.task();
    let Some(parent) = parent_of(task, trace) else { return Span::none() };
    let actor = anzen_messages::wire::ActorName::RpcGateway.as_str();
    let task = task.map(tracing::field::display);
    let span = super::step!(
        "gateway.receive",
        actor,
        task,
        method = M::NAME,
        operator = tracing::field::Empty,
        otel.kind = "server"
    );
    within(&span, parent);
    span
}

pub(super) fn parent_of(task: Option<TaskHash>, trace: Option<TraceParent>) -> Option<TraceParent> {
    let root = task.map(TraceParent::of_task);
    match root {
        Some(root) => Some(trace.filter(|trace| trace.trace_id == root.trace_id).unwrap_or(root)),
        None => trace,
    }
}
