//! Testing Anzen as a whole: the simulation, the invariants that hold everywhere, the guides and the dashboards, and what runs the
//! real program on a real anvil (here), and the tests (`tests/`).

pub mod e2e;
pub mod guide;
pub mod invariants;
pub mod monitoring;
pub mod sim;
