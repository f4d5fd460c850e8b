//! What people watch: Grafana's dashboards, made from short sources, and the metrics that dashboards and alerts name.

mod dashboard;
pub mod promql;

pub use dashboard::{NotADashboard, render};
