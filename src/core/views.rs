//! What templates see of a lab (the table in `docs/templates.md`).

mod entrances;
mod vms;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;
use serde::Serialize;

use super::blueprint::{Argo, Dataplane, Distribution, Issuer, NetworkMode, RegistryCache, Secrets};
use super::lab::{Cell, Chart, Cluster, GitSource, Instance, Lab, Reach};
use super::pki::KeyAlgorithm;
use super::template::{Scope, from_value};
use super::value::Map;

/// Where the resolver of every node answers its pods: link-local, so that it is the same everywhere and known before any machine is.
const NODE_RESOLVER: &str = "169.254.20.53";

/// The values that all templates of a lab share.
#[derive(Debug)]
pub struct Views {
    /// Variable `lab`.
    lab: Value,
    /// Variable `cell` for active clusters, by cell.
    cells: Vec<Value>,
    /// Summaries of all clusters.
    summaries: Vec<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    name: &'a str,
    fqdn: &'a str,
    cell: &'a str,
    id: u32,
    manager: bool,
    network: &'a str,
    #[serde(rename = "podCIDR")]
    pod_cidr: String,
    #[serde(rename = "serviceCIDR")]
    service_cidr: String,
    dns: String,
    cluster_domain: String,
    #[serde(flatten)]
    reach: &'a Reach,
    entrance: String,
    name_server: String,
    published: BTreeMap<&'a str, Published<'a>>,
    provider: &'static str,
    distribution: Distribution,
    dataplane: Dataplane,
}

impl<'a> Summary<'a> {
    fn new(lab: &'a Lab, cluster: &'a Cluster) -> Self {
        Self {
            name: cluster.name.as_str(),
            cell: lab.cell_label(cluster),
            id: cluster.id,
            manager: cluster.is_manager(),
            network: network_of(lab, cluster),
            pod_cidr: cluster.pod_cidr.to_string(),
            service_cidr: cluster.service_cidr.to_string(),
            dns: cluster.dns().to_string(),
            cluster_domain: lab.cluster_domain(cluster),
            reach: &cluster.reach,
            entrance: cluster.entrance(),
            name_server: cluster.name_server().to_string(),
            published: Published::of(cluster),
            provider: cluster.settings.provider.name(),
            distribution: cluster.settings.kubernetes.distribution,
            dataplane: cluster.settings.istio.dataplane,
            fqdn: &cluster.fqdn,
        }
    }
}

/// The Istio network of a cluster's pods.
pub(crate) fn network_of<'a>(lab: &'a Lab, cluster: &'a Cluster) -> &'a str {
    match lab.cell_of(cluster) {
        Some(cell) if cluster.settings.network.mode == NetworkMode::Single => cell.name.as_str(),
        _ => cluster.name.as_str(),
    }
}

/// What others reach of an instance from outside of its cluster.
#[derive(Serialize)]
struct Published<'a> {
    component: &'a str,
    address: String,
    ports: &'a [u16],
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<String>,
}

impl<'a> Published<'a> {
    fn of(cluster: &'a Cluster) -> BTreeMap<&'a str, Self> {
        let published = cluster.instances.values().filter(|instance| instance.is_published());
        let of = |instance: &'a Instance| Self {
            component: instance.component.name.as_str(),
            address: instance.address(cluster),
            ports: &instance.load_balancer_ports,
            container: cluster
                .has_containers_for_services()
                .then(|| instance.container(cluster)),
        };
        published
            .map(|instance| (instance.name.as_str(), of(instance)))
            .collect()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LabView<'a> {
    name: &'a str,
    domain: &'a str,
    git: &'a GitSource,
    argo: &'a Argo,
    pki: PkiView<'a>,
    secrets: &'a Secrets,
    node_resolver: &'a str,
    hosts: BTreeSet<&'a str>,
    stages: &'a [String],
    registries: Vec<Registry<'a>>,
    registry_cache: Option<CacheView<'a>>,
    manager: Value,
    cells: Vec<Value>,
    clusters: Vec<Value>,
    exports: BTreeMap<&'a str, Vec<Value>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PkiView<'a> {
    issuer: Issuer,
    key: KeyAlgorithm,
    roots: &'a str,
    organization: &'a str,
    root_years: NonZeroU16,
    intermediate_years: NonZeroU16,
    server_days: NonZeroU16,
}

#[derive(Serialize)]
struct Registry<'a> {
    host: &'a str,
    port: u16,
}

#[derive(Serialize)]
struct CacheView<'a> {
    /// Its container, which Docker's DNS knows.
    name: String,
    image: &'a str,
    port: u16,
    registries: Vec<Cached<'a>>,
}

#[derive(Serialize)]
struct Cached<'a> {
    name: &'a str,
    url: String,
}

impl<'a> CacheView<'a> {
    fn new(lab: &Lab, cache: &'a RegistryCache) -> Self {
        let RegistryCache::Zot(zot) = cache;
        let registries = zot.registries.iter().map(|name| Cached {
            name,
            url: upstream(name),
        });
        Self {
            name: lab.registry_cache_name(),
            image: &zot.image,
            port: zot.port,
            registries: registries.collect(),
        }
    }
}

/// Where a registry answers: docker.io is a name of images only.
fn upstream(registry: &str) -> String {
    match registry {
        "docker.io" => "https://registry-1.docker.io".to_owned(),
        other => format!("https://{other}"),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CellView<'a> {
    name: &'a str,
    slot: u32,
    trust_domain: String,
    #[serde(rename = "meshID")]
    mesh_id: &'a str,
    clusters: Vec<Value>,
    vms: Vec<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InstanceView<'a> {
    name: &'a str,
    component: &'a str,
    part_of: &'a str,
    project: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'a str>,
}

#[derive(Serialize)]
struct PlacedView<'a> {
    name: &'a str,
    component: &'a str,
    namespace: &'a str,
    release: &'a str,
    version: &'a str,
    external: bool,
    hosts: &'a [String],
    address: String,
    stage: &'a str,
}

#[derive(Serialize)]
struct NamespaceView<'a> {
    name: &'a str,
    labels: &'a Map,
}

#[derive(Serialize)]
struct ChartView<'a> {
    repo: &'a str,
    name: &'a str,
    version: &'a str,
    revision: String,
}

impl Views {
    /// The shared values of a lab, whose instances need not be placed yet; `roots` are its root certificates, once there are any.
    pub fn new(lab: &Lab, roots: &str) -> Self {
        let summaries: Vec<Value> = lab
            .clusters
            .iter()
            .map(|cluster| from_value(&Summary::new(lab, cluster)))
            .collect();
        let cells: Vec<Value> = lab
            .cells
            .iter()
            .map(|cell| cell_view(lab, cell, &summaries, true))
            .collect();
        let workload = lab
            .clusters
            .iter()
            .zip(&summaries)
            .filter(|(cluster, _)| cluster.active && cluster.has_mesh());
        let view = LabView {
            name: lab.name.as_str(),
            domain: &lab.domain,
            git: &lab.git,
            argo: &lab.argo,
            pki: PkiView {
                issuer: lab.pki.issuer,
                key: lab.pki.key,
                roots,
                organization: &lab.pki.organization,
                root_years: lab.pki.root_years,
                intermediate_years: lab.pki.intermediate_years,
                server_days: lab.pki.server_days,
            },
            secrets: &lab.secrets,
            node_resolver: NODE_RESOLVER,
            hosts: lab
                .active()
                .flat_map(Cluster::hosts)
                .filter(|host| lab.is_below_domain(host))
                .collect(),
            stages: &lab.stages,
            exports: entrances::exports(lab, &summaries),
            registries: lab
                .registries
                .iter()
                .map(|(host, port)| Registry { host, port: *port })
                .collect(),
            registry_cache: lab.registry_cache.as_ref().map(|cache| CacheView::new(lab, cache)),
            manager: summaries[0].clone(),
            clusters: workload.map(|(_, summary)| summary.clone()).collect(),
            cells: cells.clone(),
        };
        Self {
            lab: from_value(&view),
            cells,
            summaries,
        }
    }

    /// Variable `sites` of lab-level templates: the clusters whose entrances have addresses of their own, with what runs there.
    pub fn sites(&self, lab: &Lab) -> Vec<Value> {
        entrances::sites(lab, &self.summaries)
    }

    fn lab(&self) -> Scope {
        Scope::new(Value::from_pairs([("lab", self.lab.clone())]))
    }

    /// What is known of a cluster before anything is placed on it: what `when` sees.
    pub fn site(&self, lab: &Lab, index: usize) -> Scope {
        let cluster = &lab.clusters[index];
        let settings = from_value(&*cluster.settings);
        let mut scope = self
            .lab()
            .with("cell", self.cell(lab, cluster))
            .with("cluster", self.cluster(lab, index, []));
        for name in ["provider", "kubernetes", "network", "istio", "locality", "stage"] {
            scope = scope.with(name, settings.get_attr(name).unwrap_or_default());
        }
        scope
    }

    /// [`Self::site`], and what is placed there.
    pub fn cluster_scope(&self, lab: &Lab, index: usize) -> Scope {
        let cluster = &lab.clusters[index];
        let placed: Vec<Value> = cluster
            .instances
            .values()
            .map(|one| placed_view(lab, cluster, one))
            .collect();
        let namespaces = cluster.namespaces.iter().map(|(name, labels)| NamespaceView {
            name: name.as_str(),
            labels,
        });
        let namespaces: Vec<Value> = namespaces.map(|namespace| from_value(&namespace)).collect();
        let hosts: BTreeSet<&str> = cluster.hosts().filter(|host| lab.is_below_domain(host)).collect();
        let pool = cluster.load_balancers.map_or_else(String::new, |pool| pool.to_string());
        let facts = [
            ("instances", Value::from(placed.clone())),
            ("namespaces", Value::from(namespaces)),
            ("hosts", hosts.into_iter().map(Value::from).collect()),
            ("loadBalancers", Value::from(pool)),
        ];
        let by_component = by_component(cluster, &placed);
        self.site(lab, index)
            .with("cluster", self.cluster(lab, index, facts))
            .with("placed", by_component)
    }

    fn cell(&self, lab: &Lab, cluster: &Cluster) -> Value {
        match cluster.cell {
            None => manager_cell(&self.summaries[0]),
            Some(index) if cluster.active => self.cells[index].clone(),
            // A decommissioned cluster keeps its files as they are: it still sees the whole cell.
            Some(index) => cell_view(lab, &lab.cells[index], &self.summaries, false),
        }
    }

    fn cluster(&self, lab: &Lab, index: usize, more: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
        let peers: Vec<Value> = lab
            .peers(&lab.clusters[index])
            .map(|peer| self.summaries[peer.index].clone())
            .collect();
        let vms: Vec<Value> = lab.vms_of(&lab.clusters[index]).map(|vm| vms::view(lab, vm)).collect();
        let ours = [("peers", Value::from(peers)), ("vms", Value::from(vms))];
        extend(&self.summaries[index], more.into_iter().chain(ours))
    }
}

/// Adds the variables of an instance: `instance`, `parameters`, `chart`.
pub fn with_instance(scope: &Scope, instance: &Instance) -> Scope {
    let view = InstanceView {
        namespace: Some(instance.namespace.as_str()),
        release: Some(instance.release.as_str()),
        ..instance_view(&instance.component, instance.name.as_str())
    };
    with_parts(scope, &view, &instance.parameters, instance.chart.as_ref()).with("hosts", from_value(&instance.hosts))
}

/// The same while release and namespace are still to be decided.
pub fn with_candidate(
    scope: &Scope,
    component: &Arc<super::catalog::Component>,
    name: &str,
    parameters: &Map,
    chart: Option<&Chart>,
) -> Scope {
    with_parts(scope, &instance_view(component, name), parameters, chart)
}

fn with_parts(scope: &Scope, view: &InstanceView<'_>, parameters: &Map, chart: Option<&Chart>) -> Scope {
    let scope = scope
        .with("instance", from_value(&view))
        .with("parameters", from_value(&parameters));
    match chart {
        Some(chart) => scope.with("chart", from_value(&chart_view(chart))),
        None => scope,
    }
}

fn instance_view<'a>(component: &'a super::catalog::Component, name: &'a str) -> InstanceView<'a> {
    InstanceView {
        name,
        component: component.name.as_str(),
        part_of: component.part_of(),
        project: component.project(),
        namespace: None,
        release: None,
    }
}

/// A chart as templates see it.
fn chart_view(chart: &Chart) -> ChartView<'_> {
    ChartView {
        repo: &chart.repo,
        name: &chart.name,
        version: &chart.version,
        revision: chart.revision(),
    }
}

fn placed_view(lab: &Lab, cluster: &Cluster, instance: &Instance) -> Value {
    from_value(&PlacedView {
        name: instance.name.as_str(),
        component: instance.component.name.as_str(),
        namespace: instance.namespace.as_str(),
        release: instance.release.as_str(),
        version: instance.version().unwrap_or_default(),
        external: instance.external,
        hosts: &instance.hosts,
        address: instance.address(cluster),
        stage: lab.stage_name(instance.stage),
    })
}

fn by_component(cluster: &Cluster, placed: &[Value]) -> Value {
    let mut map: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (instance, view) in cluster.instances.values().zip(placed) {
        map.entry(instance.component.name.as_str())
            .or_default()
            .push(view.clone());
    }
    from_value(&map)
}

fn cell_view(lab: &Lab, cell: &Cell, summaries: &[Value], active_only: bool) -> Value {
    let wanted = |index: &&usize| !active_only || lab.clusters[**index].active;
    from_value(&CellView {
        name: cell.name.as_str(),
        slot: cell.slot,
        trust_domain: cell.trust_domain(),
        mesh_id: cell.name.as_str(),
        clusters: cell
            .clusters
            .iter()
            .filter(wanted)
            .map(|index| summaries[*index].clone())
            .collect(),
        vms: lab
            .vms
            .iter()
            .filter(|vm| lab.cells[vm.cell].name == cell.name)
            .map(|vm| vms::view(lab, vm))
            .collect(),
    })
}

fn manager_cell(summary: &Value) -> Value {
    from_value(&CellView {
        name: super::lab::MANAGER_CELL,
        slot: 0,
        trust_domain: "cluster.local".to_owned(),
        mesh_id: super::lab::MANAGER_CELL,
        clusters: vec![summary.clone()],
        vms: Vec::new(),
    })
}

/// A map with further keys.
fn extend(map: &Value, more: impl Iterator<Item = (&'static str, Value)>) -> Value {
    let known = map.try_iter().into_iter().flatten().filter_map(|key| {
        let value = map.get_item(&key).ok()?;
        Some((key.to_string(), value))
    });
    from_value(
        &known
            .chain(more.map(|(key, value)| (key.to_owned(), value)))
            .collect::<IndexMap<String, Value>>(),
    )
}
