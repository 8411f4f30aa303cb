//! Templates: YAML that is read once, with expressions in its scalars and keys.
//!
//! - A scalar that is exactly one `<{ expr }>` takes the type of the expression; text may embed scalars.
//! - `<% if expr %>:` and `<% for x in expr %>:` are keys whose map is merged into the parent, or the only key of a list
//!   entry that is spliced.
//! - Inside a block scalar all of Jinja works; `.j2` files ([`TextTemplate`]) are text as a whole.
//!
//! Values never pass through a YAML parser again, so none can change the structure of a document. Undefined is an error everywhere.

mod block;
mod convert;
mod directive;
mod engine;
mod expr;
mod filters;
mod render;
mod scope;
mod site;
mod text;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use convert::{from_value, to_value};
pub use expr::Expr;
pub use scope::Scope;
pub use text::TextTemplate;

use super::problem::{Problem, Problems};
use super::source::Source;
use super::value::Value;
use super::yaml::Node;
use block::Block;

/// A YAML template, or a part of one: parsed and compiled once, rendered for each cluster.
#[derive(Debug)]
pub struct Template {
    root: Block,
    first_line: Option<String>,
}

impl Template {
    /// Compiles a file that holds one document.
    ///
    /// # Errors
    /// All problems of the file: text that is not YAML, expressions that are not minijinja's, misplaced directives.
    pub fn parse(source: &Arc<Source>) -> Result<Self, Problems> {
        let node = Node::parse(source)?;
        let mut template = Self::from_node(source, &node)?;
        template.first_line = first_line(&source.text).map(str::to_owned);
        Ok(template)
    }

    /// Compiles a part of a file, for example the value of one key of a `component.yaml`.
    ///
    /// # Errors
    /// All problems of that part.
    pub fn from_node(source: &Arc<Source>, node: &Node) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let root = block::compile(source, node, &mut problems);
        problems.or(Self { root, first_line: None })
    }

    /// The document for one scope. A document that is only a directive whose condition is false is an empty map.
    ///
    /// # Errors
    /// The first expression that fails or is undefined, or key that comes up twice, at its place in the template.
    pub fn render(&self, scope: &Scope) -> Result<Value, Problem> {
        render::value(&self.root, scope)
    }

    /// A first line with a meaning of its own (`#cloud-config`, `#!…`), which a rendered file must keep.
    pub fn first_line(&self) -> Option<&str> {
        self.first_line.as_deref()
    }
}

fn first_line(text: &str) -> Option<&str> {
    let line = text.lines().next()?.trim_end();
    (line.starts_with("#cloud-config") || line.starts_with("#!")).then_some(line)
}
