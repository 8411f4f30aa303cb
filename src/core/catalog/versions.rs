//! What differs between the minors of Istio: `blueprints/components/istio-versions.yaml`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::core::blueprint::ApiVersion;
use crate::core::problem::Problem;
use crate::core::source::Source;
use crate::core::value::Map;
use crate::core::yaml;

/// A minor of Istio: `1.30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor(u32, u32);

impl Minor {
    /// The minor of a release: `1.30` of `1.30.3`.
    pub fn of(release: &str) -> Option<Self> {
        let mut parts = release.splitn(3, '.');
        Some(Self(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }

    /// How many minors lie between two; none across a major.
    pub fn distance(self, other: Self) -> Option<u32> {
        (self.0 == other.0).then(|| self.1.abs_diff(other.1))
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl FromStr for Minor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::of(text)
            .filter(|minor| minor.to_string() == text)
            .ok_or_else(|| format!("`{text}` is not a minor such as 1.30"))
    }
}

impl<'de> Deserialize<'de> for Minor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The minors that the catalog knows, and what differs between them.
#[derive(Debug, Default)]
pub struct IstioVersions {
    minors: IndexMap<Minor, MinorFacts>,
    other_variables: Vec<String>,
    variables: IndexMap<String, Known>,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct VersionsFile {
    #[serde(rename = "apiVersion")]
    _api_version: ApiVersion,
    #[serde(rename = "kind")]
    _kind: VersionsKind,
    minors: IndexMap<Minor, MinorFacts>,
    other_variables: Vec<String>,
    variables: IndexMap<String, Known>,
}

#[derive(Deserialize)]
enum VersionsKind {
    IstioVersions,
}

/// What is known of a minor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MinorFacts {
    /// Releases that the facts were read from.
    pub read_from: Vec<String>,
    /// What templates see as `istio.features`.
    pub features: Map,
}

/// Which minors know a variable of istiod.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The first; from before the table if absent.
    #[serde(default)]
    pub since: Option<Minor>,
    /// The last; all that follow if absent.
    #[serde(default)]
    pub until: Option<Minor>,
}

impl Known {
    /// Whether istiod of that minor reads the variable.
    pub fn by(self, minor: Minor) -> bool {
        self.since.is_none_or(|since| since <= minor) && self.until.is_none_or(|until| minor <= until)
    }
}

impl fmt::Display for Known {
    /// As the end of a sentence: `from 1.29 on`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.since, self.until) {
            (Some(since), Some(until)) if since == until => write!(f, "in {since} alone"),
            (Some(since), Some(until)) => write!(f, "from {since} to {until}"),
            (Some(since), None) => write!(f, "from {since} on"),
            (None, Some(until)) => write!(f, "until {until}"),
            (None, None) => f.write_str("in every minor"),
        }
    }
}

impl IstioVersions {
    /// Reads the table.
    ///
    /// # Errors
    /// The first thing in it that is wrong.
    pub(super) fn read(source: &Arc<Source>) -> Result<Self, Problem> {
        let file: VersionsFile = yaml::read(source)?;
        Ok(Self {
            minors: file.minors,
            other_variables: file.other_variables,
            variables: file.variables,
        })
    }

    /// What is known of a minor.
    pub fn minor(&self, minor: Minor) -> Option<&MinorFacts> {
        self.minors.get(&minor)
    }

    /// The minors, in the table's order.
    pub fn minors(&self) -> impl Iterator<Item = (Minor, &MinorFacts)> {
        self.minors.iter().map(|(minor, facts)| (*minor, facts))
    }

    /// Which minors know a variable of istiod; none: no minor does.
    pub fn variable(&self, name: &str) -> Option<Known> {
        self.variables.get(name).copied()
    }

    /// Every variable that istiod reads, with the minors that know it.
    pub fn variables(&self) -> impl Iterator<Item = (&str, Known)> {
        self.variables.iter().map(|(name, known)| (name.as_str(), *known))
    }

    /// Whether a variable is for something else in istiod's container than Istio's own code.
    pub fn is_other(&self, name: &str) -> bool {
        self.other_variables.iter().any(|other| match other.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minors_are_numbers() {
        assert!(Minor::of("1.9.0") < Minor::of("1.30.3"));
        assert_eq!(Minor::of("1.31.0-rc.0"), "1.31".parse().ok());
        assert!("1.30.3".parse::<Minor>().is_err());
        assert!(Minor::of("next").is_none());
        let (old, new) = (Minor(1, 28), Minor(1, 30));
        assert_eq!(old.distance(new), Some(2));
        assert_eq!(old.distance(Minor(2, 28)), None);
    }

    #[test]
    fn spans_are_inclusive() {
        let known = Known {
            since: Some(Minor(1, 29)),
            until: Some(Minor(1, 30)),
        };
        let by: Vec<bool> = (28..=31).map(|minor| known.by(Minor(1, minor))).collect();
        assert_eq!(by, [false, true, true, false]);
        assert_eq!(known.to_string(), "from 1.29 to 1.30");
    }
}
