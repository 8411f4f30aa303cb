//! The compiled form of a template, and how a document becomes it.

use std::sync::Arc;

use super::directive::Directive;
use super::engine::{COMMENT, DIRECTIVE, EXPR};
use super::expr::Expr;
use super::site::Site;
use super::text::{Piece, Text, TextTemplate};
use crate::core::problem::{Problem, Problems};
use crate::core::source::Source;
use crate::core::value::Value;
use crate::core::yaml::{Entry, Kind, Node, Style};

/// A node of a template.
#[derive(Debug)]
pub(super) enum Block {
    /// A part without expressions: itself.
    Constant(Value),
    /// A scalar that is one expression, of whatever type that has.
    Expr(Expr),
    /// A scalar that embeds expressions.
    Text(Text),
    /// A block scalar with Jinja in it.
    Jinja(TextTemplate),
    /// A list.
    List(Vec<Item>),
    /// A map.
    Map(Fields),
}

/// An entry of a list.
#[derive(Debug)]
pub(super) enum Item {
    /// One item.
    One(Block),
    /// As many as the directive says; a list is spliced.
    Splice(Directive, Block),
}

/// The entries of a map, in order.
#[derive(Debug)]
pub(super) struct Fields(pub(super) Vec<Field>);

/// An entry of a map.
#[derive(Debug)]
pub(super) enum Field {
    /// A key and its value.
    Pair { key: Key, site: Site, value: Block },
    /// A map that is merged into this one as often as the directive says.
    Merge { directive: Directive, fields: Fields },
}

/// The key of a map.
#[derive(Debug)]
pub(super) enum Key {
    /// As it stands.
    Fixed(String),
    /// With expressions in it.
    Text(Text),
}

/// Compiles a node; what is wrong goes to `problems`.
pub(super) fn compile(source: &Arc<Source>, node: &Node, problems: &mut Problems) -> Block {
    Compiler { source, problems }.block(node)
}

struct Compiler<'a> {
    source: &'a Arc<Source>,
    problems: &'a mut Problems,
}

impl Compiler<'_> {
    fn site(&self, bytes: std::ops::Range<usize>) -> Site {
        Site::new(self.source, bytes)
    }

    fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }

    fn block(&mut self, node: &Node) -> Block {
        if is_constant(node) {
            return Block::Constant(node.to_value());
        }
        match node.kind() {
            Kind::Text(text, style) => {
                let compiled = scalar(&self.site(node.bytes()), text, *style);
                self.keep(compiled).unwrap_or(Block::Constant(Value::Null))
            }
            Kind::List(items) => Block::List(items.iter().filter_map(|item| self.item(item)).collect()),
            Kind::Map(entries) => Block::Map(self.fields(entries)),
            _ => Block::Constant(node.to_value()),
        }
    }

    fn item(&mut self, node: &Node) -> Option<Item> {
        match node.as_map() {
            Some([entry]) if Directive::is(&entry.key) => self.splice(entry),
            _ => Some(Item::One(self.block(node))),
        }
    }

    fn splice(&mut self, entry: &Entry) -> Option<Item> {
        let directive = self.directive(entry);
        if let Some([inner]) = entry.value.as_map()
            && Directive::is(&inner.key)
        {
            let problem = self
                .site(inner.key_bytes.clone())
                .problem("a directive stands directly below that of a list entry");
            self.problems.push(
                problem.help("write it as a list entry too, `- <% … %>: …`, or join the two conditions with `and`"),
            );
        }
        let value = self.block(&entry.value);
        Some(Item::Splice(directive?, value))
    }

    fn directive(&mut self, entry: &Entry) -> Option<Directive> {
        let parsed = Directive::parse(&self.site(entry.key_bytes.clone()), &entry.key);
        self.keep(parsed)
    }

    fn fields(&mut self, entries: &[Entry]) -> Fields {
        Fields(entries.iter().filter_map(|entry| self.field(entry)).collect())
    }

    fn field(&mut self, entry: &Entry) -> Option<Field> {
        if Directive::is(&entry.key) {
            return self.merge(entry);
        }
        let site = self.site(entry.key_bytes.clone());
        let key = if entry.key.contains(EXPR.0) {
            Text::parse(&site, &entry.key).map(Key::Text)
        } else {
            Ok(Key::Fixed(entry.key.clone()))
        };
        let key = self.keep(key);
        let value = self.block(&entry.value);
        Some(Field::Pair { key: key?, site, value })
    }

    fn merge(&mut self, entry: &Entry) -> Option<Field> {
        let directive = self.directive(entry);
        let Some(entries) = entry.value.as_map() else {
            let problem = self
                .site(entry.key_bytes.clone())
                .problem("below a directive in a map there must be a map");
            self.problems
                .push(problem.help("for list entries write `- <% … %>: …`"));
            return None;
        };
        let fields = self.fields(entries);
        Some(Field::Merge {
            directive: directive?,
            fields,
        })
    }
}

/// Whether a node renders to itself in every scope.
fn is_constant(node: &Node) -> bool {
    let is_fixed = |text: &str| ![EXPR.0, DIRECTIVE.0, COMMENT.0].iter().any(|open| text.contains(open));
    match node.kind() {
        Kind::Text(text, _) => is_fixed(text),
        Kind::List(items) => items.iter().all(is_constant),
        Kind::Map(entries) => entries
            .iter()
            .all(|entry| is_fixed(&entry.key) && is_constant(&entry.value)),
        _ => true,
    }
}

fn scalar(site: &Site, text: &str, style: Style) -> Result<Block, Problem> {
    if style.is_block() {
        return TextTemplate::at(site.clone(), text.to_owned()).map(Block::Jinja);
    }
    if let Some(at) = [DIRECTIVE.0, COMMENT.0].iter().find_map(|open| text.find(open)) {
        let problem = site
            .part(text, at..text.len())
            .problem("directives and comments inside of text need a block scalar");
        return Err(problem.help("write the text below a `|`"));
    }
    let mut text = Text::parse(site, text)?;
    match text.0.pop() {
        Some(Piece::Expr(expr)) if text.0.is_empty() => Ok(Block::Expr(expr)),
        last => {
            text.0.extend(last);
            Ok(Block::Text(text))
        }
    }
}
