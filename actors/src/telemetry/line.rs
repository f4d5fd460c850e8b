//! What a log line looks like. A line has the fields of its event, of the spans around it, and of the process; of two
//! fields with one name, that of the innermost counts.

use std::fmt::{self, Write as _};
use std::sync::OnceLock;

use anzen_messages::wire::ActorName;
use serde_json::{Map, Value};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Who this process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What it calls itself.
    pub node: String,
    /// The operator whose key it has.
    pub operator: Option<anzen_messages::OperatorId>,
}

static PROCESS: OnceLock<Identity> = OnceLock::new();

/// From now on, every JSON line says who the process is. The first identity counts.
pub fn identify(identity: Identity) {
    let _ = PROCESS.set(identity);
}

/// Writes lines.
pub(super) struct Line {
    pub(super) json: bool,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Map::new();
        if let Some(actor) = actor_of(event.metadata().target()) {
            fields.insert("actor".into(), actor.into());
        }
        for span in ctx.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(formatted) = span.extensions().get::<FormattedFields<N>>() {
                fields.extend(parse(formatted));
            }
        }
        let mut own = String::new();
        JsonFields::new().format_fields(Writer::new(&mut own), event)?;
        fields.extend(parse(&own));
        if self.json { json(&mut writer, event, fields) } else { pretty(&mut writer, event, fields) }
    }
}

/// What [`JsonFields`] wrote.
fn parse(fields: &str) -> Map<String, Value> {
    serde_json::from_str(fields).unwrap_or_default()
}

/// The actor that a module is of: `anzen_actors::tx_sender::actor` is tx-sender's.
fn actor_of(target: &str) -> Option<&'static str> {
    let module = target.strip_prefix("anzen_actors::")?.split("::").next()?.replace('_', "-");
    ActorName::ALL.into_iter().map(ActorName::as_str).find(|name| *name == module)
}

fn json(writer: &mut Writer<'_>, event: &Event<'_>, mut fields: Map<String, Value>) -> fmt::Result {
    if let Some(process) = PROCESS.get() {
        fields.entry("node").or_insert_with(|| process.node.clone().into());
        if let Some(operator) = process.operator {
            fields.entry("operator").or_insert_with(|| operator.to_string().into());
        }
    }
    let mut time = String::new();
    SystemTime.format_time(&mut Writer::new(&mut time))?;
    let line = serde_json::json!({
        "timestamp": time,
        "level": event.metadata().level().as_str(),
        "target": event.metadata().target(),
        "fields": fields,
    });
    writeln!(writer, "{line}")
}

fn pretty(writer: &mut Writer<'_>, event: &Event<'_>, mut fields: Map<String, Value>) -> fmt::Result {
    let level = *event.metadata().level();
    let color = match level {
        Level::ERROR => "31",
        Level::WARN => "33",
        Level::INFO => "32",
        _ => "34",
    };
    let mut line = String::new();
    SystemTime.format_time(&mut Writer::new(&mut line))?;
    let (message, actor) = (fields.remove("message"), fields.remove("actor"));
    write!(line, " {}", painted(writer, color, &format!("{level:>5}")))?;
    if let Some(actor) = actor {
        write!(line, " {}:", painted(writer, "1", text(&actor).as_str()))?;
    }
    if let Some(message) = message {
        write!(line, " {}", text(&message))?;
    }
    for (name, value) in &fields {
        write!(line, " {}{}", painted(writer, "2", &format!("{name}=")), text(value))?;
    }
    writeln!(writer, "{line}")
}

fn painted(writer: &Writer<'_>, color: &str, text: &str) -> String {
    if writer.has_ansi_escapes() { format!("\u{1b}[{color}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// A value for people. What came from elsewhere does not get to write on the terminal.
fn text(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars()
        .flat_map(|c| if c.is_control() && c != '\n' { c.escape_default().collect() } else { vec![c] })
        .collect()
}
