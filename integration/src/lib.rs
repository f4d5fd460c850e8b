//! Testing Anzen as a whole: the simulation, the invariants that hold everywhere, chaos on the real program and a real anvil,
//! the guides and the dashboards (here), and the tests (`tests/`).

pub mod chaos;
pub mod e2e;
pub mod guide;
pub mod invariants;
pub mod monitoring;
pub mod sim;
