//! Anzen as a whole. One binary, because each one costs a link.

mod sim;
