//! What to do about a refusal of the disputes and of the service manager.

/// Their errors that a person can do something about, and what.
const REMEDIES: &[(&str, &str)] = &[
    ("AbsenceCounted", "nothing is left to do"),
    ("AbsenceOfAnEarlierPeriod", "absences count together only where their answers came within one period"),
    (
        "AccessControlUnauthorizedAccount",
        "the key is not the committee's; have the committee's account send it (leave --send away to see what)",
    ),
    ("AnsweredLate", "who was left out of it had no time to attest, so this is no absence"),
    ("AttestWindowNotOver", "wait for that block"),
    ("ModelIsNotReadable", "absence counts only where the answer can be recomputed"),
    (
        "ModelIsReadable",
        "what the model reads can be read again, so only a proof decides: `anzen challenger` sends it",
    ),
    ("NoPendingDispute", "`anzen dispute list` tells what the committee has to rule on"),
    ("NotAnAbsentee", "`anzen dispute list` tells who was ejected for absence"),
    ("NotInQuorum", "it was in none of the task's quorums at the reference block, so it is at no fault"),
    ("OperatorSigned", "`anzen task show` tells who did not sign"),
    ("RoundNotFinal", "absence counts only from an answer that is final; wait until nobody can challenge it"),
    ("SlashingIsVetoed", "nothing is left to do"),
];

/// What to do about a revert, by its reason: an error's name with its arguments.
pub fn remedy(reason: &str) -> Option<&'static str> {
    let name = reason.split('(').next()?;
    REMEDIES.iter().find(|(error, _)| *error == name).map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::{primitives::U256, sol_types::SolError};
    use anzen_contracts::{AnzenDisputes, AnzenServiceManager, revert::decode_revert};

    #[test]
    fn a_refusal_is_found_by_its_name() {
        let of = |data: Vec<u8>| remedy(&decode_revert(&data).unwrap());
        let late = AnzenDisputes::AnsweredLate { respondedBlock: U256::from(7) };
        assert!(of(late.abi_encode()).unwrap().contains("no time to attest"));
        let stranger = AnzenServiceManager::AccessControlUnauthorizedAccount {
            account: Default::default(),
            neededRole: Default::default(),
        };
        assert!(of(stranger.abi_encode()).unwrap().contains("committee"));
        assert_eq!(remedy("Pausable: index is paused"), None);
    }
}
