//! How an operator proves to an aggregator who it is, once a connection.

use alloy_primitives::{B256, FixedBytes};
use alloy_sol_types::{SolStruct, sol};
use serde::{Deserialize, Serialize};

use crate::OperatorId;
use crate::bls::{G1Bytes, HashedMessage, hash_to_g1};
use crate::task::SigningDomain;
use crate::wire::Wire;

mod abi {
    super::sol! {
        struct Session {
            string server;
            bytes32 nonce;
            bytes32 operatorId;
            uint64 expiry;
        }
    }
}

/// What the operator signs to open a session. Every field is its own or was checked by it: the server's name is the one
/// in the operator's configuration, so that a session opened here cannot be replayed there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Session {
    /// The name of the aggregator that the operator means to talk to.
    pub server: String,
    /// What the aggregator sent on this connection.
    pub nonce: B256,
    /// Who signs.
    pub operator_id: OperatorId,
    /// Seconds since 1970 after which the session is over.
    pub expiry: u64,
}

impl Session {
    /// The point that is signed: EIP-712 in the task manager's domain.
    pub fn message(&self, domain: &SigningDomain) -> HashedMessage {
        let session = abi::Session {
            server: self.server.clone(),
            nonce: self.nonce,
            operatorId: self.operator_id.0,
            expiry: self.expiry,
        };
        hash_to_g1(session.eip712_signing_hash(&domain.0))
    }
}

/// The first call on a connection, `session_hello`; no parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The aggregator's name, for a person to compare with the configured one.
    pub server: String,
    /// To be signed; good for this connection and one attempt.
    pub nonce: B256,
    /// The aggregator's clock, seconds since 1970, so that an operator whose clock is off can say so.
    pub time: u64,
    /// The chain that the aggregator is on.
    pub chain_id: u64,
    /// The task manager that the aggregator serves.
    pub task_manager: FixedBytes<20>,
}

/// The second call, `session_open`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenSession {
    /// What was signed.
    pub session: Session,
    /// The signature, uncompressed.
    pub signature: G1Bytes,
}

/// The reply to `session_open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionOpened {
    /// Seconds since 1970 after which the session is over.
    pub expiry: u64,
}

/// A message that operators send. The gateway hands it on only from the operator that it names.
pub trait FromOperator: Wire {
    /// Who claims to have sent it.
    fn operator_id(&self) -> OperatorId;
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;

    #[test]
    fn every_field_is_signed() {
        let domain = SigningDomain::new(1, Address::repeat_byte(1));
        let session = Session {
            server: "a".into(),
            nonce: B256::repeat_byte(2),
            operator_id: OperatorId(B256::repeat_byte(3)),
            expiry: 4,
        };
        let changes: [fn(&mut Session); 4] = [
            |session| session.server.push('b'),
            |session| session.nonce = B256::ZERO,
            |session| session.operator_id = OperatorId(B256::ZERO),
            |session| session.expiry += 1,
        ];
        for change in changes {
            let mut other = session.clone();
            change(&mut other);
            assert_ne!(other.message(&domain), session.message(&domain));
        }
    }
}
