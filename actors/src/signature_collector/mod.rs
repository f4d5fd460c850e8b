//! signature_collector
