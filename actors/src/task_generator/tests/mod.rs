mod actor;
mod history;
mod schedule;
