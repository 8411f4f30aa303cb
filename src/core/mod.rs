//! The pure core: values in, values out.

pub mod name;
pub mod pki;
pub mod problem;
pub mod source;
pub mod value;
pub mod yaml;
