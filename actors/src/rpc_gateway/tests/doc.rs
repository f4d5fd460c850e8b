//! docs/wire.md says what is true: every code and every limit is looked for there.

use anzen_messages::aggregation::QuorumReached;
use anzen_messages::chain::NextBlocks;
use anzen_messages::transaction::SendTransaction;
use anzen_messages::wire::Wire;

use super::super::error::MOST_WORDS;
use super::super::json_rpc::MOST_ID_BYTES;
use super::super::limits::REPLY_BYTES;
use super::*;
use crate::testing::wire_page_says as says;

/// One of each; a new one must be added here and to the page.
fn all_errors() -> Vec<RpcError> {
    use RpcError::*;
    let (text, id) = (String::new, operator_id(0));
    let all = vec![
        Parse,
        InvalidRequest(text()),
        UnknownMethod(text()),
        Malformed(text()),
        Internal(text()),
        Version(text()),
        TooLarge(text()),
        NoSession,
        SessionExpired,
        NotYourId { session: id, message: id },
        WrongServer { here: text(), there: text() },
        WrongNonce,
        WrongExpiry { expiry: 0, now: 0, longest: 0 },
        NotRegistered(id),
        WrongSignature(id),
        SecondSession(id),
        TooManyAttempts { retry_after_ms: 0 },
        Full(text()),
        Unavailable(text()),
    ];
    for error in &all {
        match error {
            Parse
            | InvalidRequest(_)
            | UnknownMethod(_)
            | Malformed(_)
            | Internal(_)
            | Version(_)
            | TooLarge(_)
            | NoSession
            | SessionExpired
            | NotYourId { .. }
            | WrongServer { .. }
            | WrongNonce
            | WrongExpiry { .. }
            | NotRegistered(_)
            | WrongSignature(_)
            | SecondSession(_)
            | TooManyAttempts { .. }
            | Full(_)
            | Unavailable(_) => {}
        }
    }
    all
}

#[test]
fn every_code_has_a_row() {
    for error in all_errors() {
        let (code, name) = error.kind();
        says(&format!("| {code} | `{name}` |"));
    }
}

#[test]
fn every_limit_has_a_row() {
    let config = serde_json::to_value(Config::default()).unwrap();
    let explained_elsewhere = ["tls", "most_remembered_addresses"];
    for (setting, default) in config.as_object().unwrap() {
        if !explained_elsewhere.contains(&setting.as_str()) {
            says(&format!("| `{setting}` | {default} |"));
        }
    }
    let stranger = Config::default().limits().stranger;
    says(&format!("messages of at most {}\nbytes", stranger.most_message_bytes));
    let pace = stranger.pace.unwrap();
    let each_second = Duration::from_secs(1).as_millis() / pace.refill.as_millis();
    says(&format!("{each_second} calls, frames or KiB a second after a burst of {}", pace.burst));
    says(&format!("and with {} KiB for each reply", REPLY_BYTES / 1024));
    says(&format!("Ids are unsigned 64-bit integers, or strings of at most {MOST_ID_BYTES} bytes"));
    says(&format!("The words of an error have at most {MOST_WORDS} bytes"));
    says(&format!("has at most {} bytes. Bulk goes in batches", SubmitSignature::MOST_BYTES));
}

#[test]
fn every_message_between_processes_has_a_row() {
    fn row<M: Wire>(from: &str) {
        says(&format!("| `{}` | {from} | {} | {} s", M::NAME, M::TO, M::TIMEOUT_MS / 1000));
    }
    row::<NextBlocks>("everyone who follows the chain");
    row::<SubmitSignature>("rpc-gateway");
    row::<QuorumReached>("signature-collector");
    row::<SendTransaction>("task-generator, aggregator, stake-updater, challenger");
}
