//! Which component instances run on a cluster, and with what.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::stages;
use crate::core::blueprint::Managed;
use crate::core::catalog::{Catalog, Component, On};
use crate::core::lab::{Chart, Choice, Cluster, GitFolder, Instance, Lab};
use crate::core::name::{InstanceName, Namespace, ReleaseName, is_domain};
use crate::core::problem::{Problem, Problems};
use crate::core::source::{Path, Place};
use crate::core::template::{Scope, Template};
use crate::core::value::{Map, Value, merge};
use crate::core::views::{Views, with_candidate, with_instance};
use crate::path;

/// What runs on one cluster, by name.
pub(super) type Instances = BTreeMap<InstanceName, Instance>;

/// Decides what runs on the cluster at `index`, and what will in later stages.
///
/// # Errors
/// Unknown components and parameters, illegal names, templates that fail.
pub(super) fn place(
    lab: &Lab,
    catalog: &Catalog,
    views: &Views,
    index: usize,
) -> Result<(Instances, Instances), Problems> {
    let cluster = &lab.clusters[index];
    let placing = Placing {
        lab,
        cluster,
        site: views.site(lab, index),
    };
    let mut problems = Problems::default();
    let candidates = placing.candidates(catalog, &mut problems);
    let nothing = Choice::default();
    let placed = candidates.into_iter().filter_map(|(name, (component, choice))| {
        let instance = placing.instance(&name, &component, choice.unwrap_or(&nothing), choice.is_some());
        Some((name, problems.take(instance)??))
    });
    // Collected from sorted items, the map has no gaps: those of thousands of clusters add up.
    let instances: Instances = placed.collect();
    problems
        .or(instances)
        .and_then(|all| stages::reached(lab, cluster, all))
}

struct Placing<'a> {
    lab: &'a Lab,
    cluster: &'a Cluster,
    site: Scope,
}

type Candidates<'a> = BTreeMap<InstanceName, (Arc<Component>, Option<&'a Choice>)>;

impl<'a> Placing<'a> {
    /// Components that place themselves, and instances that the blueprint names.
    fn candidates(&self, catalog: &Catalog, problems: &mut Problems) -> Candidates<'a> {
        let mut found = Candidates::new();
        for component in catalog.iter().filter(|component| component.file.default) {
            if let Ok(name) = InstanceName::new(component.name.as_str()) {
                found.insert(name, (Arc::clone(component), None));
            }
        }
        for (name, choice) in &self.cluster.settings.components {
            let wanted = choice.component.as_deref().unwrap_or(name.as_str());
            match catalog.get(wanted) {
                Some(component) => {
                    found.insert(name.clone(), (Arc::clone(component), Some(choice)));
                }
                None => problems.push(self.unknown(wanted, choice, catalog)),
            }
        }
        found.retain(|_, (component, _)| match component.file.on {
            On::All => true,
            On::Manager => self.cluster.is_manager(),
            On::Clusters => self.cluster.has_mesh(),
        });
        found
    }

    fn unknown(&self, wanted: &str, choice: &Choice, catalog: &Catalog) -> Problem {
        let place = match choice.component {
            Some(_) => self.value(&choice.path.join("use")),
            None => Place::key(&self.lab.source, choice.path.clone()),
        };
        let help = format!(
            "`meshlab components` lists them; an instance with a name of its own says `use: <component>`; or add blueprints/components/{wanted}/"
        );
        let problem = Problem::at(place, format!("there is no component `{wanted}`")).help(help);
        problem.did_you_mean(wanted, catalog.names())
    }

    /// The instance, unless `when` or the blueprint says no.
    fn instance(
        &self,
        name: &InstanceName,
        component: &Arc<Component>,
        choice: &Choice,
        named: bool,
    ) -> Result<Option<Instance>, Problems> {
        let parameters = self.parameters(component, choice)?;
        let scope = with_candidate(&self.site, component, name.as_str(), &parameters, None);
        if !is_enabled(component, choice, named, &scope)? {
            return Ok(None);
        }
        let chart = self.chart(component, choice, &scope)?;
        let git = self.git(component, choice, &scope)?;
        let scope = with_candidate(&self.site, component, name.as_str(), &parameters, chart.as_ref());
        let mut instance = Instance {
            release: self.release(name, component, choice, &scope)?,
            namespace: self.namespace(component, choice, &scope)?,
            external: choice.managed.unwrap_or(component.file.managed) == Managed::External,
            stage: stages::stage_of(self.lab, component, choice)?,
            component: Arc::clone(component),
            name: name.clone(),
            hosts: self.hosts(component, &scope)?,
            load_balancer_ports: listed(
                component,
                "loadBalancerPorts",
                component.load_balancer_ports.as_ref(),
                &scope,
            )?,
            load_balancer_service: String::new(),
            load_balancer_address: self.address(component, choice, &scope)?,
            exports: Vec::new(),
            imports: listed(component, "imports", component.imports.as_ref(), &scope)?,
            service: None,
            values: choice.values.clone(),
            chart,
            git,
            parameters,
        };
        // A name that others call by holds the namespace, that of a chart's Service the release.
        let scope = with_instance(&self.site, &instance);
        instance.load_balancer_service = match &component.load_balancer_service {
            Some(template) => text(component, "loadBalancerService", template, &scope)?,
            None => instance.release.to_string(),
        };
        instance.exports = listed(component, "exports", component.exports.as_ref(), &scope)?;
        instance.service = match &component.service {
            Some(template) => Some(typed(component, "service", template.render(&scope)?)?),
            None => None,
        };
        Ok(Some(instance))
    }

    /// The address that its Services of type LoadBalancer ask for.
    fn address(&self, component: &Component, choice: &Choice, scope: &Scope) -> Result<Option<Ipv4Addr>, Problems> {
        let Some(template) = &component.load_balancer_address else {
            return Ok(None);
        };
        let text: Option<String> = typed(component, "loadBalancerAddress", template.render(scope)?)?;
        let address = text.map(|text| text.parse().map_err(|_| text)).transpose();
        address.map_err(|text| {
            let place = self.value(&choice.path.join("parameters").join("address"));
            Problem::at(place, format!("`{text}` is not an IPv4 address"))
                .help("write one address of the cluster's load-balancer block")
                .into()
        })
    }

    fn parameters(&self, component: &Component, choice: &Choice) -> Result<Map, Problems> {
        let mut parameters = component.file.parameters.clone();
        let known: BTreeSet<&str> = parameters.keys().map(String::as_str).collect();
        let unknown = choice
            .parameters
            .keys()
            .filter(|key| !known.contains(key.as_str()))
            .map(|key| {
                let place = Place::key(&self.lab.source, choice.path.join("parameters").join(key));
                let problem = Problem::at(place, format!("`{}` has no parameter `{key}`", component.name));
                let list: Vec<&str> = known.iter().copied().collect();
                let help = if list.is_empty() {
                    "it has no parameters".to_owned()
                } else {
                    format!("it has: {}", list.join(", "))
                };
                problem.help(help).did_you_mean(key, known.iter().copied())
            });
        let problems: Problems = unknown.collect();
        merge(&mut parameters, &choice.parameters);
        problems.or(parameters)
    }

    fn chart(&self, component: &Component, choice: &Choice, scope: &Scope) -> Result<Option<Chart>, Problems> {
        let Some(template) = &component.chart else {
            return Ok(None);
        };
        let chart: Chart = typed(component, "chart", template.render(scope)?)?;
        let version = choice.version.clone().unwrap_or(chart.version);
        Ok(Some(Chart {
            version: self.version(version, component, choice)?,
            ..chart
        }))
    }

    fn git(&self, component: &Component, choice: &Choice, scope: &Scope) -> Result<Option<GitFolder>, Problems> {
        let Some(template) = &component.git else {
            return Ok(None);
        };
        let git: GitFolder = typed(component, "git", template.render(scope)?)?;
        let r#ref = choice.version.clone().unwrap_or(git.r#ref);
        Ok(Some(GitFolder {
            r#ref: self.version(r#ref, component, choice)?,
            ..git
        }))
    }

    /// A version is exact: a range would make the state of a cluster depend on the day of the sync.
    fn version(&self, version: String, component: &Component, choice: &Choice) -> Result<String, Problems> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_' | '/');
        if !version.is_empty() && version.chars().all(legal) && !version.contains(".x") {
            return Ok(version);
        }
        let place = match choice.version {
            Some(_) => self.value(&choice.path.join("version")),
            None => Place::value(&component.source, path!["chart", "version"]),
        };
        Err(Problem::at(place, format!("`{version}` is not an exact version"))
            .help("write one release, for example 1.30.3: ranges are resolved by nobody")
            .into())
    }

    fn release(
        &self,
        name: &InstanceName,
        component: &Component,
        choice: &Choice,
        scope: &Scope,
    ) -> Result<ReleaseName, Problems> {
        let (text, place) = match (&choice.release, &component.release) {
            (Some(text), _) => (text.clone(), self.value(&choice.path.join("release"))),
            (None, Some(template)) => (
                text(component, "release", template, scope)?,
                Place::value(&component.source, path!["release"]),
            ),
            (None, None) => (name.to_string(), self.value(&choice.path)),
        };
        ReleaseName::new(&text).map_err(|why| Problem::at(place, why).into())
    }

    fn namespace(&self, component: &Component, choice: &Choice, scope: &Scope) -> Result<Namespace, Problems> {
        let (text, place) = match &choice.namespace {
            Some(text) => (text.clone(), self.value(&choice.path.join("namespace"))),
            None => (
                text(component, "namespace", &component.namespace, scope)?,
                Place::value(&component.source, path!["namespace"]),
            ),
        };
        Namespace::new(&text).map_err(|why| Problem::at(place, why).into())
    }

    /// Published names lie below the lab's domain or are declared: nothing else is covered by its certificates.
    fn hosts(&self, component: &Component, scope: &Scope) -> Result<Vec<String>, Problems> {
        let Some(template) = &component.hosts else {
            return Ok(Vec::new());
        };
        let hosts: Vec<String> = typed(component, "hosts", template.render(scope)?)?;
        let outside = hosts
            .iter()
            .filter(|host| !is_domain(host) || !(self.lab.is_below_domain(host) || self.lab.hosts.contains(host)));
        let problems: Problems = outside
            .map(|host| {
                let place = Place::value(&component.source, path!["hosts"]);
                let message = format!("`{host}` is not a name below the lab's domain `{}`", self.lab.domain);
                let help = format!(
                    "use a name such as {}.{}, or declare it: `hosts: [{host}]` in the blueprint's `spec`",
                    component.name, self.lab.domain
                );
                Problem::at(place, message).help(help)
            })
            .collect();
        problems.or(hosts)
    }

    fn value(&self, path: &Path) -> Place {
        Place::value(&self.lab.source, path.clone())
    }
}

fn is_enabled(component: &Component, choice: &Choice, named: bool, scope: &Scope) -> Result<bool, Problems> {
    match (choice.enabled, &component.when) {
        (Some(enabled), _) => Ok(enabled),
        (None, Some(when)) if component.file.default || named => Ok(when.truth(scope)?),
        (None, _) => Ok(component.file.default || named),
    }
}

/// The value of a templated key of `component.yaml`, as its type.
fn typed<T: DeserializeOwned>(component: &Component, key: &str, value: Value) -> Result<T, Problems> {
    serde_json::from_value(value).map_err(|why| {
        let place = Place::value(&component.source, path![key]);
        Problem::at(
            place,
            format!("`{key}` of `{}` does not have the right form: {why}", component.name),
        )
        .into()
    })
}

/// The list that a templated key of `component.yaml` yields; empty if it has none.
fn listed<T: DeserializeOwned>(
    component: &Component,
    key: &str,
    template: Option<&Template>,
    scope: &Scope,
) -> Result<Vec<T>, Problems> {
    template.map_or_else(
        || Ok(Vec::new()),
        |template| typed(component, key, template.render(scope)?),
    )
}

fn text(component: &Component, key: &str, template: &Template, scope: &Scope) -> Result<String, Problems> {
    typed(component, key, template.render(scope)?)
}
