//! Containers on the host that serve all clusters: pull-through registries, and load balancers for kind.

use super::plan::Context;
use super::step::{Command, Expect, Probe, Step};
use crate::core::blueprint::{Provider, RegistryCache, Zot};
use crate::core::lab::Lab;

/// The image of a registry (CNCF Distribution).
const IMAGE: &str = "docker.io/library/registry:3.0.0";

/// The step that makes load balancers possible.
pub(super) const CLOUD_PROVIDER: &str = "cloud-provider";

/// The step that makes the network in which kind puts nodes.
const NETWORK: &str = "network/kind";

/// A container that serves the lab.
struct Container {
    /// Its step.
    id: String,
    title: String,
    name: String,
    /// Options of `docker create`, the image, and what runs in it.
    create: Command,
    /// Whether it is in the network of kind's nodes.
    in_kind: bool,
}

/// Steps that start what serves the lab. Registries are the host's: two labs that name the same registry and port share one.
pub(super) fn up(context: Context<'_>) -> Vec<Step> {
    let containers = containers(context);
    let network = containers.iter().any(|container| container.in_kind).then(network);
    network.into_iter().chain(containers.into_iter().map(start)).collect()
}

/// Steps that remove the containers. What they have pulled stays in their volumes.
pub(super) fn down(context: Context<'_>) -> Vec<Step> {
    containers(context).into_iter().map(remove).collect()
}

/// The steps after which images can be pulled and nodes find their network.
pub(super) fn ids(lab: &Lab) -> Vec<String> {
    let registries = lab.registries.keys().map(|registry| format!("registry/{registry}"));
    let cache = lab.registry_cache.as_ref().map(|_| cache_id(lab));
    let network = needs_network(lab).then(|| NETWORK.to_owned());
    registries.chain(cache).chain(network).collect()
}

fn cache_id(lab: &Lab) -> String {
    format!("registry/{}", lab.registry_cache_name())
}

fn needs_network(lab: &Lab) -> bool {
    lab.registry_cache.is_some() || cloud_provider(lab).is_some()
}

fn containers(context: Context<'_>) -> Vec<Container> {
    let lab = context.lab;
    let registries = lab
        .registries
        .iter()
        .map(|(registry, port)| one_registry(registry, *port));
    let cache = lab
        .registry_cache
        .iter()
        .map(|RegistryCache::Zot(zot)| cache(context, zot));
    let balancers = cloud_provider(lab).map(|image| balancers(lab, image));
    registries.chain(cache).chain(balancers).collect()
}

fn one_registry(registry: &str, port: u16) -> Container {
    let name = format!("meshlab-registry-{}-{port}", registry.replace(':', "-"));
    let volume = format!("meshlab-registry-{}", registry.replace(':', "-"));
    let create = create(&name)
        .args(["--publish".to_owned(), format!("{port}:5000")])
        .args(["--volume".to_owned(), format!("{volume}:/var/lib/registry")])
        .args([
            "--env".to_owned(),
            format!("REGISTRY_PROXY_REMOTEURL={}", upstream(registry)),
        ])
        // Without it the image waits for a collector of traces.
        .args(["--env", "OTEL_TRACES_EXPORTER=none", IMAGE]);
    Container {
        id: format!("registry/{registry}"),
        title: format!("serve {registry} on port {port} of the host"),
        name,
        create,
        in_kind: false,
    }
}

/// Where the images of a registry come from. Docker's is served under another name than it is known by.
fn upstream(registry: &str) -> String {
    match registry {
        "docker.io" => "https://registry-1.docker.io".to_owned(),
        other => format!("https://{other}"),
    }
}

fn cache(context: Context<'_>, zot: &Zot) -> Container {
    let (name, port) = (context.lab.registry_cache_name(), zot.port);
    let configuration = super::provider::absolute(&context.paths.tree("registries/zot.yaml"));
    let create = create(&name)
        .args(["--network".to_owned(), "kind".to_owned()])
        .args(["--publish".to_owned(), format!("127.0.0.1:{port}:{port}")])
        .args(["--volume".to_owned(), format!("{name}:/var/lib/registry")])
        .arg("--volume")
        .arg(configuration.text(":/etc/zot/config.yaml:ro"))
        .args([zot.image.as_str(), "serve", "/etc/zot/config.yaml"]);
    Container {
        id: cache_id(context.lab),
        title: format!("cache {}", zot.registries.join(", ")),
        name,
        create,
        in_kind: true,
    }
}

/// The image of cloud-provider-kind, if a cluster's load balancers are its.
fn cloud_provider(lab: &Lab) -> Option<&str> {
    let mut served = lab.active().filter(|cluster| cluster.has_containers_for_services());
    served.find_map(|cluster| match &cluster.settings.provider {
        Provider::Kind(kind) => Some(kind.cloud_provider.as_str()),
        _ => None,
    })
}

/// One for all clusters of the host. It makes a container for each Service of type LoadBalancer, and removes them all when it ends.
fn balancers(lab: &Lab, image: &str) -> Container {
    let name = format!("{}-cloud-provider", lab.name);
    let create = create(&name)
        .args([
            "--network",
            "kind",
            "--volume",
            "/var/run/docker.sock:/var/run/docker.sock",
            image,
        ])
        // The lab has a Gateway API and an ingress of its own.
        .args(["--gateway-channel", "disabled", "--enable-default-ingress=false"]);
    Container {
        id: CLOUD_PROVIDER.to_owned(),
        title: "make load balancers for Services of the clusters".to_owned(),
        name,
        create,
        in_kind: true,
    }
}

fn create(name: &str) -> Command {
    Command::new("docker", ["create", "--name", name, "--restart", "unless-stopped"])
        .timeout(600)
        .patience(3, 5)
}

fn network() -> Step {
    Step::new(NETWORK, "make Docker's network `kind`")
        .check(Probe::new(Command::new("docker", ["network", "inspect", "kind"])))
        .run(Command::new("docker", ["network", "create", "kind"]))
}

fn start(container: Container) -> Step {
    let name = container.name.as_str();
    let inspect = || Command::new("docker", ["container", "inspect", name]);
    let step = Step::new(container.id, container.title)
        .check(Probe::new(inspect()).json("/0/State/Running", true))
        .run(container.create.unless(Probe::new(inspect())))
        .run(Command::new("docker", ["start", name]))
        .hint(format!("docker logs {name}"));
    if container.in_kind { step.needs(NETWORK) } else { step }
}

fn remove(container: Container) -> Step {
    let name = container.name;
    let list = ["container", "list", "--all", "--format", "{{.Names}}"];
    let stop = Command::new("docker", ["stop", name.as_str()]).timeout(120).lenient();
    Step::new(format!("down/{}", container.id), format!("remove the container {name}"))
        .check(Probe::new(Command::new("docker", list)).expect(Expect::NoLine(name.clone())))
        .run(stop)
        .run(Command::new("docker", ["rm", "--force", name.as_str()]))
}
