//! Secrets that structure gives away: Kubernetes Secrets and kubeconfigs, as files of their own or inside scripts and block scalars.
//!
//! Both are found by their lines, because they may stand inside text that is not YAML. An object is the lines around its mark that are
//! indented as far.

use crate::core::source::Source;
use crate::core::value::{Map, Value};
use crate::core::yaml;

/// Argo CD's label of the Secrets that name clusters (docs/operator-manual/declarative-setup.md).
const ARGO_LABEL: &str = "argocd.argoproj.io/secret-type";

/// The keys of such a Secret, and of the JSON in its `config`, that hold no credential.
const CLUSTER_KEYS: [&str; 6] = ["name", "server", "config", "namespaces", "clusterResources", "project"];
const TLS_KEYS: [&str; 3] = ["insecure", "serverName", "caData"];

/// Whether `client-key-data` at `at` is a key with a value.
pub(super) fn is_client_key(bytes: &[u8], at: usize) -> bool {
    let line = Line::at(bytes, at);
    match line.entry() {
        Some(("client-key-data", value)) => is_literal(value),
        _ => line.is_flow(at) && is_literal(line.value_after(at)),
    }
}

/// Whether `token` at `at` is a key with a value, of the `user` of a kubeconfig.
pub(super) fn is_user_token(bytes: &[u8], at: usize) -> bool {
    let line = Line::at(bytes, at);
    let above = || {
        line.parent(bytes)
            .and_then(|parent| parent.entry())
            .is_some_and(|(key, _)| key == "user")
    };
    match line.entry() {
        Some(("token", value)) => is_literal(value) && above(),
        _ => line.is_flow(at) && line.text.contains("user") && is_literal(line.value_after(at)),
    }
}

/// Whether `Secret` at `at` is the kind of an object with values in `data` or `stringData`.
pub(super) fn is_secret_with_values(bytes: &[u8], at: usize) -> bool {
    let Some(key) = kind_before(bytes, at) else {
        return false;
    };
    if bytes
        .get(at + "Secret".len())
        .is_some_and(|next| next.is_ascii_alphanumeric() || matches!(next, b'-' | b'.' | b'/'))
    {
        return false;
    }
    let line = Line::at(bytes, key);
    if line.is_flow(key) {
        return ["data", "stringData"].iter().any(|name| line.text.contains(name));
    }
    let object = object(bytes, &line);
    match yaml::read(&Source::new("", object.as_str())) {
        Ok(Value::Object(object)) => has_values(&object) && !is_harmless_cluster(&object),
        _ => has_value_lines(&object),
    }
}

/// Where the key `kind` stands whose value starts at `at`, if it does.
fn kind_before(bytes: &[u8], at: usize) -> Option<usize> {
    let skip = |mut end: usize, skipped: &[u8]| {
        while end > 0 && skipped.contains(&bytes[end - 1]) {
            end -= 1;
        }
        end
    };
    let value = skip(at, b" \t\"'\\");
    let colon = bytes[..value].strip_suffix(b":")?;
    let end = skip(colon.len(), b" \t\"'\\");
    bytes[..end].ends_with(b"kind").then(|| end - "kind".len())
}

/// One line of a text.
struct Line<'a> {
    start: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    /// The line around an offset; what is not UTF-8 in it is not read.
    fn at(bytes: &'a [u8], at: usize) -> Self {
        let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |newline| start + newline);
        Self {
            start,
            text: readable(&bytes[start..end]),
        }
    }

    fn next(&self, bytes: &'a [u8]) -> Option<Self> {
        let newline = memchr::memchr(b'\n', &bytes[self.start..])?;
        (self.start + newline + 1 < bytes.len()).then(|| Self::at(bytes, self.start + newline + 1))
    }

    fn previous(&self, bytes: &'a [u8]) -> Option<Self> {
        self.start.checked_sub(1).map(|newline| Self::at(bytes, newline))
    }

    /// The nearest line above that is indented less.
    fn parent(&self, bytes: &'a [u8]) -> Option<Self> {
        let column = self.column();
        let mut above = self.previous(bytes);
        while let Some(line) = above {
            if !line.is_blank() && line.column() < column {
                return Some(line);
            }
            above = line.previous(bytes);
        }
        None
    }

    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    /// Where the first key stands: `- ` opens a list entry and counts as indentation.
    fn column(&self) -> usize {
        self.text.len() - self.text.trim_start_matches([' ', '-']).len()
    }

    /// Key and value, without the quotes of the key.
    fn entry(&self) -> Option<(&'a str, &'a str)> {
        let (key, value) = self.text[self.column()..].split_once(':')?;
        Some((key.trim().trim_matches(['"', '\'']), value.trim()))
    }

    /// Whether the key at `at` stands inside braces on this line.
    fn is_flow(&self, at: usize) -> bool {
        let before = self.text.get(..at - self.start).unwrap_or_default();
        before.trim_end_matches([' ', '"', '\'', '\\']).ends_with(['{', ','])
    }

    /// What follows the colon after the key at `at`.
    fn value_after(&self, at: usize) -> &'a str {
        self.text
            .get(at - self.start..)
            .and_then(|rest| rest.split_once(':'))
            .map_or("", |(_, value)| value)
    }
}

fn readable(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes)
        .unwrap_or_else(|error| std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default())
}

/// The lines of the object that `line` belongs to, with a list's dash as a space.
fn object(bytes: &[u8], line: &Line<'_>) -> String {
    let column = line.column();
    let belongs = |line: &Line<'_>| (line.is_blank() || line.indent() >= column) && line.text.trim_end() != "---";
    let mut first = Line::at(bytes, line.start);
    while first.indent() == column || first.indent() > column || first.is_blank() {
        match first
            .previous(bytes)
            .filter(|line| belongs(line) || (line.column() == column && line.text.contains("- ")))
        {
            Some(previous) => first = previous,
            None => break,
        }
    }
    let mut text = first.text.replacen('-', " ", usize::from(first.indent() < column));
    let mut next = first.next(bytes);
    while let Some(line) = next.filter(belongs) {
        text.push('\n');
        text.push_str(line.text);
        next = line.next(bytes);
    }
    text
}

/// Whether a Secret holds a value that is neither empty nor filled in later.
fn has_values(object: &Map) -> bool {
    let is_value = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => is_literal(text),
        _ => true,
    };
    ["data", "stringData"]
        .iter()
        .filter_map(|name| object.get(*name))
        .any(|entries| match entries {
            Value::Object(entries) => entries.values().any(is_value),
            other => is_value(other),
        })
}

/// The same for what does not read as YAML, such as JSON inside a script.
fn has_value_lines(object: &str) -> bool {
    let mut below: Option<usize> = None;
    object
        .lines()
        .map(|text| Line { start: 0, text })
        .filter(|line| !line.is_blank())
        .any(|line| {
            if below.is_some_and(|column| line.column() > column) {
                return is_literal(line.entry().map_or(line.text, |(_, value)| value));
            }
            let entry = line.entry().filter(|(key, _)| matches!(*key, "data" | "stringData"));
            below = entry.map(|_| line.column());
            entry.is_some_and(|(_, value)| is_literal(value.trim_start_matches(['{', '|', '>', '-', ' '])))
        })
}

/// Whether text is a value of its own: not empty, not null, and not a place that something else fills in.
fn is_literal(text: &str) -> bool {
    let text = text.trim().trim_end_matches(',').trim_matches(['"', '\'']);
    let is_filled_in = ["${", "$(", "{{"].iter().any(|mark| text.contains(mark))
        || text.starts_with(['$', '('])
        || (text.starts_with('<') && text.ends_with('>'));
    !matches!(text, "" | "null" | "~" | "{}" | "}") && !is_filled_in
}

/// The one exception: an Argo CD cluster Secret that names a cluster and holds nothing to open it with.
fn is_harmless_cluster(object: &Map) -> bool {
    let only = |map: &Map, keys: &[&str]| map.keys().all(|key| keys.contains(&key.as_str()));
    let is_cluster = object
        .get("metadata")
        .and_then(|metadata| metadata["labels"][ARGO_LABEL].as_str())
        == Some("cluster");
    let Some(Value::Object(entries)) = object
        .get("stringData")
        .filter(|_| is_cluster && !object.contains_key("data"))
    else {
        return false;
    };
    let config: Option<Value> = entries.get("config").map_or(Some(Value::Object(Map::new())), |config| {
        serde_json::from_str(config.as_str()?).ok()
    });
    let Some(Value::Object(config)) = config else {
        return false;
    };
    let is_public = |(key, value): (&String, &Value)| {
        key == "tlsClientConfig" && value.as_object().is_some_and(|tls| only(tls, &TLS_KEYS))
    };
    only(entries, &CLUSTER_KEYS) && config.iter().all(is_public)
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, scan};
    use crate::core::artefact::TreePath;

    fn found(text: &str) -> Option<(usize, Kind)> {
        scan(&TreePath::new("a").unwrap(), text.as_bytes()).map(|leak| (leak.line, leak.kind))
    }

    #[test]
    fn a_secret_with_values_is_found_wherever_it_stands() {
        let plain = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  password: hunter2\n";
        assert_eq!(found(plain), Some((2, Kind::Secret)));
        assert_eq!(
            found(&format!("a: 1\n---\n{plain}---\nb: 2\n")),
            Some((4, Kind::Secret))
        );
        assert_eq!(
            found("data: {a: aHVudGVyMg==}\nkind: \"Secret\"\n"),
            Some((2, Kind::Secret))
        );
        assert_eq!(
            found("data:\n  a: aHVudGVyMg==\nkind:   'Secret'\n"),
            Some((3, Kind::Secret))
        );
        let indented = format!("    {}\n", plain.trim_end().replace('\n', "\n    "));
        assert_eq!(
            found(&format!(
                "write_files:\n- path: /x\n  content: |\n{indented}- path: /y\n"
            )),
            Some((5, Kind::Secret))
        );
        assert_eq!(
            found(&format!(
                "#!/bin/sh\nset -e\ncat <<EOF | kubectl apply -f -\n{plain}EOF\n"
            )),
            Some((5, Kind::Secret))
        );
        assert_eq!(
            found("items:\n- kind: ConfigMap\n- kind: Secret\n  data:\n    a: b\n- kind: ConfigMap\n"),
            Some((3, Kind::Secret))
        );
        assert_eq!(
            found("items:\n- data:\n    a: b\n  kind: Secret\n"),
            Some((4, Kind::Secret))
        );
        assert_eq!(
            found(r#"x: '{"kind":"Secret","stringData":{"a":"b"}}'"#),
            Some((1, Kind::Secret))
        );
        assert_eq!(
            found("{\n  \"kind\": \"Secret\",\n  \"stringData\": {\n    \"a\": \"b\"\n  }\n}\n"),
            Some((2, Kind::Secret))
        );
    }

    #[test]
    fn what_only_mentions_secrets_or_fills_them_in_later_is_not() {
        for text in [
            "kind: Secret\nmetadata: {name: a}\ntype: Opaque\n",
            "kind: Secret\nmetadata: {name: a}\ndata: {}\nstringData:\n",
            "kind: Secret\nstringData: {token: \"\"}\n",
            "kind: SealedSecret\nspec:\n  encryptedData: {a: AgB}\n  template:\n    data: {b: c}\n",
            "kind: SecretStore\ndata: {a: b}\n",
            "ignoreDifferences:\n- kind: Secret\n  name: a\ndata: {a: b}\n",
            "kind: ConfigMap\ndata: {a: b}\n---\nkind: Secret\n---\nkind: ConfigMap\ndata: {a: b}\n",
            "cat <<EOF\nkind: Secret\nstringData:\n  token: ${TOKEN}\n  name: $NAME\nEOF\n",
            "kind: Secret\nstringData:\n  token: '{{inputs.parameters.token}}'\n",
            "a Secret holds data: see `kind: Secret`\n",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    fn cluster(label: &str, data: &str) -> String {
        format!("kind: Secret\nmetadata:\n  labels:\n    argocd.argoproj.io/secret-type: {label}\n{data}")
    }

    #[test]
    fn a_cluster_without_credential_is_the_one_exception() {
        let harmless = "stringData:\n  name: mnger-1\n  server: https://kubernetes.default.svc\n  config: '{\"tlsClientConfig\":{\"insecure\":false}}'\n";
        assert_eq!(found(&cluster("cluster", harmless)), None);
        assert_eq!(found(&cluster("cluster", "stringData: {name: a, server: b}\n")), None);
        for (label, data) in [
            ("repository", harmless.to_owned()),
            (
                "cluster",
                harmless.replace("\"tlsClientConfig\":{\"insecure\":false}", "\"bearerToken\":\"a\""),
            ),
            ("cluster", harmless.replace("\"insecure\":false", "\"keyData\":\"a\"")),
            ("cluster", harmless.replace("'{\"tls", "'not json {\"tls")),
            ("cluster", format!("{harmless}  password: a\n")),
            ("cluster", format!("data: {{a: b}}\n{harmless}")),
        ] {
            assert_eq!(found(&cluster(label, &data)), Some((1, Kind::Secret)), "{data}");
        }
    }

    #[test]
    fn credentials_of_kubeconfigs_are_found() {
        let kubeconfig = Some((3, Kind::Kubeconfig));
        assert_eq!(found("users:\n- user:\n    token: abc\n  name: a\n"), kubeconfig);
        assert_eq!(found("users:\n- user:\n    client-key-data: abc\n"), kubeconfig);
        assert_eq!(found("a\nb\nusers: [{name: a, user: {token: abc}}]\n"), kubeconfig);
        assert_eq!(
            found("{\n\"users\": [{\"user\":\n  {\"token\": \"abc\", \"client-key-data\": \"abc\"}}]}\n"),
            kubeconfig
        );
    }

    #[test]
    fn other_tokens_and_empty_ones_are_not() {
        for text in [
            "users:\n- user:\n    token: \"\"\n",
            "users:\n- user:\n    token: ${TOKEN}\n    client-key-data: $KEY\n",
            "users:\n- user:\n    token: <the token>\n",
            "auth:\n  token: istio-token\n",
            "the `token:` of a user\n",
            "tokenSecret: {name: a}\n",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
