//! One compiled expression.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use minijinja::{Error, ErrorKind, Expression, Value as Jinja};

use super::convert;
use super::engine::ENGINE;
use super::scope::{Scope, names};
use super::site::Site;
use crate::core::problem::{Problem, closest};
use crate::core::source::Source;
use crate::core::value::Value;

/// An expression of minijinja's, compiled, with its place in the template.
pub struct Expr {
    text: String,
    site: Site,
    compiled: Expression<'static, 'static>,
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expr").field(&self.text).finish()
    }
}

impl Expr {
    /// Compiles `text`, which stands at `bytes` of `source` (perhaps in quotes, or as a part of them).
    ///
    /// # Errors
    /// What is not an expression, at its place.
    pub fn parse(source: &Arc<Source>, bytes: Range<usize>, text: &str) -> Result<Self, Problem> {
        let trimmed = text.trim();
        let start = text.len() - text.trim_start().len();
        Self::at(
            Site::new(source, bytes).part(text, start..start + trimmed.len()),
            trimmed,
        )
    }

    pub(super) fn at(site: Site, text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(site.problem("an expression is missing here"));
        }
        match ENGINE.compile_expression_owned(text.to_owned()) {
            Ok(compiled) => Ok(Self {
                text: text.to_owned(),
                site,
                compiled,
            }),
            Err(error) => Err(fault(&site, text, &error, None)),
        }
    }

    /// The value of the expression.
    ///
    /// # Errors
    /// What failed, or that the result is undefined.
    pub fn eval(&self, scope: &Scope) -> Result<Jinja, Problem> {
        let value = self
            .compiled
            .eval(scope.root())
            .map_err(|error| fault(&self.site, &self.text, &error, Some(scope)))?;
        if value.is_undefined() {
            Err(self.undefined(scope))
        } else {
            Ok(value)
        }
    }

    /// Whether the expression holds: minijinja's idea of true (not empty, not zero, not null).
    ///
    /// # Errors
    /// As for [`Expr::eval`].
    pub fn truth(&self, scope: &Scope) -> Result<bool, Problem> {
        self.eval(scope).map(|value| value.is_true())
    }

    /// The value of the expression, as a document's.
    pub(super) fn value(&self, scope: &Scope) -> Result<Value, Problem> {
        convert::to_value(&self.eval(scope)?)
            .map_err(|message| self.problem(format!("`{}` has no value for a document: {message}", self.text)))
    }

    /// The value of the expression inside of text.
    pub(super) fn scalar(&self, scope: &Scope) -> Result<String, Problem> {
        let value = self.eval(scope)?;
        convert::scalar(&value).map_err(|what| {
            let problem = self.problem(format!("only scalars can stand in text, `{}` is {what}", self.text));
            problem.help("a filter such as `join`, `json` or `yaml` turns it into text")
        })
    }

    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        self.site.problem(message)
    }

    /// The expression itself.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn undefined(&self, scope: &Scope) -> Problem {
        if is_path(&self.text) {
            return not_defined(&self.site, &self.text, scope);
        }
        self.problem(format!("`{}` has no value", self.text)).help(NO_VALUE)
    }
}

/// What makes an expression undefined, other than a name.
const NO_VALUE: &str = "look for an `if` without `else`, an empty list, or an index that is not there";

/// What minijinja found wrong in `text`, which stands at `site`.
pub(super) fn fault(whole: &Site, text: &str, error: &Error, scope: Option<&Scope>) -> Problem {
    let range = error
        .range()
        .filter(|range| range.start < range.end)
        .unwrap_or_else(|| line_of(text, error));
    let site = &whole.part(text, range.clone());
    match (error.kind(), undefined_name(error), scope) {
        (_, Some(name), Some(scope)) => {
            let named = named(text, &range, name).unwrap_or(range);
            not_defined(&whole.part(text, named), name, scope)
        }
        (ErrorKind::UndefinedError, None, _) => site.problem("this has no value").help(NO_VALUE),
        (ErrorKind::SyntaxError, ..) => {
            let what = if error.name() == Some("<expression>") {
                "an expression"
            } else {
                "a template"
            };
            site.problem(format!("this is not {what}: {}", convert::describe(error)))
        }
        (ErrorKind::UnknownFilter, ..) => unknown_filter(site, error),
        _ => site.problem(innermost(error)),
    }
}

/// Where in `text` the undefined `name` stands: in the range of the error, or around its start.
fn named(text: &str, range: &Range<usize>, name: &str) -> Option<Range<usize>> {
    let inside = text.get(range.clone())?.find(name).map(|at| range.start + at);
    let start = inside.or_else(|| text.get(..range.end)?.rfind(name))?;
    Some(start..start + name.len())
}

/// The line that an error without a range is about; all of the text if that is unknown too.
fn line_of(text: &str, error: &Error) -> Range<usize> {
    let Some(line) = error.line().and_then(|line| line.checked_sub(1)) else {
        return 0..text.len();
    };
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.find('\n').unwrap_or(rest.len());
    let indent = rest.len() - rest.trim_start_matches(' ').len();
    start + indent.min(end)..start + end
}

/// The message of the error that started it all.
fn innermost(error: &Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner
        .downcast_ref::<Error>()
        .map_or_else(|| convert::describe(error), convert::describe)
}

/// The variable in minijinja's "`name` is undefined", which may follow another message in parentheses.
fn undefined_name(error: &Error) -> Option<&str> {
    let (before, _) = error.detail()?.rsplit_once("` is undefined")?;
    before.rsplit_once('`').map(|(_, name)| name)
}

fn not_defined(site: &Site, name: &str, scope: &Scope) -> Problem {
    let (name, typed, known) = first_missing(name, scope);
    let problem = site.problem(format!("`{name}` is not defined"));
    match closest(typed, known.iter().map(String::as_str)) {
        Some(close) => problem.help(format!("did you mean `{}{close}`?", &name[..name.len() - typed.len()])),
        None if known.is_empty() || known.len() > 20 => problem,
        None => problem.help(format!("known here: {}", known.join(", "))),
    }
}

/// The shortest start of a path like `a.b.c` that is not defined, its last name, and the names that could stand there.
fn first_missing<'a>(path: &'a str, scope: &Scope) -> (&'a str, &'a str, Vec<String>) {
    let mut value = scope.root();
    let mut start = 0;
    for name in path.split('.') {
        let end = start + name.len();
        match value.get_attr(name) {
            Ok(next) if !next.is_undefined() => value = next,
            _ if is_path(name) => return (&path[..end], name, names(&value)),
            _ => break,
        }
        start = end + 1;
    }
    (path, "", Vec::new())
}

/// Whether `text` is names with dots between them.
fn is_path(text: &str) -> bool {
    text.split('.').all(is_name)
}

/// Whether a variable can be called `text`.
pub(super) fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(is_part)
}

fn unknown_filter(site: &Site, error: &Error) -> Problem {
    let message = convert::describe(error);
    let name = message
        .strip_prefix("filter ")
        .and_then(|rest| rest.strip_suffix(" is unknown"))
        .unwrap_or_default()
        .to_owned();
    let known = [
        "b64encode",
        "default",
        "first",
        "indent",
        "items",
        "join",
        "json",
        "last",
        "length",
        "lower",
        "map",
        "replace",
        "selectattr",
        "shquote",
        "sort",
        "toml",
        "unique",
        "upper",
        "yaml",
    ];
    site.problem(format!("there is no filter `{name}`"))
        .did_you_mean(&name, known)
}
