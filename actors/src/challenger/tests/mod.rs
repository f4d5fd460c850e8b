mod actor;
mod cases;
mod court;
mod decision;
mod interleavings;
mod pursuit;
mod records;
