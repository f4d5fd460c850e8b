//! The declarations of EigenLayer's contracts that were made by hand, against the ABI that comes with their bytecode.

use alloy::{
    json_abi::JsonAbi,
    primitives::{B256, hex},
    sol_types::{SolEventInterface, SolInterface},
};
use anzen_contracts::{eigenlayer::*, revert::decode_revert};
use anzen_deploy::artifacts::export_eigenlayer;
use std::path::Path;

fn abi(folder: &Path, contract: &str) -> JsonAbi {
    let text = std::fs::read_to_string(folder.join(format!("{contract}.json"))).unwrap();
    let artifact: serde_json::Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(artifact["abi"].clone()).unwrap()
}

/// Functions of later releases only.
const LATER: [&str; 1] = ["getSlasher((address,uint32))"];

fn functions<C: SolInterface>(abi: &JsonAbi) {
    for selector in C::selectors() {
        let known = abi.functions().any(|function| function.selector() == selector)
            || LATER.iter().any(|text| alloy::primitives::keccak256(text)[..4] == selector);
        assert!(known, "{} has no function 0x{}", C::NAME, hex::encode(selector));
    }
}

fn events<E: SolEventInterface>(abi: &JsonAbi, selectors: &[[u8; 32]]) {
    for selector in selectors {
        let known = abi.events().any(|event| event.selector() == B256::from(*selector));
        assert!(known, "{} has no event 0x{}", E::NAME, hex::encode(selector));
    }
}

#[test]
fn what_is_declared_is_there() {
    let folder = tempfile::tempdir().unwrap();
    export_eigenlayer(folder.path()).unwrap();
    macro_rules! check {
        ($($contract:ident: $calls:ident $($events:ident)?;)*) => { $({
            let abi = abi(folder.path(), stringify!($contract));
            functions::<$contract::$calls>(&abi);
            $(events::<$contract::$events>(&abi, $contract::$events::SELECTORS);)?
        })* };
    }
    check! {
        AllocationManager: AllocationManagerCalls AllocationManagerEvents;
        AVSDirectory: AVSDirectoryCalls;
        BLSApkRegistry: BLSApkRegistryCalls BLSApkRegistryEvents;
        DelegationManager: DelegationManagerCalls DelegationManagerEvents;
        EigenPodManager: EigenPodManagerCalls;
        EmptyContract: EmptyContractCalls;
        IndexRegistry: IndexRegistryCalls;
        OperatorStateRetriever: OperatorStateRetrieverCalls;
        PauserRegistry: PauserRegistryCalls PauserRegistryEvents;
        PermissionController: PermissionControllerCalls PermissionControllerEvents;
        RewardsCoordinator: RewardsCoordinatorCalls;
        SlashingRegistryCoordinator: SlashingRegistryCoordinatorCalls SlashingRegistryCoordinatorEvents;
        SocketRegistry: SocketRegistryCalls;
        StakeRegistry: StakeRegistryCalls StakeRegistryEvents;
        StrategyBase: StrategyBaseCalls;
        StrategyFactory: StrategyFactoryCalls;
        StrategyManager: StrategyManagerCalls;
    }
}

#[test]
fn every_error_can_be_shown_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for contract in export_eigenlayer(folder.path()).unwrap() {
        // Anzen never calls a pod.
        if contract.starts_with("EigenPod") {
            continue;
        }
        for error in abi(folder.path(), contract).errors() {
            let arguments =
                if error.inputs.is_empty() { vec![] } else { [[0; 31].as_slice(), &[32], &[0; 32]].concat() };
            let data = [error.selector().as_slice(), &arguments].concat();
            let text = decode_revert(&data).unwrap_or_default();
            assert!(text.starts_with(&error.name), "{contract}: {} is shown as {text:?}", error.signature());
        }
    }
}
