//! The `meshlab` binary: hands the command line to the library and exits with its code.

use std::process::ExitCode;

/// A render makes and drops millions of small values on every core, which glibc's allocator serves at three quarters of the speed.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    meshlab::command::main()
}
