//! The slots behind view calls.

use crate::chain::Chain;
use alloy::{
    primitives::{Address, Bytes, U256},
    providers::Provider,
    rpc::types::Filter,
    sol_types::{SolCall, SolEvent},
};
use anzen_contracts::{AnzenTaskManager, LocalToken, SafetyFactorOracle};
use anzen_deploy::{
    chain::{ChainError, proxy_implementation},
    models::{self, TraceError, trace},
};
use anzen_messages::model::{Guard, Source};

alloy::sol! {
    function totalAssets() external view returns (uint256);
}

fn data(call: &impl SolCall) -> Bytes {
    call.abi_encode().into()
}

#[tokio::test]
async fn the_slot_behind_a_vaults_assets_is_the_one_that_the_local_model_reads() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let model =
        models::get(&chain.provider, at.safety_factor_models, at.protocols[0].model_hash).await.unwrap();
    let assets = model.terms()[1].amount.clone();
    let Source::StorageSlot { account: token, .. } = assets else { panic!("{assets:?}") };
    // All of the token was minted to the vault.
    let minted = chain.provider.get_logs(&Filter::new().address(token).from_block(0)).await.unwrap();
    let minted = minted.iter().find_map(|log| LocalToken::Transfer::decode_log(&log.inner).ok()).unwrap();
    let found = trace(&chain.provider, minted.to, &data(&totalAssetsCall {})).await.unwrap();
    assert_eq!(found.value, U256::from(10).pow(U256::from(21)));
    assert_eq!(found.sources, [assets]);
}

#[tokio::test]
async fn what_is_behind_a_proxy_is_guarded_by_its_implementation() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let oracle = at.safety_factor_oracle;
    let found =
        trace(&chain.provider, oracle, &data(&SafetyFactorOracle::protocolCountCall {})).await.unwrap();
    let [Source::StorageSlot { account, offset: 0, width: 32, guards, .. }] = &found.sources[..] else {
        panic!("{found:?}")
    };
    let implementation = proxy_implementation(&chain.provider, oracle).await.unwrap();
    let [Guard { account: guarded, expected, .. }] = guards[..] else { panic!("{guards:?}") };
    assert_eq!((*account, guarded, expected), (oracle, oracle, implementation.into_word()));
    assert_eq!(found.value, U256::from(2));
}

#[tokio::test]
async fn what_is_no_single_slot_is_not_claimed_to_be_one() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let constant = trace(&chain.provider, at.token, &data(&LocalToken::decimalsCall {})).await.unwrap();
    assert!(constant.sources.is_empty() && constant.value == U256::from(18), "{constant:?}");
    let several = trace(&chain.provider, at.task_manager, &data(&AnzenTaskManager::windowsCall {})).await;
    assert!(matches!(several, Err(TraceError::NotAWord(_))), "{several:?}");
    let nobody = trace(&chain.provider, Address::repeat_byte(0x66), &Bytes::new()).await;
    assert!(matches!(nobody, Err(TraceError::NotAWord(0))), "{nobody:?}");
    let reverts = trace(&chain.provider, at.task_manager, &Bytes::from_static(&[1, 2, 3, 4])).await;
    assert!(matches!(reverts, Err(TraceError::Chain(ChainError::Reverted { .. }))), "{reverts:?}");
}
