//! Testing Anzen as a whole: the simulation and the guides (here), and end to end on a real anvil (`tests/`).

pub mod guide;
pub mod sim;
