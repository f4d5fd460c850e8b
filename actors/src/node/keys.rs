//! Reading key files. No error repeats what a file holds.

use std::path::Path;
use std::sync::Arc;

use alloy::primitives::hex;
use alloy::signers::local::PrivateKeySigner;
use anzen_messages::bls::SecretKey;

use super::config::KeysConfig;
use super::error::NodeError;
use crate::adapters::{LocalBlsSigner, LocalTxSigner};
use crate::ports::{BlsSigner, TxSigner};

/// The operator's key, where the configuration names a file.
pub(super) fn bls_signer(keys: &KeysConfig) -> Result<Option<Arc<dyn BlsSigner>>, NodeError> {
    let Some(path) = &keys.bls_key_file else { return Ok(None) };
    let key =
        SecretKey::from_hex(&read(path)?).map_err(|error| NodeError::BlsKey { path: path.clone(), error })?;
    Ok(Some(Arc::new(LocalBlsSigner::new(key))))
}

/// The key of transactions, where the configuration names a file.
pub(super) fn tx_signer(keys: &KeysConfig) -> Result<Option<Arc<dyn TxSigner>>, NodeError> {
    let Some(path) = &keys.ecdsa_key_file else { return Ok(None) };
    let text = read(path)?;
    let bytes = zeroize::Zeroizing::new(hex::decode(text.trim()).unwrap_or_default());
    let key = PrivateKeySigner::from_slice(&bytes).map_err(|_| NodeError::EcdsaKey(path.clone()))?;
    Ok(Some(Arc::new(LocalTxSigner::new(key))))
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<String>, NodeError> {
    let text = std::fs::read_to_string(path).map(zeroize::Zeroizing::new);
    text.map_err(|error| NodeError::File { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> (tempfile::TempDir, KeysConfig) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, text).unwrap();
        (folder, KeysConfig { bls_key_file: Some(path.clone()), ecdsa_key_file: Some(path) })
    }

    #[test]
    fn a_key_may_have_a_prefix_and_a_line_end() {
        let (_folder, keys) = keys(&format!("0x{:064x}\n", 42));
        assert!(bls_signer(&keys).unwrap().is_some());
        assert!(tx_signer(&keys).unwrap().is_some());
    }

    #[test]
    fn an_error_names_the_file_and_not_the_key() {
        let (_folder, keys) = keys("0xnotakey");
        for error in [bls_signer(&keys).err().unwrap(), tx_signer(&keys).err().unwrap()] {
            let text = error.to_string();
            assert!(text.contains("/key") && !text.contains("notakey"), "{text}");
        }
    }
}
