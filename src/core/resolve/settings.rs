//! Which settings each cluster has: the lab's, then every override that names it, in order.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use globset::{Glob, GlobMatcher};

use crate::core::blueprint::{
    Cni, Dataplane, Distribution, InstanceSettings, LoadBalancer, Multipass, NetworkMode, Override, Profile, Provider,
    Settings, Spec,
};
use crate::core::catalog::{IstioVersions, Minor};
use crate::core::lab::{
    Choice, ClusterSettings, IstioSettings, KubernetesSettings, LocalitySettings, NetworkSettings, revision,
};
use crate::core::name::InstanceName;
use crate::core::problem::{Problem, Problems};
use crate::core::source::{Path, Place, Source};
use crate::core::value::{merge, overlay};
use crate::path;

use super::istio;

/// The Istio that a lab has if it names none.
const DEFAULT_ISTIO: &str = "1.30.3";

/// Settings by cluster, computed once for each set of overrides that applies.
pub(super) struct Layers<'a> {
    spec: &'a Spec,
    versions: &'a IstioVersions,
    matchers: Vec<Vec<GlobMatcher>>,
    known: HashMap<Vec<usize>, Arc<ClusterSettings>>,
}

impl<'a> Layers<'a> {
    /// Compiles the overrides.
    ///
    /// # Errors
    /// Patterns that are no globs, patterns that match no cell or cluster of `names`, illegal instance names, minors of Istio that
    /// `versions` does not know.
    pub(super) fn new(
        spec: &'a Spec,
        source: &Arc<Source>,
        names: &[&str],
        versions: &'a IstioVersions,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut matchers = Vec::new();
        for (i, over) in spec.overrides.iter().enumerate() {
            let compiled = over.r#for.iter().enumerate().map(|(j, pattern)| {
                let place = Place::value(source, path!["spec", "overrides", i, "for", j]);
                matcher(pattern, place, names)
            });
            matchers.push(compiled.filter_map(|one| problems.take(one)).collect());
        }
        problems.extend(instance_names(spec, source));
        problems.extend(istio::unknown_minors(spec, source, versions));
        problems.or(Self {
            spec,
            versions,
            matchers,
            known: HashMap::new(),
        })
    }

    /// The settings of a cluster of a cell.
    pub(super) fn of(&mut self, cluster: &str, cell: &str) -> Arc<ClusterSettings> {
        let applies = |globs: &Vec<GlobMatcher>| globs.iter().any(|glob| glob.is_match(cluster) || glob.is_match(cell));
        let which: Vec<usize> = self
            .matchers
            .iter()
            .enumerate()
            .filter(|(_, globs)| applies(globs))
            .map(|(i, _)| i)
            .collect();
        let (spec, versions) = (self.spec, self.versions);
        let merged = self
            .known
            .entry(which)
            .or_insert_with_key(|which| Arc::new(merged(spec, versions, which)));
        Arc::clone(merged)
    }
}

fn matcher(pattern: &str, place: Place, names: &[&str]) -> Result<GlobMatcher, Problems> {
    let glob = Glob::new(pattern).map_err(|why| {
        let message = format!("`{pattern}` is not a pattern: {}", why.kind());
        Problem::at(place.clone(), message).help("write a name, or a pattern with `*`, `?`, `[ab]` or `{a,b}`")
    })?;
    let matcher = glob.compile_matcher();
    if names.iter().any(|name| matcher.is_match(name)) {
        return Ok(matcher);
    }
    let problem = Problem::at(place, format!("`{pattern}` matches no cell and no cluster"));
    Err(problem.did_you_mean(pattern, names.iter().copied()).into())
}

/// Where settings of instances stand: the lab's and each override's.
pub(super) fn component_layers(
    spec: &Spec,
) -> impl Iterator<Item = (Path, &indexmap::IndexMap<String, Option<InstanceSettings>>)> {
    let base = std::iter::once((path!["spec", "settings", "components"], &spec.settings.components));
    let overrides = spec.overrides.iter().enumerate();
    base.chain(overrides.map(|(i, over)| (path!["spec", "overrides", i, "components"], &over.components)))
}

fn instance_names(spec: &Spec, source: &Arc<Source>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, components) in component_layers(spec) {
        for name in components.keys() {
            let place = Place::key(source, path.join(name));
            if let Err(why) = InstanceName::new(name) {
                problems.push(Problem::at(place, why));
            } else if name == "apps" {
                let why = "`apps` is reserved: Argo CD's file globs could not tell its folder from the parameters'";
                problems.push(Problem::at(place, why).help("choose another instance name"));
            }
        }
    }
    problems
}

fn merged(spec: &Spec, versions: &IstioVersions, which: &[usize]) -> ClusterSettings {
    let overrides: Vec<&Override> = which.iter().map(|i| &spec.overrides[*i]).collect();
    let mut layers = vec![spec.settings.clone()];
    layers.extend(overrides.iter().map(|over| over.settings()));
    let mut components: BTreeMap<InstanceName, Choice> = BTreeMap::new();
    let mut paths = vec![path!["spec", "settings", "components"]];
    paths.extend(which.iter().map(|i| path!["spec", "overrides", *i, "components"]));
    for (layer, path) in layers.iter().zip(paths) {
        for (name, settings) in &layer.components {
            if let Ok(instance) = InstanceName::new(name) {
                lay(
                    components.entry(instance).or_default(),
                    settings.as_ref(),
                    path.join(name),
                );
            }
        }
    }
    let provider = last(&layers, |layer| layer.provider.clone()).unwrap_or(Provider::Multipass(Multipass::default()));
    ClusterSettings {
        kubernetes: kubernetes(&layers, &provider),
        locality: locality(&layers),
        network: network(&layers, &provider),
        stage: last(&layers, |layer| layer.stage.clone())
            .or_else(|| spec.stages.last().cloned())
            .unwrap_or_default(),
        istio: istio_settings(&layers, versions),
        components,
        provider,
    }
}

fn istio_settings(layers: &[Settings], versions: &IstioVersions) -> IstioSettings {
    let version =
        last(layers, |layer| layer.istio.as_ref()?.version.clone()).unwrap_or_else(|| DEFAULT_ISTIO.to_owned());
    let profile = last(layers, |layer| layer.istio.as_ref()?.profile).unwrap_or(Profile::Default);
    let usual = match profile {
        Profile::Ambient => Dataplane::Ambient,
        Profile::Minimal | Profile::Default | Profile::Demo => Dataplane::Sidecar,
    };
    let dataplane = last(layers, |layer| layer.istio.as_ref()?.dataplane).unwrap_or(usual);
    let sidecars = last(layers, |layer| layer.istio.as_ref()?.sidecars).unwrap_or(false);
    let minor = Minor::of(&version);
    IstioSettings {
        revision: revision(&version),
        minor: minor.map_or_else(String::new, |minor| minor.to_string()),
        features: minor
            .and_then(|minor| versions.minor(minor))
            .map(|facts| facts.features.clone())
            .unwrap_or_default(),
        sidecars: sidecars || dataplane == Dataplane::Sidecar,
        version,
        dataplane,
        profile,
    }
}

fn kubernetes(layers: &[Settings], provider: &Provider) -> KubernetesSettings {
    let usual = match provider {
        Provider::Multipass(_) | Provider::Existing(_) => Distribution::K3s,
        Provider::Minikube(_) | Provider::Kind(_) => Distribution::Provider,
    };
    let distribution = last(layers, |layer| layer.kubernetes.as_ref()?.distribution).unwrap_or(usual);
    let version = last(layers, |layer| layer.kubernetes.as_ref()?.version.clone());
    KubernetesSettings {
        distribution,
        version: version.unwrap_or_else(|| default_release(distribution).to_owned()),
    }
}

/// The Kubernetes that a lab has if it names none.
fn default_release(distribution: Distribution) -> &'static str {
    match distribution {
        Distribution::K3s => "v1.33.4+k3s1",
        Distribution::Microk8s => "1.33/stable",
        Distribution::Provider => "v1.33.4",
    }
}

fn locality(layers: &[Settings]) -> LocalitySettings {
    let region = last(layers, |layer| layer.locality.as_ref()?.region.clone());
    let zone = last(layers, |layer| layer.locality.as_ref()?.zone.clone());
    LocalitySettings {
        region: region.unwrap_or_else(|| "milky-way".to_owned()),
        zone: zone.unwrap_or_else(|| "solar-system".to_owned()),
    }
}

fn network(layers: &[Settings], provider: &Provider) -> NetworkSettings {
    let (cni, load_balancer) = match provider {
        Provider::Kind(_) => (Cni::Kindnet, LoadBalancer::CloudProviderKind),
        Provider::Multipass(_) | Provider::Minikube(_) | Provider::Existing(_) => (Cni::Cilium, LoadBalancer::Klipper),
    };
    NetworkSettings {
        mode: last(layers, |layer| layer.network.as_ref()?.mode).unwrap_or(NetworkMode::Multi),
        cni: last(layers, |layer| layer.network.as_ref()?.cni).unwrap_or(cni),
        cluster_mesh: last(layers, |layer| layer.network.as_ref()?.cluster_mesh).unwrap_or(false),
        load_balancer: last(layers, |layer| layer.network.as_ref()?.load_balancer).unwrap_or(load_balancer),
    }
}

/// The value of the last layer that sets it.
fn last<T>(layers: &[Settings], get: impl Fn(&Settings) -> Option<T>) -> Option<T> {
    layers.iter().rev().find_map(get)
}

fn lay(choice: &mut Choice, settings: Option<&InstanceSettings>, path: Path) {
    choice.path = path;
    let Some(over) = settings else { return };
    let replace = |below: &mut Option<String>, above: &Option<String>| {
        if above.is_some() {
            below.clone_from(above);
        }
    };
    replace(&mut choice.component, &over.component);
    replace(&mut choice.version, &over.version);
    replace(&mut choice.release, &over.release);
    replace(&mut choice.namespace, &over.namespace);
    replace(&mut choice.stage, &over.stage);
    choice.enabled = over.enabled.or(choice.enabled);
    choice.managed = over.managed.or(choice.managed);
    merge(&mut choice.parameters, &over.parameters);
    overlay(&mut choice.values, &over.values);
}
