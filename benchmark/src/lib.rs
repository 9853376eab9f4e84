//! What the benchmark's server and fetcher share: the rows, the pages made of them, and command-line flags.

pub mod bodies;
pub mod flags;
pub mod pages;
pub mod rows;
pub mod small;
