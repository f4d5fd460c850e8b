//! Logs of many blocks, from providers that bound the range.

use std::sync::atomic::{AtomicU64, Ordering};

use alloy::{
    providers::{DynProvider, Provider},
    rpc::types::{Filter, Log},
};

use crate::{
    TransportError,
    chain::{ChainError, asked_too_much},
};

/// Reads logs; learns how many blocks the provider lets one query cover.
#[derive(Debug)]
pub(crate) struct Logs {
    provider: DynProvider,
    range: AtomicU64,
}

impl Logs {
    pub(crate) fn new(provider: DynProvider, range: u64) -> Self {
        Self { provider, range: AtomicU64::new(range.max(1)) }
    }

    /// The last blocks of `first..=last` that one query covers, as far as that is known.
    pub(crate) fn newest_part(&self, first: u64, last: u64) -> u64 {
        last.saturating_sub(self.range.load(Ordering::Relaxed) - 1).max(first)
    }

    /// The logs of `from..=to` in the chain's order.
    pub(crate) async fn between(&self, filter: &Filter, from: u64, to: u64) -> Result<Vec<Log>, ChainError> {
        let mut logs = Vec::new();
        let mut next = from;
        while next <= to {
            let last = to.min(next.saturating_add(self.range.load(Ordering::Relaxed) - 1));
            let part = filter.clone().from_block(next).to_block(last);
            match self.provider.get_logs(&part).await {
                Ok(found) => {
                    logs.extend(found);
                    let Some(following) = last.checked_add(1) else { break };
                    next = following;
                }
                Err(error) if last > next && is_too_much(&error) => {
                    self.range.fetch_min((last - next).div_ceil(2), Ordering::Relaxed);
                }
                Err(error) => return Err(ChainError::rpc("the chain's events", error)),
            }
        }
        Ok(logs)
    }
}

fn is_too_much(error: &TransportError) -> bool {
    error.as_error_resp().is_some_and(|payload| asked_too_much(payload.code, &payload.message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::providers::{ProviderBuilder, mock::Asserter};

    #[tokio::test]
    async fn a_range_that_is_refused_is_halved_and_none_of_it_left_out() {
        let answers = Asserter::new();
        let refusal = serde_json::json!({ "code": -32000, "message": "block range is too large" });
        answers.push_failure(serde_json::from_value(refusal).unwrap());
        let log = |block: u64| -> Log { Log { block_number: Some(block), ..Log::default() } };
        // 0..=9 is refused; then 0..=4 and 5..=9.
        answers.push_success(&vec![log(4)]);
        answers.push_success(&vec![log(5)]);
        let provider = ProviderBuilder::new().connect_mocked_client(answers).erased();
        let logs = Logs::new(provider, 100);
        let found = logs.between(&Filter::new(), 0, 9).await.unwrap();
        assert_eq!(found.iter().filter_map(|log| log.block_number).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(logs.newest_part(0, 9), 5);
        assert_eq!(logs.newest_part(7, 9), 7);
    }
}
