//! The command line: one module per command, each a composition of core and edges.

use std::process::ExitCode;

/// Parses the command line and runs what it names.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
