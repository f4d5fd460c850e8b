//! Testing Anzen as a whole: the simulation (here), and end to end on a real anvil (`tests/`).

pub mod sim;
