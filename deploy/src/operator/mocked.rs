//! For unit tests: an operator on a chain that answers what it is told to, in order.

use super::{OperatorParams, OperatorSetup};
use crate::{addresses::tests::example, chain::Account};
use alloy::{
    primitives::{Address, Bytes, U64, U256},
    providers::{Provider, ProviderBuilder, mock::Asserter},
    rpc::types::Log,
    signers::local::PrivateKeySigner,
    sol_types::SolEvent,
};

/// The chain's height, where it is asked for.
pub(super) const HEIGHT: u64 = 1_000_000;

/// What the node answers next.
#[derive(Default)]
pub(super) struct Node(Asserter);

impl Node {
    /// An operator without stake of its own.
    pub(super) async fn operator(&self) -> OperatorSetup {
        self.0.push_success(&U64::from(1));
        let provider = ProviderBuilder::new().connect_mocked_client(self.0.clone()).erased();
        let account = Account::new(provider, PrivateKeySigner::random()).await.unwrap();
        OperatorSetup::new(account, None, example(), OperatorParams::new("", U256::ZERO))
    }

    /// A view's answer.
    pub(super) fn returns(&self, encoded: Vec<u8>) {
        self.0.push_success(&Bytes::from(encoded));
    }

    pub(super) fn is_at_height(&self) {
        self.is_at(HEIGHT);
    }

    pub(super) fn is_at(&self, height: u64) {
        self.0.push_success(&U64::from(height));
    }

    pub(super) fn has_no_events(&self) {
        self.0.push_success(&Vec::<Log>::new());
    }

    /// Logs with one event.
    pub(super) fn has_event(&self, block: u64, event: &impl SolEvent) {
        let inner = alloy::primitives::Log { address: Address::ZERO, data: event.encode_log_data() };
        self.0.push_success(&vec![Log { inner, block_number: Some(block), ..Log::default() }]);
    }

    pub(super) fn refuses(&self, message: &str) {
        let refusal = serde_json::json!({ "code": -32000, "message": message });
        self.0.push_failure(serde_json::from_value(refusal).unwrap());
    }
}
