//! What the output of a probe means.

use serde_json::Value;

use super::facts::Facts;
use super::step::{Expect, Learn, Probe};

/// What a probe found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds, and these facts are known now.
    Holds(Facts),
    /// It does not, yet. What is worth showing of it.
    Not(String),
    /// It does not, and waiting is useless. What is worth showing of it.
    Hopeless(String),
}

/// Judges the output of a probe whose command succeeded.
pub fn judge(probe: &Probe, facts: &Facts, output: &str) -> Verdict {
    let json = serde_json::from_str(output).unwrap_or(Value::Null);
    let seen = Seen {
        facts,
        output,
        json: &json,
    };
    if probe.expects.iter().all(|expect| seen.meets(expect)) {
        let learnt: Option<Facts> = probe.learns.iter().map(|learn| seen.learnt(learn)).collect();
        return learnt.map_or_else(|| Verdict::Not(seen.shown(probe)), Verdict::Holds);
    }
    if probe.hopeless.iter().any(|expect| seen.meets(expect)) {
        return Verdict::Hopeless(seen.shown(probe));
    }
    Verdict::Not(seen.shown(probe))
}

struct Seen<'a> {
    facts: &'a Facts,
    output: &'a str,
    json: &'a Value,
}

impl Seen<'_> {
    fn meets(&self, expect: &Expect) -> bool {
        match expect {
            Expect::Json { pointer, equals } => self.json.pointer(pointer) == Some(equals),
            Expect::OneOf { pointer, texts } => {
                let found = self.json.pointer(pointer).and_then(Value::as_str);
                found.is_some_and(|found| texts.iter().any(|text| text == found))
            }
            Expect::Without { pointer, fields } => {
                let is_it = |item: &Value| fields.iter().all(|(key, text)| item[key.as_str()] == text.as_str());
                let items = self.json.pointer(pointer).and_then(Value::as_array);
                items.is_some_and(|items| !items.iter().any(is_it))
            }
            Expect::NoLine(text) => self.output.lines().all(|line| line.trim() != text),
            Expect::Present(pointer) => self.json.pointer(pointer).is_some_and(is_present),
            Expect::Output(word) => self
                .facts
                .fill(word)
                .is_ok_and(|text| self.output.trim() == text.trim()),
            Expect::Lines { lines, with } => {
                let mut wanted: Vec<String> = lines.iter().filter_map(|line| self.facts.fill(line).ok()).collect();
                let mut found: Vec<&str> = self
                    .output
                    .lines()
                    .filter(|line| line.contains(with.as_str()))
                    .collect();
                wanted.sort_unstable();
                found.sort_unstable();
                found == wanted
            }
        }
    }

    /// A fact with its name; none, if it is not there.
    fn learnt(&self, learn: &Learn) -> Option<(String, String)> {
        let value = match &learn.pointer {
            Some(pointer) => text(self.json.pointer(pointer)?),
            None => self.output.trim().to_owned(),
        };
        (!value.is_empty()).then(|| (learn.fact.clone(), value))
    }

    fn shown(&self, probe: &Probe) -> String {
        let values = probe.shows.iter().filter_map(|pointer| self.json.pointer(pointer));
        let texts: Vec<String> = values.map(text).filter(|text| !text.is_empty()).collect();
        texts.join(", ")
    }
}

/// A scalar as people write it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::runner::step::{Command, Word};

    fn probe() -> Probe {
        Probe::new(Command::new("multipass", ["info"]))
    }

    fn known() -> Facts {
        [("a.address".to_owned(), "10.0.0.1".to_owned())].into_iter().collect()
    }

    #[test]
    fn what_a_probe_expects_decides() {
        let running = r#"{"info": {"a": {"state": "Running", "ipv4": ["10.0.0.2"]}}}"#;
        let state = probe().json("/info/a/state", "Running");
        assert_eq!(judge(&state, &known(), running), Verdict::Holds(Facts::default()));
        assert_eq!(judge(&state, &known(), "not JSON"), Verdict::Not(String::new()));
        let learns = state.learn("a.address", "/info/a/ipv4/0");
        let Verdict::Holds(facts) = judge(&learns, &known(), running) else {
            panic!("it holds")
        };
        assert_eq!(facts.get("a.address"), Some("10.0.0.2"));
        let no_address = r#"{"info": {"a": {"state": "Running", "ipv4": []}}}"#;
        assert_eq!(judge(&learns, &known(), no_address), Verdict::Not(String::new()));
    }

    #[test]
    fn marked_lines_are_compared_and_others_are_not() {
        let lines = vec![
            Word::fact("a.address").text(" a # lab"),
            Word::fact("b.address").text(" b # lab"),
        ];
        let with = "# lab".to_owned();
        let hosts = probe().expect(Expect::Lines { lines, with });
        let holds = |output| judge(&hosts, &known(), output) == Verdict::Holds(Facts::default());
        assert!(holds("127.0.0.1 localhost\n10.0.0.1 a # lab\n"));
        assert!(!holds("127.0.0.1 localhost\n"));
        assert!(!holds("10.0.0.1 a # lab\n10.0.0.9 gone # lab\n"));
    }

    #[test]
    fn waiting_ends_when_it_is_useless() {
        let workflow = probe()
            .json("/status/phase", "Succeeded")
            .hopeless("/status/phase", "Failed")
            .shows("/status/progress");
        let say = |phase: &str| format!(r#"{{"status": {{"phase": "{phase}", "progress": "3/7"}}}}"#);
        assert_eq!(
            judge(&workflow, &known(), &say("Running")),
            Verdict::Not("3/7".to_owned())
        );
        assert_eq!(
            judge(&workflow, &known(), &say("Failed")),
            Verdict::Hopeless("3/7".to_owned())
        );
    }
}
