//! anzen-integration
