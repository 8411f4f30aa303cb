//! What one value of a Secret is made of, as a component declares it.

use std::fmt;
use std::num::NonZeroU16;

use super::names::ServerNames;
use crate::core::problem::closest;
use crate::core::value::{Map, Value};

/// What one data key of a Secret holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Something of a certificate authority of the cluster.
    Authority {
        /// Which one.
        authority: Authority,
        /// What of it.
        part: AuthorityPart,
    },
    /// Something of a server certificate, issued by the cluster's ingress intermediate.
    Server {
        /// Whom the certificate names; equal names in one cluster are one certificate.
        dns: ServerNames,
        /// What of it.
        part: AuthorityPart,
    },
    /// A password, made once and kept in the keystore.
    Random(RandomLength),
    /// Text that stands in the component or the blueprint: not a secret, but wanted beside one.
    Text(String),
}

/// A certificate authority of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authority {
    /// Its Istio intermediate.
    Mesh,
    /// Its intermediate for server certificates.
    Ingress,
    /// The CA that the clusters of its cell share.
    Cell,
}

/// What of a certificate is wanted, in PEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorityPart {
    /// The certificate alone.
    Certificate,
    /// Its private key, PKCS#8.
    Key,
    /// The certificate and the intermediates above it, the root left out.
    Chain,
    /// The roots by which it is trusted.
    Roots,
}

/// Length of a password, 1 to 1024 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandomLength(NonZeroU16);

impl RandomLength {
    const MAX: u16 = 1024;

    /// A length in characters.
    ///
    /// # Errors
    /// A sentence, if `length` is zero or too large.
    pub fn new(length: u64) -> Result<Self, String> {
        u16::try_from(length)
            .ok()
            .filter(|length| *length <= Self::MAX)
            .and_then(NonZeroU16::new)
            .map(Self)
            .ok_or_else(|| format!("`random` is a length from 1 to {} characters; got {length}", Self::MAX))
    }

    /// The number of characters.
    pub fn get(self) -> u16 {
        self.0.get()
    }
}

const AUTHORITIES: [(&str, Authority); 3] = [
    ("mesh", Authority::Mesh),
    ("ingress", Authority::Ingress),
    ("cell", Authority::Cell),
];

const PARTS: [(&str, AuthorityPart); 4] = [
    ("certificate", AuthorityPart::Certificate),
    ("key", AuthorityPart::Key),
    ("chain", AuthorityPart::Chain),
    ("roots", AuthorityPart::Roots),
];

impl Part {
    /// Reads one value of `secrets.<name>.data` of a `component.yaml`: `{authority: mesh, part: key}`,
    /// `{server: {dns: [names], part: chain}}`, `{random: 32}` or `{text: admin}`.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what is legal.
    pub fn parse(value: &Value) -> Result<Self, String> {
        const FORMS: &str = "a value of a Secret is {authority: …, part: …}, {server: {dns: […], part: …}}, \
            {random: LENGTH} or {text: …}";
        let map = value
            .as_object()
            .ok_or_else(|| format!("{FORMS}; got {}", kind(value)))?;
        let forms = ["authority", "server", "random", "text"];
        match forms.iter().find_map(|form| map.get(*form).map(|value| (*form, value))) {
            Some(("authority", name)) => Self::authority(map, name),
            Some(("server", server)) => only(map, &["server"]).and_then(|()| Self::server(server)),
            Some(("random", length)) => only(map, &["random"]).and_then(|()| Self::random(length)),
            Some((_, text)) => only(map, &["text"]).and_then(|()| Self::text(text)),
            None => Err(
                match map.keys().find_map(|key| closest(key, forms).map(|form| (key, form))) {
                    Some((key, form)) => format!("unknown key `{key}`, did you mean `{form}`? {FORMS}"),
                    None => FORMS.to_owned(),
                },
            ),
        }
    }

    fn authority(map: &Map, name: &Value) -> Result<Self, String> {
        only(map, &["authority", "part"])?;
        Ok(Self::Authority {
            authority: choice("authority", Some(name), &AUTHORITIES)?,
            part: part(map)?,
        })
    }

    fn server(value: &Value) -> Result<Self, String> {
        let map = value
            .as_object()
            .ok_or_else(|| format!("`server` is {{dns: [names], part: …}}; got {}", kind(value)))?;
        only(map, &["dns", "part"])?;
        let names = map
            .get("dns")
            .and_then(Value::as_array)
            .ok_or("`server.dns` is a list of DNS names")?;
        let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
        let dns = ServerNames::new(names.ok_or("`server.dns` is a list of DNS names, each a string")?)?;
        Ok(Self::Server { dns, part: part(map)? })
    }

    fn random(value: &Value) -> Result<Self, String> {
        let length = value
            .as_u64()
            .ok_or_else(|| format!("`random` is a number of characters; got {}", kind(value)))?;
        RandomLength::new(length).map(Self::Random)
    }

    fn text(value: &Value) -> Result<Self, String> {
        let text = value
            .as_str()
            .ok_or_else(|| format!("`text` is a string; got {}: put it in quotes", kind(value)))?;
        Ok(Self::Text(text.to_owned()))
    }
}

fn part(map: &Map) -> Result<AuthorityPart, String> {
    choice("part", map.get("part"), &PARTS)
}

/// Refuses keys that mean nothing here.
fn only(map: &Map, legal: &[&str]) -> Result<(), String> {
    match map.keys().find(|key| !legal.contains(&key.as_str())) {
        Some(key) => Err(format!(
            "unknown key `{key}`; beside `{}` nothing else may stand here",
            legal.join("` and `")
        )),
        None => Ok(()),
    }
}

fn choice<T: Copy>(key: &str, value: Option<&Value>, choices: &[(&str, T)]) -> Result<T, String> {
    let legal: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let got = match value {
        None => return Err(format!("`{key}` is missing: one of {}", legal.join(", "))),
        Some(Value::String(text)) => text.as_str(),
        Some(other) => kind(other),
    };
    let found = choices.iter().find(|(name, _)| *name == got).map(|(_, choice)| *choice);
    found.ok_or_else(|| format!("`{key}` is one of {}; got `{got}`", legal.join(", ")))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

impl fmt::Display for Authority {
    /// As a component writes it: `mesh`, `ingress`, `cell`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mesh => "mesh",
            Self::Ingress => "ingress",
            Self::Cell => "cell",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_is_read() {
        let key = Part::Authority {
            authority: Authority::Mesh,
            part: AuthorityPart::Key,
        };
        assert_eq!(Part::parse(&json!({"authority": "mesh", "part": "key"})), Ok(key));
        assert_eq!(
            Part::parse(&json!({"random": 32})),
            Ok(Part::Random(RandomLength::new(32).unwrap()))
        );
        assert_eq!(Part::parse(&json!({"text": ""})), Ok(Part::Text(String::new())));
        let dns = ServerNames::new(["a.demo.lab"]).unwrap();
        let server = json!({"server": {"dns": ["a.demo.lab"], "part": "chain"}});
        assert_eq!(
            Part::parse(&server),
            Ok(Part::Server {
                dns,
                part: AuthorityPart::Chain
            })
        );
    }

    #[test]
    fn refusals_say_what_is_legal() {
        for (value, says) in [
            (json!("mesh"), "got a string"),
            (json!({}), "a value of a Secret is"),
            (json!({"autority": "mesh"}), "did you mean `authority`?"),
            (
                json!({"authority": "mesh"}),
                "`part` is missing: one of certificate, key, chain, roots",
            ),
            (
                json!({"authority": "root", "part": "key"}),
                "one of mesh, ingress, cell; got `root`",
            ),
            (
                json!({"authority": "mesh", "part": "key", "text": "x"}),
                "unknown key `text`",
            ),
            (json!({"random": 0}), "from 1 to 1024 characters; got 0"),
            (json!({"random": "32"}), "got a string"),
            (json!({"random": 32, "part": "key"}), "unknown key `part`"),
            (json!({"text": 5}), "put it in quotes"),
            (json!({"server": {"dns": [], "part": "key"}}), "at least one DNS name"),
            (
                json!({"server": {"dns": "a.demo.lab", "part": "key"}}),
                "a list of DNS names",
            ),
            (
                json!({"server": {"dns": ["A"], "part": "key"}}),
                "`A` is not a DNS name",
            ),
        ] {
            let sentence = Part::parse(&value).unwrap_err();
            assert!(sentence.contains(says), "{value}: {sentence}");
        }
    }
}
