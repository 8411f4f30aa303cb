//! The pure core: values in, values out.

pub mod name;
pub mod problem;
pub mod source;
pub mod template;
pub mod value;
pub mod yaml;
