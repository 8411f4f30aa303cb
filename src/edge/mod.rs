//! The edges: the only code that touches files, keys, clock, randomness and the terminal.

pub mod tree;
