//! What people see: results on standard output, everything else on standard error.

use std::io::{self, IsTerminal, Write};

use super::failure::{Code, Failure};
use crate::core::warnings::Warnings;

/// Writes to the terminal, with colour only where one is.
pub(super) struct Printer {
    quiet: bool,
    verbose: bool,
    colour: bool,
}

impl Printer {
    pub(super) fn new(quiet: bool, verbose: bool) -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            quiet,
            verbose,
            colour: !no_colour && io::stderr().is_terminal(),
        }
    }

    /// A result. A reader that has gone away (`| head`) is no failure.
    pub(super) fn result(text: &str) {
        let _ = io::stdout().write_all(text.as_bytes());
    }

    /// What was done, in a line.
    pub(super) fn note(&self, line: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    /// What went wrong, in words of its own.
    pub(super) fn complain(text: &str) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// A question, whose answer comes on the same line.
    pub(super) fn ask(question: &str) {
        let _ = write!(io::stderr(), "{question}");
        let _ = io::stderr().flush();
    }

    /// Whether somebody watches who wants to see something move.
    pub(super) fn is_live(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// What only the curious want to know.
    pub(super) fn detail(&self, line: &str) {
        if self.verbose {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    /// Known limits that a lab meets; those that it allows only for the curious.
    pub(super) fn warnings(&self, lab: &str, warnings: &Warnings<'_>) {
        for warning in &warnings.met {
            let code = &warning.limit.code;
            match warning.allowed {
                None => self.note(&format!("{lab}: {warning}\n")),
                Some(reason) => self.detail(&format!("{lab}: {code} is allowed: {reason}")),
            }
        }
        for code in &warnings.unused {
            self.note(&format!(
                "{lab}: {code} is allowed, but nothing here meets that limit: remove it from `allow`"
            ));
        }
    }

    /// What went wrong. Gives the exit code.
    pub(super) fn failure(&self, failure: &Failure) -> Code {
        let text = match failure {
            Failure::Input(problems) => {
                let counted = counted(problems.len(), "problem", "problems");
                format!("{}\n\n{counted}, nothing written", problems.report(self.colour))
            }
            Failure::Refused(why) | Failure::Incomplete(why) => format!("error: {why}"),
            Failure::Environment(error) => format!("error: {error:#}"),
        };
        let _ = writeln!(io::stderr(), "{text}");
        failure.code()
    }
}

/// A number with its noun: `1 problem`, `2 problems`.
pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Columns under headings; the last one as wide as it likes.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let all: Vec<[String; N]> = std::iter::once(headings.map(str::to_owned)).chain(rows).collect();
    let widths: [usize; N] =
        std::array::from_fn(|i| all.iter().map(|row| row[i].chars().count()).max().unwrap_or_default());
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    all.iter().map(line).collect()
}

/// A table in Markdown; what would end a cell is escaped.
pub(super) fn markdown_table<const N: usize>(headings: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: [String; N]| format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    let head = line(headings.map(str::to_owned)) + &line(headings.map(|_| "---".to_owned()));
    head + &rows.map(line).collect::<String>()
}
