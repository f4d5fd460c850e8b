//! operator_signer
