//! The integration suite: the real binary on scratch repositories, one program so that it links once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod bad;
mod cases;
mod combinations;
mod dataplane;
mod docs;
mod machines;
mod pki;
mod properties;
mod readme;
mod rooms;
mod runner;
mod schema;
mod stages;
mod support;
mod trees;
mod vault;
mod versions;
mod warnings;
