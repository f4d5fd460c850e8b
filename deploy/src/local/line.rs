//! How a task's line looks. No I/O.

use alloy::primitives::Address;

use super::operators::Numbers;
use crate::tasks::{Answered, Open, Part, signed_bps};

/// `task 3  Local Lending  0.750000000  signed by 1, 3, not 2 (66.66 %)  block 84, 2 blocks (2 s) after 82  tx 0x…`
pub(super) fn answered(answered: &Answered, protocol: &str, numbers: &Numbers) -> String {
    let Answered { open, response, at, parts } = answered;
    let value = response.value.to_string();
    let signers = signers(parts, numbers);
    let blocks = at.block.saturating_sub(open.created.block);
    let seconds = at.time.saturating_sub(open.created.time);
    format!(
        "task {:<3} {protocol:<14} {value:>13}  {signers}  block {}, {blocks} {} ({seconds} s) after its creation  tx {}",
        open.task.index,
        at.block,
        if blocks == 1 { "block" } else { "blocks" },
        response.transaction,
    )
}

fn signers(parts: &[Part], numbers: &Numbers) -> String {
    let names = |signed: bool| {
        let some = parts.iter().filter(|part| part.signed == signed);
        list(some.map(|part| name(part.operator, numbers)).collect())
    };
    let (signed, not, bps) = (names(true), names(false), signed_bps(parts));
    let absent = if not.is_empty() { String::new() } else { format!(", not by {not}") };
    format!("signed by {signed}{absent} ({}.{:02} % of stake)", bps / 100, bps % 100)
}

/// `task 4  Local Lending  not answered within 30 blocks: 33 % of the stake signed, 66 % are needed; …`
/// `remedy` says how to bring the first of those that are down back.
pub(super) fn missed(
    open: &Open,
    protocol: &str,
    signed_percent: Option<u64>,
    down: &[u32],
    remedy: &str,
) -> String {
    let (window, threshold) = (open.last_block - open.created.block, open.task.quorum_threshold_percentage);
    let mut line =
        format!("task {:<3} {protocol:<14} NOT ANSWERED within {window} blocks: ", open.task.index);
    line += &match signed_percent {
        Some(percent) => format!("{percent} % of the stake signed, {threshold} % must"),
        None => format!("{threshold} % of the stake must sign, and no aggregator says how much did"),
    };
    if let Some(first) = down.first() {
        let who = list(down.iter().map(u32::to_string).collect());
        let (noun, be) = if down.len() == 1 { ("operator", "is") } else { ("operators", "are") };
        line += &format!("; {noun} {who} {be} down ({remedy} brings {first} back)");
    }
    line
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
    use super::*;
    use crate::tasks::{At, Response, tests::task};
    use alloy::primitives::{B256, I256, U256};
    use anzen_messages::{OperatorId, SafetyFactor};

    fn numbers() -> Numbers {
        [(Address::repeat_byte(1), 2), (Address::repeat_byte(2), 10), (Address::repeat_byte(3), 1)].into()
    }

    fn part(byte: u8, signed: bool) -> Part {
        let id = OperatorId(B256::repeat_byte(byte));
        Part { operator: Address::repeat_byte(byte), id, stake: U256::from(100), signed }
    }

    fn open() -> Open {
        let created = At { block: 82, time: 1_000 };
        Open { hash: B256::ZERO, task: task(3), created, last_block: 112 }
    }

    fn line(parts: Vec<Part>) -> String {
        let response = Response {
            value: SafetyFactor(I256::try_from(750_000_000).unwrap()),
            block: 84,
            transaction: B256::repeat_byte(9),
            non_signers: Default::default(),
        };
        let at = At { block: 84, time: 1_002 };
        answered(&Answered { open: open(), response, at, parts }, "Local Lending", &numbers())
    }

    #[test]
    fn says_who_signed_and_who_did_not() {
        let line = line(vec![part(1, true), part(2, false), part(3, true)]);
        assert!(line.contains("signed by 1, 2, not by 10 (66.66 % of stake)"), "{line}");
        assert!(line.contains("0.750000000") && line.contains("2 blocks (2 s) after"), "{line}");
    }

    #[test]
    fn a_stranger_is_named_by_its_address() {
        let line = line(vec![part(1, true), part(7, true)]);
        assert!(line.contains("signed by 2, 0x0707"), "{line}");
        assert!(line.contains("(100.00 % of stake)"), "{line}");
    }

    #[test]
    fn a_missed_task_says_why_as_far_as_that_is_known() {
        let line = missed(&open(), "P", Some(33), &[2, 3], "`just spawn-operator 2`");
        assert!(line.contains("33 % of the stake signed, 66 % must; operators 2, 3 are down"), "{line}");
        assert!(line.contains("within 30 blocks") && line.contains("spawn-operator 2"), "{line}");
        assert!(!missed(&open(), "P", None, &[], "").contains("down"));
    }
}
