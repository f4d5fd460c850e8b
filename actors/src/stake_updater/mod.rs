//! stake_updater
