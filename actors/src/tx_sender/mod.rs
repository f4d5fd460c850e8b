//! tx_sender
