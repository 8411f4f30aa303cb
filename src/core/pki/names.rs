//! Names that certificates and Secrets carry, checked where they enter.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::core::name::{InstanceName, is_domain};

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $legal:expr, $rule:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks a text that a person typed.
            ///
            /// # Errors
            /// A sentence that says which rule `text` breaks.
            pub fn new(text: &str) -> Result<Self, String> {
                let legal: fn(&str) -> bool = $legal;
                if legal(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(format!(concat!("`{}` is not a legal ", $what, ": ", $rule), text))
                }
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    )*};
}

texts! {
    /// A DNS name without wildcard: a domain, a host or a trust domain.
    DnsName: "DNS name", is_domain, "use labels of a-z, 0-9 and -, separated by dots";
    /// The name of a Kubernetes Secret (RFC 1123 subdomain).
    SecretName: "name of a Secret", is_domain, "use a-z, 0-9, - and dots";
    /// A key of a Secret's `data` (Kubernetes `IsConfigMapKey`).
    DataKey: "key of a Secret", is_data_key, "use letters, digits, -, _ and dots, at most 253 characters, not starting with two dots";
    /// The organisation (`O`) in the subject of every certificate; X.520 allows 64 characters.
    Organization: "name of an issuer", is_organization, "use 1 to 64 printable characters";
}

fn is_data_key(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    !text.is_empty() && text.len() <= 253 && text.bytes().all(legal) && text != "." && !text.starts_with("..")
}

fn is_organization(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= 64 && !text.chars().any(char::is_control)
}

impl DnsName {
    /// Whether `self` is `domain` or a name below it.
    pub fn is_within(&self, domain: &Self) -> bool {
        is_within(&self.0, domain.as_str())
    }
}

fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The DNS names of one server certificate, at least one; the first label of each may be `*`. Shown sorted, joined with commas.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerNames(BTreeSet<String>);

impl ServerNames {
    /// Checks the names that a person typed; order and repeats do not matter.
    ///
    /// # Errors
    /// A sentence that names the illegal one, or says that there is none.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let names: BTreeSet<String> = names.into_iter().map(str::to_owned).collect();
        match names
            .iter()
            .find(|name| !is_domain(name.strip_prefix("*.").unwrap_or(name)))
        {
            Some(name) => Err(format!(
                "`{name}` is not a DNS name that a server certificate may carry"
            )),
            None if names.is_empty() => Err("a server certificate needs at least one DNS name".to_owned()),
            None => Ok(Self(names)),
        }
    }

    /// The names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The names that no domain of `permitted` covers.
    pub fn outside<'a>(&'a self, permitted: &'a BTreeSet<DnsName>) -> impl Iterator<Item = &'a str> {
        self.iter()
            .filter(|name| !permitted.iter().any(|domain| is_within(name, domain.as_str())))
    }
}

impl fmt::Display for ServerNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.iter().enumerate() {
            write!(f, "{}{name}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// Which Secret of which component instance; shown as `<instance>/<name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId {
    /// The instance that owns the Secret.
    pub instance: InstanceName,
    /// The Secret's own name.
    pub name: SecretName,
}

impl SecretId {
    /// Reads back what [`fmt::Display`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (instance, name) = text.split_once('/')?;
        Some(Self {
            instance: InstanceName::new(instance).ok()?,
            name: SecretName::new(name).ok()?,
        })
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.instance, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_keys_are_those_of_kubernetes() {
        for good in ["ca-cert.pem", "tls.crt", ".dockerconfigjson", "A_b"] {
            assert!(DataKey::new(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "..x", "a/b", "a b", &"a".repeat(254)] {
            assert!(DataKey::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_domain_covers_itself_and_what_is_below() {
        let domain = DnsName::new("demo.lab").unwrap();
        let permitted = BTreeSet::from([domain.clone()]);
        assert!(DnsName::new("a.demo.lab").unwrap().is_within(&domain));
        assert!(!DnsName::new("evildemo.lab").unwrap().is_within(&domain));
        let names = ServerNames::new(["*.demo.lab", "demo.lab", "evildemo.lab"]).unwrap();
        assert_eq!(names.outside(&permitted).collect::<Vec<_>>(), ["evildemo.lab"]);
    }

    #[test]
    fn server_names_are_a_set() {
        let one = ServerNames::new(["b.demo.lab", "a.demo.lab", "b.demo.lab"]).unwrap();
        assert_eq!(one.to_string(), "a.demo.lab,b.demo.lab");
        assert!(ServerNames::new([]).is_err());
        assert!(ServerNames::new(["a.*.lab"]).is_err());
    }
}
