//! What everything is called on the server.

use anzen_messages::chain::NextBlocks;
use anzen_messages::wire::{ActorName, Wire};

/// Messages that ask and change nothing.
const QUESTIONS: [&str; 1] = [NextBlocks::NAME];

/// True where a message is worth nothing once its sender has stopped waiting, so that it is not kept.
pub(super) fn is_question(name: &str) -> bool {
    QUESTIONS.contains(&name)
}

/// The names of one aggregator's bus.
#[derive(Debug, Clone)]
pub(super) struct Subjects {
    aggregator: String,
}

impl Subjects {
    /// Nothing where the aggregator's name cannot be part of a subject.
    pub(super) fn new(aggregator: &str) -> Option<Self> {
        (is_name(aggregator) && aggregator.len() <= 64).then(|| Self { aggregator: aggregator.to_owned() })
    }

    /// The stream that keeps messages.
    pub(super) fn stream(&self) -> String {
        format!("ANZEN_{}", self.aggregator)
    }

    /// The bucket of the leases.
    pub(super) fn leases(&self) -> String {
        format!("ANZEN_LEASES_{}", self.aggregator)
    }

    /// All that is kept.
    pub(super) fn kept(&self) -> String {
        format!("anzen.{}.do.>", self.aggregator)
    }

    /// All that is kept for an actor.
    pub(super) fn kept_for(&self, actor: ActorName) -> String {
        format!("anzen.{}.do.{actor}.*", self.aggregator)
    }

    /// All questions to an actor.
    pub(super) fn questions_to(&self, actor: ActorName) -> String {
        format!("anzen.{}.ask.{actor}.*", self.aggregator)
    }

    /// Where a message goes.
    pub(super) fn message(&self, to: ActorName, name: &str) -> String {
        let kind = if is_question(name) { "ask" } else { "do" };
        format!("anzen.{}.{kind}.{to}.{name}", self.aggregator)
    }

    /// Where the replies to a process go.
    pub(super) fn replies(&self, process: &str) -> String {
        format!("anzen.{}.re.{process}.*", self.aggregator)
    }

    /// Where the reply to a call goes.
    pub(super) fn reply(&self, process: &str, call: u64) -> String {
        format!("anzen.{}.re.{process}.{call}", self.aggregator)
    }

    /// True of a subject that a reply of this aggregator's may go to: whoever can write to the stream must not have this
    /// process publish elsewhere. A space would end the subject in NATS' protocol.
    pub(super) fn is_reply(&self, subject: &str) -> bool {
        let own = subject.strip_prefix("anzen.").and_then(|rest| rest.strip_prefix(&self.aggregator));
        let parts = own.and_then(|rest| rest.strip_prefix(".re.")).and_then(|rest| rest.split_once('.'));
        parts.is_some_and(|(process, call)| is_name(process) && is_name(call))
    }
}

/// True of what can be one part of a subject.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// The last part of a subject: a message's name, or a call's number.
pub(super) fn last(subject: &str) -> &str {
    subject.rsplit('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_among_its_receivers() {
        let subjects = Subjects::new("a-1").unwrap();
        let kept = subjects.message(ActorName::Aggregator, "aggregator_quorumReached");
        assert_eq!(kept, "anzen.a-1.do.aggregator.aggregator_quorumReached");
        assert!(kept.starts_with(subjects.kept_for(ActorName::Aggregator).trim_end_matches('*')));
        assert!(kept.starts_with(subjects.kept().trim_end_matches('>')));
        assert_eq!(last(&kept), "aggregator_quorumReached");
        let question = subjects.message(ActorName::ChainWatcher, NextBlocks::NAME);
        assert!(question.starts_with(subjects.questions_to(ActorName::ChainWatcher).trim_end_matches('*')));
    }

    #[test]
    fn a_name_that_would_be_several_parts_or_a_pattern_is_none() {
        for bad in ["", "a.b", "*", ">", "a b", "ä", &"a".repeat(65)] {
            assert!(Subjects::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn replies_go_to_the_processes_of_the_same_aggregator_only() {
        let subjects = Subjects::new("a").unwrap();
        assert!(subjects.is_reply(&subjects.reply("p", 7)));
        for bad in [
            "anzen.b.re.p.1",
            "anzen.a.do.aggregator.x",
            "anzen.ab.re.p.1",
            "$JS.API.STREAM.DELETE.x",
            "anzen.a.re.>",
            "anzen.a.re.p",
            "anzen.a.re..1",
            "anzen.a.re.p.1.2",
            "anzen.a.re.p.1 $JS.API.STREAM.DELETE.x",
            "anzen.a.re.p.1\r\nPUB x 0",
        ] {
            assert!(!subjects.is_reply(bad), "{bad}");
        }
    }
}
