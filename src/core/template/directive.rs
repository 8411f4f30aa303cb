//! `<% if … %>` and `<% for … %>` as keys.

use minijinja::Value as Jinja;
use minijinja::value::ValueKind;

use super::convert;
use super::engine::DIRECTIVE;
use super::expr::{Expr, is_name};
use super::scope::Scope;
use super::site::Site;
use crate::core::problem::Problem;

/// What decides how often the value below a directive is rendered.
#[derive(Debug)]
pub(super) enum Directive {
    /// Once, or not at all.
    If(Expr),
    /// Once for each item, under one name, or several that take the parts of the item.
    For(Vec<String>, Expr),
}

impl Directive {
    /// Whether a key is meant to be a directive.
    pub(super) fn is(key: &str) -> bool {
        key.contains(DIRECTIVE.0)
    }

    /// Reads a key that [`Directive::is`] one.
    pub(super) fn parse(site: &Site, key: &str) -> Result<Self, Problem> {
        let inner = key
            .trim()
            .strip_prefix(DIRECTIVE.0)
            .and_then(|rest| rest.strip_suffix(DIRECTIVE.1));
        let Some(inner) = inner.map(str::trim).filter(|inner| !inner.contains(DIRECTIVE.0)) else {
            return Err(site
                .problem("a directive is a key of its own")
                .help("write `<% if … %>:` or `<% for … in … %>:` and what it holds below"));
        };
        let (word, rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        match word {
            "if" => Self::expr(site, key, rest).map(Self::If),
            "for" => Self::parse_for(site, key, rest),
            "else" | "elif" => Err(site
                .problem(format!("there is no `{word}`"))
                .help("write another `if` with the opposite condition")),
            "endif" | "endfor" => Err(site
                .problem(format!("there is no `{word}`"))
                .help("a directive ends where its indentation ends")),
            _ => Err(site
                .problem(format!("there is no directive `{word}`"))
                .help("there are `if` and `for`; inside a block scalar (`|`) all of Jinja works")),
        }
    }

    fn parse_for(site: &Site, key: &str, rest: &str) -> Result<Self, Problem> {
        let Some((names, list)) = rest.split_once(" in ") else {
            return Err(site.problem("`for` needs `in`").help("write `<% for x in expr %>:`"));
        };
        let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
        if let Some(bad) = names.iter().find(|name| !is_name(name)) {
            return Err(site.problem(format!("`{bad}` is not a name for a variable")));
        }
        Self::expr(site, key, list).map(|list| Self::For(names, list))
    }

    fn expr(site: &Site, key: &str, text: &str) -> Result<Expr, Problem> {
        let text = text.trim();
        let start = key.rfind(text).unwrap_or_default();
        Expr::at(site.part(key, start..start + text.len()), text)
    }

    /// The scopes in which what stands below is rendered.
    pub(super) fn scopes(&self, scope: &Scope) -> Result<Vec<Scope>, Problem> {
        match self {
            Self::If(expr) => Ok(if expr.truth(scope)? {
                vec![scope.clone()]
            } else {
                Vec::new()
            }),
            Self::For(names, expr) => {
                let list = expr.eval(scope)?;
                items(&list)
                    .map_err(|message| expr.problem(format!("`{}` {message}", expr.text())))?
                    .iter()
                    .map(|item| bind(names, item, expr, scope))
                    .collect()
            }
        }
    }
}

fn items(list: &Jinja) -> Result<Vec<Jinja>, String> {
    match list.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => list
            .try_iter()
            .and_then(|items| items.checked().collect())
            .map_err(|error| convert::describe(&error)),
        _ => Err(format!("is {}, `for` needs a list", convert::kind(list))),
    }
}

fn bind(names: &[String], item: &Jinja, expr: &Expr, scope: &Scope) -> Result<Scope, Problem> {
    if let [name] = names {
        return Ok(scope.with(name.as_str(), item.clone()));
    }
    let parts = items(item).unwrap_or_default();
    if parts.len() != names.len() {
        return Err(expr
            .problem(format!(
                "an item of `{}` does not have {} parts",
                expr.text(),
                names.len()
            ))
            .help("`|items` gives the keys and values of a map"));
    }
    Ok(names
        .iter()
        .zip(parts)
        .fold(scope.clone(), |scope, (name, part)| scope.with(name.as_str(), part)))
}
