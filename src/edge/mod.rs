//! The edges: the only code that touches files, keys, clock, randomness and the terminal.
//!
//! Edges do not use each other. What they share are two tools that know nothing of labs: [`secret`] and [`durable`].

pub mod allocations;
pub mod durable;
pub mod keystore;
pub mod lock;
pub mod memory;
pub mod mint;
pub mod repository;
pub mod runner;
pub mod secret;
pub mod tool;
pub mod tree;
