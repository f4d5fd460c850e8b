//! How a task's line looks. No I/O.

use std::fmt::Write;

use alloy::primitives::Address;

use super::open::{Answer, Missed};
use crate::local::operators::Numbers;

impl Answer {
    /// `task 3  Local Lending  0.750000000  signed by 1, 3, not 2 (66.66 %)  block 84, 2 blocks (2 s) after 82  tx 0x…`
    pub(in crate::local) fn line(&self, numbers: &Numbers) -> String {
        let mut line =
            format!("task {:<3} {:<14} {:>13}  ", self.index, self.protocol, self.value.to_string());
        let names = |signed: bool| {
            let some = self.parts.iter().filter(|part| part.signed == signed);
            list(some.map(|part| name(part.operator, numbers)).collect())
        };
        let (signed, not) = (names(true), names(false));
        line += &format!("signed by {signed}");
        if !not.is_empty() {
            line += &format!(", not by {not}");
        }
        let (bps, blocks) = (self.signed_bps(), self.answered.block.saturating_sub(self.created.block));
        let seconds = self.answered.time.saturating_sub(self.created.time);
        // A String takes everything.
        let _ = write!(
            line,
            " ({}.{:02} % of stake)  block {}, {blocks} {} ({seconds} s) after its creation  tx {}",
            bps / 100,
            bps % 100,
            self.answered.block,
            if blocks == 1 { "block" } else { "blocks" },
            self.transaction,
        );
        line
    }
}

impl Missed {
    /// `task 4  Local Lending  not answered within 30 blocks: 33 % of the stake signed, 66 % are needed; …`
    /// `remedy` says how to bring the first of those that are down back.
    pub(in crate::local) fn line(&self, signed_percent: Option<u64>, down: &[u32], remedy: &str) -> String {
        let mut line = format!("task {:<3} {:<14} ", self.index, self.protocol);
        line += &format!("NOT ANSWERED within {} blocks: ", self.window);
        line += &match signed_percent {
            Some(percent) => format!("{percent} % of the stake signed, {} % must", self.threshold),
            None => format!("{} % of the stake must sign, and less did", self.threshold),
        };
        if let Some(first) = down.first() {
            let who = list(down.iter().map(u32::to_string).collect());
            let (noun, be) = if down.len() == 1 { ("operator", "is") } else { ("operators", "are") };
            line += &format!("; {noun} {who} {be} down ({remedy} brings {first} back)");
        }
        line
    }
}

fn name(operator: Address, numbers: &Numbers) -> String {
    match numbers.get(&operator) {
        Some(number) => number.to_string(),
        None => operator.to_string(),
    }
}

/// In the order of their numbers, strangers last.
fn list(mut names: Vec<String>) -> String {
    names.sort_by_key(|name| (name.parse::<u32>().unwrap_or(u32::MAX), name.clone()));
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::open::{At, Part};
    use super::*;
    use alloy::primitives::{B256, I256, U256};
    use anzen_messages::SafetyFactor;

    fn numbers() -> Numbers {
        [(Address::repeat_byte(1), 2), (Address::repeat_byte(2), 10), (Address::repeat_byte(3), 1)].into()
    }

    fn part(byte: u8, signed: bool) -> Part {
        Part { operator: Address::repeat_byte(byte), stake: U256::from(100), signed }
    }

    fn answer(parts: Vec<Part>) -> Answer {
        Answer {
            index: 3,
            protocol: "Local Lending".into(),
            value: SafetyFactor(I256::try_from(750_000_000).unwrap()),
            parts,
            created: At { block: 82, time: 1_000 },
            answered: At { block: 84, time: 1_002 },
            transaction: B256::repeat_byte(9),
        }
    }

    #[test]
    fn says_who_signed_and_who_did_not() {
        let line = answer(vec![part(1, true), part(2, false), part(3, true)]).line(&numbers());
        assert!(line.contains("signed by 1, 2, not by 10 (66.66 % of stake)"), "{line}");
        assert!(line.contains("0.750000000") && line.contains("2 blocks (2 s) after"), "{line}");
    }

    #[test]
    fn a_stranger_is_named_by_its_address() {
        let line = answer(vec![part(1, true), part(7, true)]).line(&numbers());
        assert!(line.contains("signed by 2, 0x0707"), "{line}");
        assert!(line.contains("(100.00 % of stake)"), "{line}");
    }

    #[test]
    fn a_missed_task_says_why_as_far_as_that_is_known() {
        let missed = Missed { index: 4, protocol: "P".into(), threshold: 66, window: 30 };
        let line = missed.line(Some(33), &[2, 3], "`just spawn-operator 2`");
        assert!(line.contains("33 % of the stake signed, 66 % must; operators 2, 3 are down"), "{line}");
        assert!(line.contains("spawn-operator 2"), "{line}");
        assert!(!missed.line(None, &[], "").contains("down"));
    }
}
