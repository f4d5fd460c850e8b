mod actor;
mod cases;
mod court;
mod crowd;
mod decision;
mod interleavings;
mod pursuit;
mod records;
