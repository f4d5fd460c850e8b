//! Reverts and calls by name: what a contract said or is told, rather than bytes.

use alloy::{
    dyn_abi::{DynSolType, DynSolValue, JsonAbiExt},
    hex,
    json_abi::Error,
    primitives::Selector,
};
use std::{collections::HashMap, sync::LazyLock};

/// Errors of our contracts, as build.rs collected them from the ABIs.
const OURS: &str = include_str!(concat!(env!("OUT_DIR"), "/errors.json"));
/// What the compiler itself reverts with.
const BUILT_IN: [&str; 2] = ["Error(string message)", "Panic(uint256 code)"];
/// OpenZeppelin 4 and others of EigenLayer's time revert with texts; a call without code reverts with nothing.
const NOTHING: &str = "reverted without a reason (a call to an address without code, or out of gas)";

static KNOWN: LazyLock<HashMap<Selector, Error>> = LazyLock::new(|| {
    let ours: Vec<Error> = serde_json::from_str(OURS).unwrap_or_default();
    let texts = BUILT_IN.iter().chain(crate::eigenlayer::ERRORS);
    let parsed = texts.filter_map(|text| Error::parse(&format!("error {text}")).ok());
    // Where two are of one selector ours names the arguments.
    parsed.chain(ours).map(|error| (error.selector(), error)).collect()
});

/// The error in `data`, by name and with its arguments: `ThresholdOutOfRange(threshold: 40, least: 51, greatest: 80)`.
///
/// `None` if no contract of ours or of EigenLayer's has such an error.
pub fn decode_revert(data: &[u8]) -> Option<String> {
    if data.is_empty() {
        return Some(NOTHING.to_owned());
    }
    let (selector, arguments) = data.split_at_checked(4)?;
    let error = KNOWN.get(selector)?;
    let values = error.abi_decode_input(arguments).ok()?;
    Some(match (error.name.as_str(), values.as_slice()) {
        ("Error", [DynSolValue::String(text)]) => text.clone(),
        ("Panic", [DynSolValue::Uint(code, _)]) => panic_text(code.saturating_to()),
        (name, values) => {
            let named = error.inputs.iter().zip(values).map(|(input, value)| argument(&input.name, value));
            format!("{name}({})", named.collect::<Vec<_>>().join(", "))
        }
    })
}

/// Like [`decode_revert`], but unknown data is shown as it is.
pub fn describe_revert(data: &[u8]) -> String {
    decode_revert(data)
        .unwrap_or_else(|| format!("reverted with unknown data {}", hex::encode_prefixed(data)))
}

/// A call by name: `transfer(0x…, 5)`, from the function's signature (`transfer(address,uint256)`) and the call's data.
pub fn describe_call(signature: &str, data: &[u8]) -> String {
    let (name, types) = signature.split_at(signature.find('(').unwrap_or(signature.len()));
    let arguments = data.get(4..).unwrap_or_default();
    // A function of one argument has it in a tuple too.
    let decoded = DynSolType::parse(types).ok().and_then(|types| types.abi_decode_params(arguments).ok());
    match decoded {
        Some(DynSolValue::Tuple(values)) => format!("{name}({})", list(&values)),
        _ => format!("{signature} with {}", hex::encode_prefixed(arguments)),
    }
}

fn argument(name: &str, value: &DynSolValue) -> String {
    let value = text(value);
    if name.is_empty() { value } else { format!("{name}: {value}") }
}

fn text(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Bool(v) => v.to_string(),
        DynSolValue::Int(v, _) => v.to_string(),
        DynSolValue::Uint(v, _) => v.to_string(),
        DynSolValue::Address(v) => v.to_string(),
        DynSolValue::Function(v) => v.to_string(),
        DynSolValue::FixedBytes(v, size) => hex::encode_prefixed(&v[..*size]),
        DynSolValue::Bytes(v) => hex::encode_prefixed(v),
        DynSolValue::String(v) => format!("{v:?}"),
        DynSolValue::Array(v) | DynSolValue::FixedArray(v) => format!("[{}]", list(v)),
        DynSolValue::Tuple(v) => format!("({})", list(v)),
    }
}

fn list(values: &[DynSolValue]) -> String {
    values.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// The causes that Solidity's compiler numbers.
fn panic_text(code: u64) -> String {
    let cause = match code {
        0x01 => "an assertion failed",
        0x11 => "arithmetic overflow",
        0x12 => "division by zero",
        0x21 => "no such value in an enum",
        0x31 => "pop of an empty array",
        0x32 => "index out of bounds",
        0x41 => "out of memory",
        0x51 => "call of an uninitialised function",
        _ => "of an unknown cause",
    };
    format!("Panic(0x{code:02x}): {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AnzenTaskManager, TimelockController};
    use alloy::{
        primitives::{Address, U256},
        sol_types::{Panic, PanicKind, Revert, SolCall, SolError},
    };

    fn threshold_out_of_range() -> AnzenTaskManager::ThresholdOutOfRange {
        let [threshold, least, greatest] = [40, 51, 80].map(U256::from);
        AnzenTaskManager::ThresholdOutOfRange { threshold, least, greatest }
    }

    #[test]
    fn ours_come_with_their_arguments() {
        let error = threshold_out_of_range();
        assert_eq!(
            decode_revert(&error.abi_encode()).as_deref(),
            Some("ThresholdOutOfRange(threshold: 40, least: 51, greatest: 80)")
        );
        let error = AnzenTaskManager::QuorumsNotOfPolicy { given: vec![0, 1].into(), policy: vec![0].into() };
        assert_eq!(
            decode_revert(&error.abi_encode()).as_deref(),
            Some("QuorumsNotOfPolicy(given: 0x0001, policy: 0x00)")
        );
    }

    #[test]
    fn openzeppelin_s_are_known() {
        let error = TimelockController::AccessControlUnauthorizedAccount {
            account: Address::ZERO,
            neededRole: [7; 32].into(),
        };
        let text = decode_revert(&error.abi_encode()).unwrap();
        assert!(text.starts_with("AccessControlUnauthorizedAccount(account: 0x0000"), "{text}");
    }

    #[test]
    fn every_error_of_eigenlayer_s_is_known() {
        for text in crate::eigenlayer::ERRORS {
            let error = Error::parse(&format!("error {text}")).unwrap();
            assert!(KNOWN.contains_key(&error.selector()), "{text}");
        }
        // keccak256("UninitializedAllocationDelay()")
        assert_eq!(decode_revert(&hex!("fa55fc81")).as_deref(), Some("UninitializedAllocationDelay()"));
    }

    #[test]
    fn texts_panics_and_silence() {
        let text = Revert { reason: "Initializable: contract is already initialized".into() };
        assert_eq!(decode_revert(&text.abi_encode()), Some(text.reason));
        let panic = Panic::from(PanicKind::UnderOverflow);
        assert_eq!(decode_revert(&panic.abi_encode()).as_deref(), Some("Panic(0x11): arithmetic overflow"));
        assert_eq!(decode_revert(&[]).as_deref(), Some(NOTHING));
    }

    #[test]
    fn calls_come_with_their_arguments() {
        use crate::{LocalToken, eigenlayer::AllocationManager};
        let call = LocalToken::approveCall { spender: Address::ZERO, value: U256::from(5) };
        assert_eq!(
            describe_call(LocalToken::approveCall::SIGNATURE, &call.abi_encode()),
            format!("approve({}, 5)", Address::ZERO)
        );
        let call = AllocationManager::getMembersCall {
            operatorSet: crate::eigenlayer::OperatorSet { avs: Address::ZERO, id: 7 },
        };
        assert_eq!(
            describe_call(AllocationManager::getMembersCall::SIGNATURE, &call.abi_encode()),
            format!("getMembers(({}, 7))", Address::ZERO)
        );
        let (cut, signature) = (&call.abi_encode()[..9], AllocationManager::getMembersCall::SIGNATURE);
        assert_eq!(describe_call(signature, cut), format!("{signature} with 0x0000000000"));
    }

    #[test]
    fn what_is_not_known_is_shown_as_it_is() {
        for data in [&[0x12, 0x34][..], &[0xde, 0xad, 0xbe, 0xef]] {
            assert_eq!(decode_revert(data), None);
        }
        assert_eq!(describe_revert(&hex!("deadbeef")), "reverted with unknown data 0xdeadbeef");
        // Cut off within the arguments.
        let error = threshold_out_of_range();
        assert_eq!(decode_revert(&error.abi_encode()[..20]), None);
    }
}
