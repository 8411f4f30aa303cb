//! The one minijinja environment that compiles and evaluates every expression.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};

use super::convert;
use super::filters;

/// Delimiters that neither YAML, Helm, Argo, Bash nor Go templates use.
pub(super) const EXPR: (&str, &str) = ("<{", "}>");
/// Delimiters of directives.
pub(super) const DIRECTIVE: (&str, &str) = ("<%", "%>");
/// Delimiters of comments inside Jinja text.
pub(super) const COMMENT: (&str, &str) = ("<#", "#>");

/// Strict about undefined values, no escaping, only what a template needs.
pub(super) static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_formatter(print);
    engine.set_syntax(syntax());
    // Names the undefined variable in errors. Debug output of such an error would hold variables: only its detail is ever shown.
    engine.set_debug(true);
    // They print variables, or escape for HTML.
    engine.remove_global("debug");
    for filter in ["pprint", "escape", "e", "safe"] {
        engine.remove_filter(filter);
    }
    filters::add(&mut engine);
    engine
});

fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .block_delimiters(DIRECTIVE.0, DIRECTIVE.1)
        .variable_delimiters(EXPR.0, EXPR.1)
        .comment_delimiters(COMMENT.0, COMMENT.1)
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .unwrap_or_default()
}

/// Prints a scalar; minijinja itself would print Python's `True`, `None` and maps.
fn print(output: &mut Output, _: &mut State, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) => output.write_str(text).map_err(Error::from),
        None => output.write_str(&text(value)?).map_err(Error::from),
    }
}

/// A scalar as text.
pub(super) fn text(value: &Value) -> Result<String, Error> {
    defined(value)?;
    convert::scalar(value).map_err(|what| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("only scalars can stand in text, this is {what}"),
        )
    })
}

/// Refuses an undefined value with the error that knows the variable's name: the one that looking into it makes.
pub(super) fn defined(value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        value.get_attr("").map(drop)
    } else {
        Ok(())
    }
}
