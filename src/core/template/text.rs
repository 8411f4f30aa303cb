//! Text with expressions in it.

use std::fmt;
use std::sync::Arc;

use minijinja::Environment;

use super::engine::{ENGINE, EXPR};
use super::expr::{self, Expr};
use super::scope::Scope;
use super::site::Site;
use crate::core::problem::Problem;
use crate::core::source::Source;

/// A plain or quoted scalar, or a key, that embeds expressions.
#[derive(Debug)]
pub(super) struct Text(pub(super) Vec<Piece>);

/// A piece of text.
#[derive(Debug)]
pub(super) enum Piece {
    /// As it stands.
    Literal(String),
    /// The value of an expression.
    Expr(Expr),
}

impl Text {
    /// Splits a scalar at its `<{ … }>`.
    pub(super) fn parse(site: &Site, text: &str) -> Result<Self, Problem> {
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find(EXPR.0).map(|open| at + open) {
            let start = open + EXPR.0.len();
            let Some(end) = close(&text[start..]).map(|end| start + end) else {
                return Err(site
                    .part(text, open..text.len())
                    .problem("`<{` is not closed")
                    .help("close it with `}>`"));
            };
            if at < open {
                pieces.push(Piece::Literal(text[at..open].to_owned()));
            }
            pieces.push(Piece::Expr(expression(site, text, start..end)?));
            at = end + EXPR.1.len();
        }
        if at < text.len() {
            pieces.push(Piece::Literal(text[at..].to_owned()));
        }
        Ok(Self(pieces))
    }

    pub(super) fn render(&self, scope: &Scope) -> Result<String, Problem> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Expr(expr) => text.push_str(&expr.scalar(scope)?),
            }
        }
        Ok(text)
    }
}

fn expression(site: &Site, text: &str, range: std::ops::Range<usize>) -> Result<Expr, Problem> {
    let raw = &text[range.clone()];
    let start = range.start + (raw.len() - raw.trim_start().len());
    let trimmed = raw.trim();
    let whole = if trimmed.is_empty() {
        range.start - EXPR.0.len()..range.end + EXPR.1.len()
    } else {
        start..start + trimmed.len()
    };
    Expr::at(site.part(text, whole), trimmed)
}

/// Where the `}>` of an expression is, quotes skipped.
fn close(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') if text[at..].starts_with(EXPR.1) => return Some(at),
            _ => {}
        }
    }
    None
}

/// Text in which all of Jinja works: a block scalar, or a `.j2` file.
pub struct TextTemplate {
    engine: Environment<'static>,
    text: String,
    site: Site,
}

impl fmt::Debug for TextTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TextTemplate").field(&self.text).finish()
    }
}

/// The name of the only template of each environment; nobody sees it.
const NAME: &str = "text";

impl TextTemplate {
    /// Compiles a file of text.
    ///
    /// # Errors
    /// What is not Jinja, at its place.
    pub fn parse(source: &Arc<Source>) -> Result<Self, Problem> {
        Self::at(Site::new(source, 0..source.text.len()), source.text.clone())
    }

    pub(super) fn at(site: Site, text: String) -> Result<Self, Problem> {
        let mut engine = ENGINE.clone();
        match engine.add_template_owned(NAME, text.clone()) {
            Ok(()) => Ok(Self { engine, text, site }),
            Err(error) => Err(expr::fault(&site, &text, &error, None)),
        }
    }

    /// The text for one scope.
    ///
    /// # Errors
    /// What failed or is undefined, at its place.
    pub fn render(&self, scope: &Scope) -> Result<String, Problem> {
        let rendered = self
            .engine
            .get_template(NAME)
            .and_then(|template| template.render(scope.root()));
        rendered.map_err(|error| expr::fault(&self.site, &self.text, &error, Some(scope)))
    }
}
