//! The pure core: values in, values out.

pub mod artefact;
pub mod diff;

pub mod leak;
pub mod manifest;
pub mod name;
pub mod problem;
pub mod source;
pub mod value;
pub mod yaml;
