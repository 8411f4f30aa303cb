//! Ways into a cluster from outside: addresses and ports of Services of type LoadBalancer, names that gateways serve.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::blueprint::LoadBalancer;
use crate::core::lab::{Cluster, Instance, Lab};
use crate::core::problem::Problem;
use crate::core::source::Place;

use super::populate::place_of;

/// Everything in which the entrances of a cluster contradict each other, or its addresses.
pub(super) fn of_cluster(lab: &Lab, cluster: &Cluster) -> Vec<Problem> {
    let entrances = Entrances { lab, cluster };
    let mut problems = entrances.addresses();
    problems.extend(entrances.ports());
    problems.extend(entrances.hosts());
    problems
}

struct Entrances<'a> {
    lab: &'a Lab,
    cluster: &'a Cluster,
}

impl<'a> Entrances<'a> {
    fn ours(&self) -> impl Iterator<Item = &'a Instance> {
        let instances = self.cluster.instances.values();
        instances.filter(|instance| !instance.external)
    }

    fn place(&self, instance: &Instance) -> Place {
        place_of(self.lab, self.cluster, instance)
    }

    /// An address that an instance asks for is one of those that MetalLB has there.
    fn addresses(&self) -> Vec<Problem> {
        let wanted = self
            .ours()
            .filter_map(|instance| Some((instance, instance.load_balancer_address?)));
        let refused = wanted.filter_map(|(instance, address)| {
            let who = format!("`{}` on {}", instance.name, self.cluster.name);
            let (message, help) = match self.cluster.load_balancers {
                Some(block) if block.contains(&address) => return None,
                Some(block) => (
                    format!("{who} asks for {address}, outside of the cluster's load-balancer addresses {block}"),
                    format!("use an address of {block}, or change `addresses.loadBalancers`"),
                ),
                None => (
                    format!("{who} asks for {address}, but nobody hands out addresses there"),
                    "set `network: {loadBalancer: metallb}`, or remove the address".to_owned(),
                ),
            };
            Some(Problem::at(self.place(instance), message).help(help))
        });
        refused.collect()
    }

    /// klipper serves a port of a LoadBalancer Service as a port of the node, MetalLB at an address: the second Service with it stays
    /// pending, and Argo CD waits for its health for ever.
    fn ports(&self) -> Vec<Problem> {
        let balancer = self.cluster.settings.network.load_balancer;
        let mut taken: BTreeMap<(String, u16), &Instance> = BTreeMap::new();
        let mut clashes: BTreeMap<(&str, &str), Clash<'_>> = BTreeMap::new();
        let shared = matches!(balancer, LoadBalancer::Klipper | LoadBalancer::Metallb);
        for instance in self.ours().filter(|_| shared) {
            let address = instance.address(self.cluster);
            for port in &instance.load_balancer_ports {
                if let Some(first) = taken.insert((address.clone(), *port), instance) {
                    let pair = (first.name.as_str(), instance.name.as_str());
                    let clash = clashes.entry(pair).or_insert_with(|| Clash {
                        first,
                        second: instance,
                        address: address.clone(),
                        ports: Vec::new(),
                    });
                    clash.ports.push(*port);
                }
            }
        }
        let report = match balancer {
            LoadBalancer::Metallb => Self::one_address,
            LoadBalancer::Klipper | LoadBalancer::Provider | LoadBalancer::CloudProviderKind => Self::one_node,
        };
        clashes.values().map(|clash| report(self, clash)).collect()
    }

    fn one_node(&self, clash: &Clash<'_>) -> Problem {
        let Clash { first, second, .. } = clash;
        let message = format!(
            "`{}` and `{}` on {} both publish {}, and klipper has one of each per node",
            first.name,
            second.name,
            self.cluster.name,
            clash.ports()
        );
        let help = "let one of them go, or give it other ports: `meshlab components <component>` shows its parameters";
        Problem::at(self.place(second), message).help(help)
    }

    fn one_address(&self, clash: &Clash<'_>) -> Problem {
        let Clash {
            first, second, address, ..
        } = clash;
        let (cluster, ports) = (&self.cluster.name, clash.ports());
        let forgotten = second.load_balancer_address.is_none() && first.component.name == second.component.name;
        let message = if forgotten {
            format!(
                "`{}` on {cluster} has no address of its own: the cluster's, {address}, already serves {ports} for `{}`",
                second.name, first.name
            )
        } else {
            format!(
                "`{}` and `{}` on {cluster} both want {ports} of {address}",
                first.name, second.name
            )
        };
        let block = self.cluster.load_balancers.map(|block| block.to_string());
        let help = format!(
            "give one of them another address of {}: `parameters: {{address: …}}`",
            block.unwrap_or_default()
        );
        Problem::at(self.place(second), message).help(help)
    }

    /// Instances that serve the same names share one certificate; if only some are the same, a client sees one or the other.
    fn hosts(&self) -> Vec<Problem> {
        let mut seen: BTreeMap<&str, &Instance> = BTreeMap::new();
        let mut reported = BTreeSet::new();
        let mut problems = Vec::new();
        for instance in self.ours() {
            for host in &instance.hosts {
                let Some(first) = seen.insert(host, instance) else {
                    continue;
                };
                if same_names(first, instance) || !reported.insert((&first.name, &instance.name)) {
                    continue;
                }
                let message = format!(
                    "`{}` and `{}` on {} both serve `{host}`, with different certificates: one for {}, one for {}",
                    first.name,
                    instance.name,
                    self.cluster.name,
                    first.hosts.join(", "),
                    instance.hosts.join(", ")
                );
                let help = "let one of them serve the name, or give both the same names";
                problems.push(Problem::at(self.place(instance), message).help(help));
            }
        }
        problems
    }
}

/// Two instances that want the same ports of one address.
struct Clash<'a> {
    first: &'a Instance,
    second: &'a Instance,
    address: String,
    ports: Vec<u16>,
}

impl Clash<'_> {
    /// `port 80`, `ports 80 and 443`.
    fn ports(&self) -> String {
        let numbers: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        let word = if numbers.len() == 1 { "port" } else { "ports" };
        format!("{word} {}", numbers.join(" and "))
    }
}

fn same_names(one: &Instance, other: &Instance) -> bool {
    let names = |instance: &Instance| instance.hosts.iter().cloned().collect::<BTreeSet<_>>();
    names(one) == names(other)
}
