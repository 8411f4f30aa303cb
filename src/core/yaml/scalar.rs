//! Which type a plain scalar has.

use serde_json::Number;

use super::node::{Kind, Style};
use crate::core::value::Value;

/// The value of a scalar written without quotes.
///
/// Whatever could be more than text is left to the typed reader, so that both ways of reading agree; the commonest scalars
/// are recognised here because starting that reader costs more than reading a whole line.
///
/// # Errors
/// What is wrong with a number that is not finite.
pub(super) fn plain(text: &str) -> Result<Kind, String> {
    match text {
        "" | "~" | "null" => return Ok(Kind::Null),
        "true" => return Ok(Kind::Bool(true)),
        "false" => return Ok(Kind::Bool(false)),
        _ => {}
    }
    if let Some(number) = small_integer(text) {
        return Ok(Kind::Number(number));
    }
    if is_word(text) || may_be_number(text) {
        typed(text)
    } else {
        Ok(Kind::Text(text.to_owned(), Style::Plain))
    }
}

fn typed(text: &str) -> Result<Kind, String> {
    match serde_yaml::from_str_with_options(text, super::options()) {
        Ok(Value::Null) => Ok(Kind::Null),
        Ok(Value::Bool(value)) => Ok(Kind::Bool(value)),
        Ok(Value::Number(number)) => Ok(Kind::Number(number)),
        Err(serde_yaml::Error::NonFiniteFloat { value, .. }) => Err(format!("`{value}` is not a finite number")),
        Ok(_) | Err(_) => Ok(Kind::Text(text.to_owned(), Style::Plain)),
    }
}

/// A decimal integer in its canonical spelling.
fn small_integer(text: &str) -> Option<Number> {
    let canonical =
        text == "0" || matches!(text.as_bytes(), [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit));
    if canonical {
        text.parse::<u64>().ok().map(Number::from)
    } else {
        None
    }
}

/// Words of YAML 1.1 that are not text: `null`, `true`, `yes`, `on`, `y` and their opposites, in any case.
fn is_word(text: &str) -> bool {
    text.len() <= 5
        && matches!(
            text.as_bytes()[0].to_ascii_lowercase(),
            b'n' | b't' | b'f' | b'y' | b'o'
        )
}

fn may_be_number(text: &str) -> bool {
    let body = text.trim_start_matches(['+', '-']);
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || b"xXoO_.+-".contains(&byte);
    let is_special = |body: &str| body.eq_ignore_ascii_case(".inf") || body.eq_ignore_ascii_case(".nan");
    is_special(body)
        || matches!(body.as_bytes().first(), Some(b'0'..=b'9' | b'.'))
            && body.bytes().all(is_part)
            && body.bytes().any(|byte| byte.is_ascii_digit())
}
