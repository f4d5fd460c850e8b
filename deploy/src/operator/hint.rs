//! What to do about a contract's refusal.

/// Errors of EigenLayer's and of tokens' that operators meet, and what to do.
const REMEDIES: &[(&str, &str)] = &[
    (
        "ActivelyDelegated",
        "this account delegates to another operator; undelegate it in EigenLayer first, or use another account",
    ),
    (
        "AlreadyMemberOfSet",
        "the operator is in the quorum, or left it less than EigenLayer's deallocation delay ago; see `anzen operator status`",
    ),
    ("BelowMinimumStakeRequirement", "deposit or allocate more; `anzen operator status` shows the minimum"),
    (
        "CannotReregisterYet",
        "the operator was ejected from the quorum and has to wait for the coordinator's cooldown",
    ),
    ("CurrentlyPaused", "EigenLayer or Anzen has paused this; try again later"),
    ("ERC20InsufficientBalance", "send the operator more of the token"),
    (
        "InsufficientMagnitude",
        "other AVSs have the rest of the stake; allocate a smaller share, or take some back from them",
    ),
    ("InvalidOperatorSet", "Anzen has no such quorum on this chain; check the addresses file"),
    (
        "InvalidSignature",
        "the BLS key's proof is of another chain or another operator; check the addresses file and the keys",
    ),
    ("MaxOperatorCountReached", "the quorum is full; ask Anzen's governance for more room"),
    (
        "ModificationAlreadyPending",
        "EigenLayer changes one allocation at a time; `anzen operator status` shows when the pending one holds",
    ),
    ("NotActivelyDelegated", "the account is no operator yet; register it with `anzen operator register`"),
    ("OperatorNotRegistered", "register it with `anzen operator register`"),
    (
        "StrategyNotWhitelisted",
        "EigenLayer does not take deposits into this strategy; check the addresses file",
    ),
    (
        "UninitializedAllocationDelay",
        "the allocation delay does not hold yet; `anzen operator register` waits for it",
    ),
    ("WithdrawalDelayNotElapsed", "EigenLayer gives withdrawn stake out after a delay; run this again later"),
];

/// What to do about a revert, by its reason: an error's name with its arguments.
pub(super) fn remedy(reason: &str) -> Option<&'static str> {
    let name = reason.split('(').next()?;
    REMEDIES.iter().find(|(error, _)| *error == name).map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anzen_contracts::revert::decode_revert;

    #[test]
    fn an_error_is_found_by_its_name() {
        assert!(remedy("AlreadyMemberOfSet()").unwrap().contains("deallocation delay"));
        assert!(remedy("ERC20InsufficientBalance(sender: 0x0, balance: 0, needed: 1)").is_some());
        assert_eq!(remedy("Pausable: index is paused"), None);
    }

    #[test]
    fn each_is_an_error_that_is_shown_by_that_name() {
        for (name, _) in REMEDIES.iter().filter(|(name, _)| !name.starts_with("ERC20")) {
            let selector = &alloy::primitives::keccak256(format!("{name}()"))[..4];
            let shown = decode_revert(selector);
            assert_eq!(shown.as_deref(), Some(format!("{name}()").as_str()));
        }
    }
}
