//! The runner, through the binary, with stand-ins for the tools that it calls (`tests/stand-ins/`).

mod faults;
mod labs;
mod runs;
mod transcripts;
