//! The parser's complaints in our words, at their place.

use std::ops::Range;
use std::sync::Arc;

use serde_yaml::granit_parser::{ErrorKind, ScanError};
use serde_yaml::localizer::ExternalMessageSource;
use serde_yaml::{Error, Location, MessageFormatter, UserMessageFormatter};

use super::node::Node;
use crate::core::problem::Problem;
use crate::core::source::{Place, Source};

/// Text that is not YAML.
pub(super) fn scan(source: &Arc<Source>, error: &ScanError) -> Problem {
    let mark = error.marker();
    let start = mark
        .byte_offset()
        .unwrap_or_else(|| offset(&source.text, mark.line(), mark.col()));
    let (message, help) = words(error.kind());
    let problem = Problem::at(Place::bytes(source, token(&source.text, start)), message);
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// A second document in a file that holds one.
pub(super) fn second_document(source: &Arc<Source>, range: Range<usize>) -> Problem {
    Problem::at(Place::bytes(source, range), "a second document starts here")
        .help("put each document into a file of its own")
}

/// A document that is not YAML, or not what the type wants.
pub(super) fn typed(source: &Arc<Source>, error: &Error) -> Problem {
    match error {
        Error::AliasError { error, .. } | Error::WithSnippet { error, .. } => typed(source, error),
        Error::ExternalMessage { source: external, .. } if matches!(**external, ExternalMessageSource::Parser(_)) => {
            parser(source, external)
        }
        Error::DuplicateMappingKey { .. } | Error::MultipleDocuments { .. } | Error::UnknownAnchor { .. } => {
            Node::parse(source).err().unwrap_or_else(|| mismatch(source, error))
        }
        _ => mismatch(source, error),
    }
}

fn parser(source: &Arc<Source>, external: &ExternalMessageSource) -> Problem {
    match external {
        ExternalMessageSource::Parser(error) => scan(source, error),
        _ => Problem::at(Place::file(source), "this is not YAML"),
    }
}

/// YAML that does not fit the type.
fn mismatch(source: &Arc<Source>, error: &Error) -> Problem {
    let place = error
        .location()
        .map_or_else(|| Place::file(source), |location| place(source, &location));
    let at = |message: String| Problem::at(place.clone(), message);
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            choice(at(format!("the key `{field}` is unknown")), field, expected, "keys")
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            choice(at(format!("`{variant}` is unknown")), variant, expected, "values")
        }
        Error::SerdeMissingField { field, .. } => at(format!("the key `{field}` is missing")),
        Error::DuplicateMappingKey { key: Some(key), .. } => at(format!("the key `{key}` stands twice in one map")),
        Error::SerdeInvalidType {
            unexpected, expected, ..
        }
        | Error::SerdeInvalidValue {
            unexpected, expected, ..
        } => at(format!("expected {expected}, found {unexpected}")),
        Error::InvalidScalar { ty, .. } => at(format!("expected {}", plain_type(ty))),
        Error::NullIntoString { .. } => at("expected text, found nothing".to_owned()),
        Error::Unexpected { expected, .. } => at(format!("expected {}", plain_type(expected))),
        Error::Eof { .. } => at("there is nothing in this file".to_owned()),
        Error::UnknownAnchor { .. } => at(words(&ErrorKind::UnknownAnchor).0),
        _ => at(UserMessageFormatter.format_message(error).into_owned()),
    }
}

/// Adds what could have been meant: the closest candidate, else all of them.
fn choice(problem: Problem, typed: &str, expected: &[&str], what: &str) -> Problem {
    let problem = problem.did_you_mean(typed, expected.iter().copied());
    if problem.help.is_some() || expected.is_empty() {
        problem
    } else {
        problem.help(format!("known {what}: {}", expected.join(", ")))
    }
}

/// The reader's names of types, for people.
fn plain_type(name: &str) -> &str {
    match name {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" | "floating point" => "a number",
        "boolean" | "bool" => "true or false",
        "string scalar" => "text",
        "sequence" | "sequence start" => "a list",
        "mapping" | "mapping start" => "a map",
        other => other,
    }
}

fn words(kind: &ErrorKind) -> (String, Option<&'static str>) {
    let (message, help) = match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => ("a tab cannot indent", "indent with spaces"),
        ErrorKind::UnknownAnchor => (
            "this alias has no anchor",
            "mark what it repeats with `&name`, further up",
        ),
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => (
            "the quoted text before this is not closed",
            "close the quote, or indent the lines that continue it",
        ),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            "text follows a quoted text",
            "quote the whole value; double a `'` inside single quotes",
        ),
        ErrorKind::MappingValueNotAllowed => (
            "a `: ` cannot stand here",
            "quote a value that contains `: `, such as an expression",
        ),
        ErrorKind::ExpectedBlockMappingKey => ("a key is expected here", "indent the keys of one map alike"),
        ErrorKind::ExpectedBlockSequenceEntry => (
            "`- ` is expected here",
            "indent the entries of one list alike, and do not mix them with keys",
        ),
        ErrorKind::ExpectedFlowMappingSeparator => (
            "`,` or `}` is expected here",
            "quote a value that contains `{`, `}`, `[`, `]` or `,`, such as an expression",
        ),
        ErrorKind::ExpectedFlowSequenceSeparator => (
            "`,` or `]` is expected here",
            "quote a value that contains `{`, `}`, `[`, `]` or `,`, such as an expression",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            "a `:` is missing after the key on the line before",
            "a key needs `: ` after it, on one line",
        ),
        ErrorKind::UnclosedFlowCollection { open } => {
            return (
                format!("`{open}` is not closed"),
                Some("close it, or quote text that starts with it"),
            );
        }
        ErrorKind::UnexpectedCharacter { character } => {
            return (
                format!("a value without quotes cannot start with `{character}`"),
                Some("quote the value"),
            );
        }
        other => return (format!("this is not YAML: {other}"), None),
    };
    (message.to_owned(), Some(help))
}

fn place(source: &Arc<Source>, location: &Location) -> Place {
    let text = &source.text;
    let span = location.span();
    let known = |value: Option<u64>| value.and_then(|value| usize::try_from(value).ok());
    let start = known(span.byte_offset())
        .filter(|start| *start <= text.len())
        .unwrap_or_else(|| {
            let coordinate = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
            offset(
                text,
                coordinate(location.line()),
                coordinate(location.column()).saturating_sub(1),
            )
        });
    let end = known(span.byte_len())
        .and_then(|len| start.checked_add(len))
        .filter(|end| (start + 1..=text.len()).contains(end));
    Place::bytes(source, end.map_or_else(|| token(text, start), |end| start..end))
}

/// The byte at a line (from 1) and a column in characters (from 0); the end of what there is, if there is less.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = text[start..].split('\n').next().unwrap_or_default();
    start + rest.char_indices().nth(column).map_or(rest.len(), |(index, _)| index)
}

/// The word at `start`, so that a marker has some width.
fn token(text: &str, start: usize) -> Range<usize> {
    let start = (0..=start.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let rest = &text[start..];
    let first = rest
        .chars()
        .next()
        .filter(|first| !matches!(first, '\n' | '\r'))
        .map_or(0, char::len_utf8);
    let word = rest
        .find(|c: char| c.is_whitespace() || ",:]}".contains(c))
        .unwrap_or(rest.len());
    start..start + word.max(first)
}
