mod actor;
mod postings;
