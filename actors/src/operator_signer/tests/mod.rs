mod actor;
mod barrier;
mod duties;
mod interchange;
mod interleavings;
mod protection;
