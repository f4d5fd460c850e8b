//! Testing Anzen as a whole: the simulation, the invariants that hold everywhere, the guides and the dashboards (here), and end to end on a real anvil (`tests/`).

pub mod guide;
pub mod invariants;
pub mod monitoring;
pub mod sim;
