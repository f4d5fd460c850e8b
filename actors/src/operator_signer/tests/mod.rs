mod actor;
mod duties;
mod interleavings;
mod protection;
