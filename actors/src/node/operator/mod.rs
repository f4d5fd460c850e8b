//! An operator's registration with EigenLayer and in the quorum: from a process's configuration to the steps of
//! [`anzen_deploy::operator`], which the commands `anzen operator …` take one by one, and a process at its start.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `config.rs` | what an operator stakes and publishes |
//! | `connect.rs` | the operator that a configuration names, on its chain |
//! | `startup.rs` | `register_operator_on_startup` |

mod config;
mod connect;
mod startup;

pub use config::OperatorConfig;
pub use connect::{connect, look_at};
pub(super) use startup::{Registration, register};
