//! `meshlab schema`: the JSON Schema that editors check with.

use clap::ValueEnum;

use super::{Code, Printer};
use crate::core::{blueprint, catalog};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Which file's schema
    #[arg(value_enum, default_value_t)]
    of: Of,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Of {
    /// blueprints/<lab>.yaml
    #[default]
    Blueprint,
    /// blueprints/components/<component>/component.yaml
    Component,
}

pub(super) fn run(arguments: &Arguments) -> Code {
    let schema = match arguments.of {
        Of::Blueprint => blueprint::json_schema(),
        Of::Component => catalog::json_schema().clone(),
    };
    Printer::result(&format!("{schema:#}\n"));
    Code::Clean
}
