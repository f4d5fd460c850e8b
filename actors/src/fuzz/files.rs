//! Files that others give.

use anzen_deploy::Addresses;
use anzen_deploy::config::{DeployConfig, ProtocolConfig};
use anzen_messages::evidence::Evidence;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::json;
use crate::keys::Keystore;

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
    json::<Addresses>(data);
}

/// A protocol that somebody proposes, or a whole network.
pub(super) fn protocol(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(protocol) = toml::<ProtocolConfig>(text) {
        let _ = protocol.check();
    }
    if let Some(network) = toml::<DeployConfig>(text) {
        let _ = network.validate();
    }
}

/// What is read is read again from what is written of it.
fn toml<T: DeserializeOwned + Serialize + PartialEq>(text: &str) -> Option<T> {
    let read = toml::from_str::<T>(text).ok()?;
    // Numbers that are larger than TOML's cannot be written.
    if let Ok(written) = toml::to_string(&read) {
        assert!(toml::from_str::<T>(&written).is_ok_and(|again| again == read), "{written}");
    }
    Some(read)
}

/// Two answers that prove a fault, as somebody says.
pub(super) fn evidence(data: &[u8]) {
    let Some(evidence) = json::<Evidence>(data) else { return };
    match evidence.verify() {
        Ok(()) => assert_ne!(evidence.first.safety_factor, evidence.second.safety_factor),
        Err(error) => assert!(error.to_string().len() < 1024),
    }
}
