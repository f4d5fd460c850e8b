//! Deploying Anzen to a chain, verifying a deployment, and setting operators up.

pub mod artifacts;
#[cfg(test)]
#[allow(dead_code, reason = "build.rs is what uses it")]
mod extract;
