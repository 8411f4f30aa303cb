//! The pure core: values in, values out.

pub mod artefact;
pub mod blueprint;
pub mod catalog;
pub mod dag;
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
pub mod schema;
pub mod source;
pub mod template;
pub mod traffic;
pub mod value;
pub mod views;
pub mod wants;
pub mod warnings;
pub mod yaml;
