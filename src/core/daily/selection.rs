//! From patterns to a label selector: Argo CD's selectors have no wildcards, and a selector that matches only half passes silently.

use std::collections::BTreeSet;

use globset::{Glob, GlobMatcher};

use crate::core::problem::{Problem, Problems};
use crate::core::value::Value;

/// An Application, by what its labels say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Application {
    /// Its own name.
    pub name: String,
    /// The instance that it deploys: label `name`.
    pub instance: String,
    /// Label `cell`.
    pub cell: String,
    /// Label `cluster`.
    pub cluster: String,
}

impl Application {
    /// Reads one as [`crate::core::expand::expand`] gives it.
    pub fn read(object: &Value) -> Self {
        let metadata = &object["metadata"];
        let label = |name: &str| metadata["labels"][name].as_str().unwrap_or_default().to_owned();
        Self {
            name: metadata["name"].as_str().unwrap_or_default().to_owned(),
            instance: label("name"),
            cell: label("cell"),
            cluster: label("cluster"),
        }
    }
}

/// What a person asks for: names or globs; no cell or no cluster means all of them.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Of instances.
    pub instances: &'a [String],
    /// Of cells.
    pub cells: &'a [String],
    /// Of clusters.
    pub clusters: &'a [String],
}

/// The Applications that are meant, and the label selector that means exactly them.
#[derive(Debug, PartialEq, Eq)]
pub struct Selection {
    /// For `-l` of Argo CD's command line.
    pub selector: String,
    /// Names, sorted.
    pub applications: Vec<String>,
}

/// Expands patterns over the Applications of a lab.
///
/// # Errors
/// A pattern that matches nothing, also within the chosen cells and clusters.
pub fn select(all: &[Application], asked: Asked<'_>) -> Result<Selection, Problems> {
    let mut problems = Problems::default();
    let cells = problems.take(labels("cell", all, asked.cells, |one| &one.cell));
    let clusters = problems.take(labels("cluster", all, asked.clusters, |one| &one.cluster));
    let instances = problems.take(labels("instance", all, asked.instances, |one| &one.instance));
    let (Some(cells), Some(clusters), Some(instances)) = (cells, clusters, instances) else {
        return Err(problems);
    };
    let is_of = |wanted: &BTreeSet<&str>, label: &str| wanted.is_empty() || wanted.contains(label);
    let chosen: Vec<&Application> = all
        .iter()
        .filter(|one| is_of(&instances, &one.instance) && is_of(&cells, &one.cell) && is_of(&clusters, &one.cluster))
        .collect();
    let placed: BTreeSet<&str> = chosen.iter().map(|one| one.instance.as_str()).collect();
    for pattern in asked.instances {
        let matcher = matcher(pattern)?;
        if !placed.iter().any(|name| matcher.is_match(name)) {
            let help = "leave out `--cell` or `--cluster`, or ask `meshlab apps` what is where";
            let message = format!("nothing that `{pattern}` matches is in the chosen cells and clusters");
            problems.push(Problem::new(message).help(help));
        }
    }
    let requirements = [("name", &placed), ("cell", &cells), ("cluster", &clusters)];
    let requirements = requirements.iter().filter(|(_, values)| !values.is_empty());
    problems.or(Selection {
        selector: requirements
            .map(|(key, values)| requirement(key, values))
            .collect::<Vec<_>>()
            .join(","),
        applications: chosen
            .iter()
            .map(|one| one.name.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    })
}

/// The values of a label that the patterns match; none where nothing is asked.
fn labels<'a>(
    what: &str,
    all: &'a [Application],
    patterns: &[String],
    of: fn(&Application) -> &String,
) -> Result<BTreeSet<&'a str>, Problems> {
    let known: BTreeSet<&str> = all.iter().map(|one| of(one).as_str()).collect();
    let mut found = BTreeSet::new();
    let mut problems = Problems::default();
    for pattern in patterns {
        let Some(matcher) = problems.take(matcher(pattern)) else {
            continue;
        };
        let before = found.len();
        found.extend(known.iter().filter(|name| matcher.is_match(name)));
        if found.len() == before && !found.iter().any(|name| matcher.is_match(name)) {
            let problem = Problem::new(format!("no {what} of the lab matches `{pattern}`"));
            let close = problem.clone().did_you_mean(pattern, known.iter().copied());
            problems.push(if close.help.is_some() {
                close
            } else {
                problem.help("`meshlab apps` lists what the lab has")
            });
        }
    }
    problems.or(found)
}

fn matcher(pattern: &str) -> Result<GlobMatcher, Problems> {
    let glob = Glob::new(pattern).map_err(|why| {
        Problem::new(format!("`{pattern}` is not a pattern: {}", why.kind()))
            .help("write a name, or a glob such as 'istio-*' in quotes")
    })?;
    Ok(glob.compile_matcher())
}

/// One requirement of a label selector. Values are DNS labels: nothing in them needs quotes.
fn requirement(key: &str, values: &BTreeSet<&str>) -> String {
    let values: Vec<&str> = values.iter().copied().collect();
    match values.as_slice() {
        [one] => format!("{key}={one}"),
        several => format!("{key} in ({})", several.join(",")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Application> {
        let application = |cluster: &str, instance: &str| Application {
            name: format!("{cluster}-{instance}"),
            instance: instance.to_owned(),
            cell: cluster.split('-').next().unwrap().to_owned(),
            cluster: cluster.to_owned(),
        };
        let mut all: Vec<_> = ["pasta-1", "pasta-2", "pizza-1"]
            .iter()
            .flat_map(|cluster| ["istio-base", "istio-istiod", "cilium"].map(|instance| application(cluster, instance)))
            .collect();
        all.push(application("pizza-1", "istio-ewgw"));
        all
    }

    fn chosen(instances: &[&str], cells: &[&str], clusters: &[&str]) -> Result<Selection, String> {
        let [instances, cells, clusters] =
            [instances, cells, clusters].map(|some| some.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
        let asked = Asked {
            instances: &instances,
            cells: &cells,
            clusters: &clusters,
        };
        select(&all(), asked).map_err(|problems| problems.report(false))
    }

    #[test]
    fn a_glob_becomes_a_list_of_names() {
        let selection = chosen(&["istio-*"], &[], &[]).unwrap();
        assert_eq!(selection.selector, "name in (istio-base,istio-ewgw,istio-istiod)");
        assert_eq!(selection.applications.len(), 7);
    }

    #[test]
    fn filters_are_requirements_too() {
        let selection = chosen(&["cilium", "istio-base"], &["pasta"], &["*-1"]).unwrap();
        assert_eq!(
            selection.selector,
            "name in (cilium,istio-base),cell=pasta,cluster in (pasta-1,pizza-1)"
        );
        assert_eq!(selection.applications, ["pasta-1-cilium", "pasta-1-istio-base"]);
    }

    #[test]
    fn only_what_is_there_is_named() {
        let selection = chosen(&["istio-*"], &["pasta"], &[]).unwrap();
        assert_eq!(selection.selector, "name in (istio-base,istio-istiod),cell=pasta");
    }

    #[test]
    fn a_pattern_without_a_match_is_an_error() {
        assert!(
            chosen(&["istio-istoid"], &[], &[])
                .unwrap_err()
                .contains("did you mean `istio-istiod`?")
        );
        assert!(
            chosen(&["cilium", "x*"], &[], &[])
                .unwrap_err()
                .contains("no instance of the lab matches `x*`")
        );
        assert!(
            chosen(&["cilium"], &["soup"], &[])
                .unwrap_err()
                .contains("no cell of the lab matches `soup`")
        );
        assert!(
            chosen(&["istio-ewgw"], &["pasta"], &[])
                .unwrap_err()
                .contains("in the chosen cells and clusters")
        );
        assert!(chosen(&["a["], &[], &[]).unwrap_err().contains("is not a pattern"));
    }
}
