//! The pure core: values in, values out.

pub mod artefact;
pub mod blueprint;
pub mod catalog;
pub mod dag;
pub mod daily;
pub mod diff;
pub mod expand;
pub mod lab;
pub mod leak;
pub mod manifest;
pub mod memo;
pub mod name;
pub mod pki;
pub mod plan;
pub mod problem;
pub mod resolve;
pub mod runner;
pub mod schema;
pub mod shell;
pub mod source;
pub mod template;
pub mod value;
pub mod views;
pub mod wants;
pub mod warnings;
pub mod yaml;
