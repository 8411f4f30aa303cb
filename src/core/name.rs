//! Names as types: a cluster's name is not just a string, and an illegal one cannot exist.

use std::fmt;

use serde::{Serialize, Serializer};

/// Whether `text` is an RFC 1123 label: lower-case letters, digits and `-`, starting and ending with a letter or digit, at most 63 characters.
pub fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = text.as_bytes();
    bytes.len() <= 63 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().copied().all(inner)
}

/// Whether `text` is a DNS name: dot-separated labels, at most 253 characters.
pub fn is_domain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $what:literal, at most $max:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The longest that it may be, in characters.
            pub const MAX: usize = $max;

            /// Checks a name that a person typed.
            ///
            /// # Errors
            /// A sentence that says which rule `text` breaks.
            pub fn new(text: &str) -> Result<Self, String> {
                if text.len() > Self::MAX {
                    return Err(format!(concat!("the name of a ", $what, " has at most {} characters; `{}` has {}"), $max, text, text.len()));
                }
                if !is_label(text) {
                    return Err(format!(concat!("`{}` is not a legal name of a ", $what, ": use a-z, 0-9 and -, starting and ending with a letter or digit"), text));
                }
                Ok(Self(text.into()))
            }

            /// The name as text.
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

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

names! {
    /// A lab: the name of its blueprint's file.
    LabName: "lab", at most 40;
    /// A cell; also its trust domain (`<cell>.local`) and mesh ID.
    CellName: "cell", at most 32;
    /// A cluster; also its Istio cluster ID, Cilium cluster name (32 characters at most, Cilium `cluster.name`) and Argo CD destination.
    ClusterName: "cluster", at most 32;
    /// A machine outside of Kubernetes; also its `WorkloadGroup`, host name and systemd unit.
    VmName: "virtual machine", at most 40;
    /// A component as deployed by a lab; also a file name, a label and a task of the bootstrap DAG.
    InstanceName: "component instance", at most 40;
    /// A folder of the catalog.
    ComponentName: "component", at most 40;
    /// A Kubernetes namespace.
    Namespace: "namespace", at most 63;
    /// A Helm release (53 characters at most, Helm's own limit).
    ReleaseName: "Helm release", at most 53;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        for good in ["a", "pasta-1", "0a"] {
            assert!(is_label(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", &"a".repeat(64)] {
            assert!(!is_label(bad), "{bad}");
        }
    }

    #[test]
    fn messages_name_the_rule() {
        assert!(ClusterName::new(&"a".repeat(33)).unwrap_err().contains("at most 32"));
        assert!(ClusterName::new("Pasta").unwrap_err().contains("a-z"));
    }
}
