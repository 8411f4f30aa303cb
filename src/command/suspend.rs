//! `meshlab suspend` and `meshlab resume`: a lab rests, and goes on.

use std::path::Path;

use super::session::{self, Common};
use super::{Code, Failure, Printer};
use crate::core::runner::{self, Options};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
}

/// Stops machines and keeps what is on them.
pub(super) fn suspend(directory: Option<&Path>, arguments: &Arguments, printer: &Printer) -> Result<Code, Failure> {
    let options = Options::default();
    session::simple(
        directory,
        &arguments.common,
        printer,
        "suspend",
        &options,
        runner::suspend,
    )
}

/// Starts them again, and tells the others if addresses have changed.
pub(super) fn resume(directory: Option<&Path>, arguments: &Arguments, printer: &Printer) -> Result<Code, Failure> {
    let options = Options {
        launch: false,
        ..Options::default()
    };
    session::simple(
        directory,
        &arguments.common,
        printer,
        "resume",
        &options,
        runner::resume,
    )
}
