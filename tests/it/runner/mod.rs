//! The runner, through the binary, with stand-ins for the tools that it calls (`tests/stand-ins/`).

mod daily;
mod faults;
mod labs;
mod machines;
mod runs;
mod served;
mod transcripts;
