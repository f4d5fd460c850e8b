//! What strangers, operators and aggregators may send, for `just fuzz`.

mod calls;
mod disk;
mod sessions;
mod websocket;

pub(crate) use super::operator_link::fuzz::session_replies;
pub(crate) use calls::json_rpc;
pub(crate) use disk::keys;
pub(crate) use sessions::sessions;
pub(crate) use websocket::{frames, websocket};
