//! rpc_gateway
