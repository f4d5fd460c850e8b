//! Files that others give, and records that the disk gives back.

use anzen_deploy::Addresses;
use anzen_deploy::config::ProtocolConfig;

use crate::keys::Keystore;
use crate::operator_signer::protection::Protection;

/// What keeps an operator from signing twice: the key and the value of each record, on a line of their own.
pub(super) fn protection(data: &[u8]) {
    let lines: Vec<Vec<u8>> = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let records = lines.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
    let _ = Protection::load(records.collect(), 0);
}

/// A keystore's file; nothing is decrypted.
pub(super) fn keystore(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Keystore::read(text) {
        Ok(keystore) => _ = keystore.owner().operator_id(),
        Err(error) => drop(error.to_string()),
    }
}

/// The file that says where everything is.
pub(super) fn addresses(data: &[u8]) {
    let _ = serde_json::from_slice::<Addresses>(data);
}

/// A protocol that somebody proposes.
pub(super) fn protocol(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = toml::from_str::<ProtocolConfig>(text);
}
