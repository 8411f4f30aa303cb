//! How a POSIX shell writes what steps are made of.

use super::step::{Command, Content, Expect, Learn, Part, Piece, Probe, Stdin, Word};
use crate::core::shell;

/// What a backslash must precede in double quotes (POSIX, 2.2.3).
const IN_QUOTES: [char; 4] = ['"', '\\', '$', '`'];

/// What a backslash must precede in a here-document (POSIX, 2.7.4).
const IN_DOCUMENT: [char; 3] = ['\\', '$', '`'];

/// The variable that holds a run-time fact.
pub(super) fn variable(fact: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    fact.chars().map(legal).collect()
}

/// An argument.
pub(super) fn word(word: &Word) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => Some(text.clone()),
        Piece::Fact(_) => None,
    };
    if let Some(texts) = word.0.iter().map(text).collect::<Option<Vec<_>>>() {
        return shell::word(&texts.concat());
    }
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => shell::inside_quotes(text, &IN_QUOTES),
        Piece::Fact(fact) => format!("${{{}}}", variable(fact)),
    };
    format!("\"{}\"", word.0.iter().map(piece).collect::<String>())
}

/// A command that is run if its `unless` does not hold, and may fail if it is lenient.
pub(super) fn guarded(run: &Command) -> String {
    let unless = run.unless.as_ref().map(|probe| format!("{} ||\n  ", condition(probe)));
    let lenient = if run.lenient { " || true" } else { "" };
    format!("{}{}{lenient}{}", unless.unwrap_or_default(), line(run), document(run))
}

/// A command and its redirections on one line.
fn line(command: &Command) -> String {
    let mut words: Vec<String> = Vec::new();
    for (name, value) in &command.environment {
        words.push(format!("{name}={}", word(value)));
    }
    words.push(shell::word(&command.program));
    words.extend(command.arguments.iter().map(word));
    match &command.stdin {
        Stdin::Nothing => {}
        Stdin::File(path) => words.push(format!("< {}", shell::word(path))),
        Stdin::Content(content) => words.push(format!("<<{}", delimiter(content))),
    }
    if let Some(path) = &command.stdout {
        words.push(format!("> {}", shell::word(path)));
    }
    words.join(" ")
}

/// The here-document of a command, if it reads one.
fn document(command: &Command) -> String {
    match &command.stdin {
        Stdin::Content(content) => format!("\n{}{}", text(content), END),
        Stdin::Nothing | Stdin::File(_) => String::new(),
    }
}

/// Ends a here-document.
const END: &str = "EOF";

/// The delimiter: quoted, unless the shell shall put something in.
fn delimiter(content: &Content) -> String {
    if is_plain(content) {
        format!("'{END}'")
    } else {
        END.to_owned()
    }
}

fn is_plain(content: &Content) -> bool {
    content.0.iter().all(|part| matches!(part, Part::Text(_)))
}

/// The lines of a here-document. Secrets are shown as where they come from.
fn text(content: &Content) -> String {
    let plain = is_plain(content);
    let part = |part: &Part| match part {
        Part::Text(text) if plain => text.clone(),
        Part::Text(text) => shell::inside_quotes(text, &IN_DOCUMENT),
        Part::Fact(fact) => format!("${{{}}}", variable(fact)),
        Part::Lines(lines) => lines.iter().map(|line| optional(line) + "\n").collect(),
        Part::File(path) => format!("$(cat {})", shell::word(path)),
        Part::Material(material) => format!("$({})", material.shell),
    };
    let mut lines: String = content.0.iter().map(part).collect();
    if !lines.ends_with('\n') {
        lines.push('\n');
    }
    lines
}

/// A text that is empty if a fact in it is not known.
fn optional(word: &Word) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => shell::inside_quotes(text, &IN_QUOTES),
        Piece::Fact(fact) => format!("${}", variable(fact)),
    };
    let text: String = word.0.iter().map(piece).collect();
    let fact = word.0.iter().find_map(|piece| match piece {
        Piece::Fact(fact) => Some(variable(fact)),
        Piece::Text(_) => None,
    });
    fact.map_or_else(|| text.clone(), |fact| format!("${{{fact}:+{text}}}"))
}

/// Writes a file.
pub(super) fn write(path: &str, content: &Content) -> String {
    let path = shell::word(path);
    match content.0.as_slice() {
        [Part::File(from)] => format!("cat {} > {path}", shell::word(from)),
        [Part::Material(material)] => format!("{} > {path}", material.shell),
        _ => format!("cat <<{} > {path}\n{}{END}", delimiter(content), text(content)),
    }
}

/// A probe as a condition.
pub(super) fn condition(probe: &Probe) -> String {
    let command = line(&probe.command);
    if probe.expects.is_empty() {
        return format!("{command} >/dev/null 2>&1");
    }
    let conditions: Vec<String> = probe
        .expects
        .iter()
        .map(|expect| expectation(&command, expect))
        .collect();
    conditions.join(" && ")
}

fn expectation(command: &str, expect: &Expect) -> String {
    // Slurped: of no input at all some releases of jq say that all is well.
    let jq = |filter: String| {
        let filter = shell::word(&format!(".[0] | {filter}"));
        format!("{command} 2>/dev/null | jq -es {filter} >/dev/null")
    };
    match expect {
        Expect::Json { pointer, equals } => jq(format!("{} == {equals}", path(pointer))),
        Expect::OneOf { pointer, texts } => {
            let texts: Vec<String> = texts.iter().map(|text| format!(". == {}", json(text))).collect();
            jq(format!("{} | {}", path(pointer), texts.join(" or ")))
        }
        Expect::Without { pointer, fields } => {
            let field = |(key, text): &(String, String)| format!("{} == {}", path(&format!("/{key}")), json(text));
            let fields: Vec<String> = fields.iter().map(field).collect();
            jq(format!("{} | any({}) | not", path(pointer), fields.join(" and ")))
        }
        Expect::NoLine(text) => format!("! {command} 2>/dev/null | grep -qFx {}", shell::word(text)),
        Expect::Present(pointer) => jq(format!("{} | . != null and . != \"\" and . != []", path(pointer))),
        Expect::Output(text) => format!("[ \"$({command} 2>/dev/null)\" = {} ]", word(text)),
        Expect::Lines { lines, with } => {
            let lines: Vec<String> = lines.iter().map(|line| format!("\"{}\"", optional(line))).collect();
            let found = format!("{command} 2>/dev/null | grep -F {} | sort", shell::word(with));
            format!(
                "[ \"$({found})\" = \"$(printf '%s\\n' {} | grep . | sort)\" ]",
                lines.join(" ")
            )
        }
    }
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What a probe learns, as assignments.
pub(super) fn learns(probe: &Probe) -> Vec<String> {
    let command = line(&probe.command);
    let learn = |learn: &Learn| {
        let variable = variable(&learn.fact);
        match &learn.pointer {
            Some(pointer) => format!("{variable}=$({command} | jq -r {})", shell::word(&path(pointer))),
            None => format!("{variable}=$({command})"),
        }
    };
    probe.learns.iter().map(learn).collect()
}

/// A JSON pointer (RFC 6901) as a path of jq.
fn path(pointer: &str) -> String {
    let is_name = |token: &str| {
        let mut chars = token.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let tokens = pointer
        .split('/')
        .skip(1)
        .map(|token| token.replace("~1", "/").replace("~0", "~"));
    let mut path = String::new();
    for token in tokens {
        if !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit()) {
            path += &format!("[{token}]");
        } else if is_name(&token) {
            path += &format!(".{token}");
        } else {
            path += &format!("[{}]", serde_json::Value::from(token));
        }
    }
    if path.starts_with('.') {
        path
    } else {
        format!(".{path}")
    }
}
