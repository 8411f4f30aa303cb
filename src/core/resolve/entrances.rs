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
        let mut clashes: BTreeMap<(&str, &str), (&Instance, &Instance, String, Vec<u16>)> = BTreeMap::new();
        for instance in self.ours().filter(|_| balancer != LoadBalancer::Provider) {
            let address = instance.address(self.cluster);
            for port in &instance.load_balancer_ports {
                if let Some(first) = taken.insert((address.clone(), *port), instance) {
                    let clash = clashes
                        .entry((first.name.as_str(), instance.name.as_str()))
                        .or_insert_with(|| (first, instance, address.clone(), Vec::new()));
                    clash.3.push(*port);
                }
            }
        }
        clashes
            .into_values()
            .map(|(first, second, address, ports)| match balancer {
                LoadBalancer::Metallb => self.one_address(first, second, &address, &ports),
                LoadBalancer::Klipper | LoadBalancer::Provider => self.one_port(first, second, ports[0]),
            })
            .collect()
    }

    fn one_port(&self, first: &Instance, second: &Instance, port: u16) -> Problem {
        let message = format!(
            "`{}` and `{}` on {} both publish port {port}, and klipper has one of each per node",
            first.name, second.name, self.cluster.name
        );
        Problem::at(self.place(second), message)
            .help("let one of them go, or give it other ports: `meshlab components <component>` shows its parameters")
    }

    fn one_address(&self, first: &Instance, second: &Instance, address: &str, ports: &[u16]) -> Problem {
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        let ports = ports.join(" and ");
        let cluster = &self.cluster.name;
        let message = if second.load_balancer_address.is_none() && first.component.name == second.component.name {
            format!(
                "`{}` on {cluster} has no address of its own: the cluster's, {address}, already serves ports {ports} for `{}`",
                second.name, first.name
            )
        } else {
            format!(
                "`{}` and `{}` on {cluster} both want ports {ports} of {address}",
                first.name, second.name
            )
        };
        let block = self
            .cluster
            .load_balancers
            .map_or_else(String::new, |block| block.to_string());
        Problem::at(self.place(second), message).help(format!(
            "give one of them another address of {block}: `parameters: {{address: …}}`"
        ))
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

fn same_names(one: &Instance, other: &Instance) -> bool {
    let names = |instance: &Instance| instance.hosts.iter().cloned().collect::<BTreeSet<_>>();
    names(one) == names(other)
}
