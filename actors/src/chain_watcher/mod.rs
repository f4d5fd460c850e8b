//! chain_watcher
