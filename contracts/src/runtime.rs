//! The code that contracts of ours have on chain, for comparison with what is there.

use alloy::primitives::{B256, Bytes};
use serde::Deserialize;
use std::{collections::HashMap, ops::Range, sync::LazyLock};

/// What build.rs kept of the artifacts.
const TEXT: &str = include_str!(concat!(env!("OUT_DIR"), "/runtime.json"));

static CONTRACTS: LazyLock<HashMap<String, Runtime>> =
    LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// A contract's code as it was compiled: its immutables are zero.
#[derive(Debug, Deserialize)]
pub struct Runtime {
    code: Bytes,
    /// For each immutable where its value stands, in bytes.
    immutables: Vec<Vec<Range<usize>>>,
}

impl Runtime {
    /// The code of the contract of that name.
    pub fn of(contract: &str) -> Option<&'static Self> {
        CONTRACTS.get(contract)
    }

    /// The values of the immutables in `code`, if everything else in it is as it was compiled, and every immutable has one
    /// value wherever it stands.
    pub fn immutables_of(&self, code: &[u8]) -> Option<Vec<B256>> {
        let mut masked = code.to_vec();
        let mut values = Vec::with_capacity(self.immutables.len());
        for places in &self.immutables {
            let (first, _) = places.split_first()?;
            let value = B256::try_from(code.get(first.clone())?).ok()?;
            for place in places {
                let word = masked.get_mut(place.clone())?;
                if word != value.as_slice() {
                    return None;
                }
                word.fill(0);
            }
            values.push(value);
        }
        (masked == self.code).then_some(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_immutable_may_have_any_value_but_only_one() {
        let runtime =
            Runtime { code: vec![0; 100].into(), immutables: vec![vec![1..33, 50..82], vec![33..50]] };
        // No word: not what the compiler writes.
        assert_eq!(runtime.immutables_of(&[0; 100]), None);

        let runtime = Runtime { code: vec![0; 100].into(), immutables: vec![vec![1..33, 50..82]] };
        let mut code = vec![0; 100];
        code[1..33].fill(7);
        assert_eq!(runtime.immutables_of(&code), None, "two values");
        code[50..82].fill(7);
        assert_eq!(runtime.immutables_of(&code), Some(vec![B256::repeat_byte(7)]));
        code[0] = 1;
        assert_eq!(runtime.immutables_of(&code), None, "other code");
        assert_eq!(runtime.immutables_of(&[]), None);
        assert_eq!(runtime.immutables_of(&[0; 101]), None);
    }

    #[test]
    fn what_is_compared_was_kept() {
        for (contract, immutables) in [
            ("AnzenDisputes", 5),
            ("AnzenServiceManager", 4),
            ("AnzenTaskManager", 7),
            ("ModelEvaluator", 1),
            ("ProxyAdmin", 0),
            ("SafetyFactorOracle", 0),
            ("TimelockController", 0),
            ("TransparentUpgradeableProxy", 1),
        ] {
            let runtime = Runtime::of(contract).unwrap();
            assert_eq!(runtime.immutables.len(), immutables, "{contract}");
            assert_eq!(runtime.immutables_of(&runtime.code), Some(vec![B256::ZERO; immutables]));
        }
        assert!(Runtime::of("LocalToken").is_none());
    }
}
