//! Which trace a message belongs to: the W3C trace context (`traceparent`), and the one that every task has.
//!
//! Operators and aggregators learn of a task from the chain and not from each other. So that all they do for it is one
//! trace all the same, a task's trace is derived from its hash.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::TaskHash;

/// The length of a `traceparent`, in bytes.
const LENGTH: usize = 55;

/// A place in a trace: the span that what comes next is a part of. Neither id is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    /// The trace.
    pub trace_id: u128,
    /// The span in it.
    pub span_id: u64,
    /// True where the sender records the trace.
    pub sampled: bool,
}

/// The text is no `traceparent` of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent: 00-<32 lower-case hex digits>-<16>-<2>, neither id zero")]
pub struct NoTraceParent;

impl TraceParent {
    /// The root span of a task's trace. The trace's id is the first 16 bytes of the task's hash, the root's the next 8.
    pub fn of_task(task: TaskHash) -> Self {
        let mut trace_id = [0; 16];
        let mut span_id = [0; 8];
        trace_id.copy_from_slice(&task.0[..16]);
        span_id.copy_from_slice(&task.0[16..24]);
        // Zero means "none", so the hash that would yield it, if there is one, yields another.
        Self {
            trace_id: u128::from_be_bytes(trace_id).max(1),
            span_id: u64::from_be_bytes(span_id).max(1),
            sampled: true,
        }
    }

    /// Reads what came in an envelope. Whatever is no `traceparent` is nothing: a trace is never a reason to refuse a
    /// message.
    pub(crate) fn deserialize_leniently<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Self>, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let quoted = text.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        Ok(quoted.and_then(|text| text.parse().ok()))
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace_id, span_id, sampled } = self;
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{:02x}", u8::from(*sampled))
    }
}

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        let is_hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let parts: Vec<&str> = if text.len() == LENGTH { text.split('-').collect() } else { Vec::new() };
        let [version, trace_id, span_id, flags] = parts[..] else { return Err(NoTraceParent) };
        let lengths = [version, trace_id, span_id, flags].map(str::len);
        if version != "00" || lengths != [2, 32, 16, 2] || ![trace_id, span_id, flags].into_iter().all(is_hex)
        {
            return Err(NoTraceParent);
        }
        let trace_id = u128::from_str_radix(trace_id, 16).map_err(|_| NoTraceParent)?;
        let span_id = u64::from_str_radix(span_id, 16).map_err(|_| NoTraceParent)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| NoTraceParent)?;
        if trace_id == 0 || span_id == 0 {
            return Err(NoTraceParent);
        }
        Ok(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }
}

impl Serialize for TraceParent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, b256};
    use proptest::prelude::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_tasks_trace_is_the_beginning_of_its_hash() {
        let hash = b256!("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20");
        let root = TraceParent::of_task(TaskHash(hash));
        assert_eq!(root.to_string(), "00-0102030405060708090a0b0c0d0e0f10-1112131415161718-01");
        assert_eq!(
            TraceParent::of_task(TaskHash(B256::ZERO)).to_string().parse(),
            Ok(TraceParent { trace_id: 1, span_id: 1, sampled: true })
        );
    }

    #[test]
    fn the_example_of_the_specification_is_read_and_written() {
        let parsed: TraceParent = EXAMPLE.parse().unwrap();
        assert_eq!(parsed.to_string(), EXAMPLE);
        assert!(!EXAMPLE.replace("-01", "-02").parse::<TraceParent>().unwrap().sampled);
    }

    #[test]
    fn what_is_none_is_refused() {
        for wrong in [
            "",
            "00",
            &EXAMPLE.replace("00-4", "ff-4"),
            &EXAMPLE.to_uppercase(),
            &EXAMPLE.replace('b', "+"),
            &EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &EXAMPLE.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &format!("{EXAMPLE}-more"),
            &EXAMPLE.replace("-00f0", "0-0f0"),
        ] {
            assert_eq!(wrong.parse::<TraceParent>(), Err(NoTraceParent), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = text.parse::<TraceParent>();
        }

        #[test]
        fn any_text_of_that_length_is_read_or_refused(text in "[0-9a-fé-]{0,55}") {
            if let Ok(parsed) = text.parse::<TraceParent>() {
                prop_assert_eq!(parsed.to_string().parse(), Ok(parsed));
            }
        }

        #[test]
        fn what_is_written_is_read(trace_id in 1..u128::MAX, span_id in 1..u64::MAX, sampled: bool) {
            let context = TraceParent { trace_id, span_id, sampled };
            prop_assert_eq!(context.to_string().parse(), Ok(context));
        }
    }
}
