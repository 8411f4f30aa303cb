//! What machines outside of Kubernetes join: a way to istiod, a Service, a namespace.

use super::{GATEWAY, place};
use crate::core::lab::{Instance, Joinable, Lab, Vm};
use crate::core::name::Namespace;
use crate::core::problem::Problem;
use crate::core::source::Place;

/// What only shows when instances are placed: a way to istiod, the Service that a machine joins, its namespace.
pub(in crate::core::resolve) fn of_lab(lab: &Lab) -> Vec<Problem> {
    lab.vms.iter().flat_map(|vm| Joining { lab, vm }.problems()).collect()
}

struct Joining<'a> {
    lab: &'a Lab,
    vm: &'a Vm,
}

impl Joining<'_> {
    fn problems(&self) -> Vec<Problem> {
        let gateway = self.gateway();
        gateway
            .into_iter()
            .chain(self.service())
            .chain(self.namespace())
            .collect()
    }

    /// Its proxy is a sidecar, and enters by the east-west gateway of sidecars.
    fn gateway(&self) -> Option<Problem> {
        let home = self.vm.home(self.lab);
        if !home.settings.istio.sidecars {
            let message = format!(
                "the proxy of `{}` is a sidecar, and {} has none",
                self.vm.name, home.name
            );
            let help = "say `istio: {sidecars: true}` for a cluster that has both, or `dataplane: sidecar`";
            return Some(self.at("name", message).help(help));
        }
        let mut instances = home.instances.values();
        if instances.any(|instance| instance.component.name.as_str() == GATEWAY) {
            return None;
        }
        let message = format!(
            "`{}` has no way to istiod: there is no east-west gateway on {}",
            self.vm.name, home.name
        );
        let help = format!("leave `{GATEWAY}` enabled there: it places itself in every cell with machines");
        Some(self.at("name", message).help(help))
    }

    fn service(&self) -> Vec<Problem> {
        let (Some(name), home) = (&self.vm.service, self.vm.home(self.lab)) else {
            return Vec::new();
        };
        let joinable = home.instances.values().filter(|instance| instance.service.is_some());
        let joinable: Vec<&str> = joinable.map(|instance| instance.name.as_str()).collect();
        let refused = |message: String| {
            let help = match joinable.as_slice() {
                [] => format!(
                    "no instance on {} has one: add `httpbin: {{use: demo-service}}`",
                    home.name
                ),
                names => format!("on {} there are: {}", home.name, names.join(", ")),
            };
            vec![
                self.at("service", message)
                    .help(help)
                    .did_you_mean(name.as_str(), joinable.iter().copied()),
            ]
        };
        match self.vm.joins(self.lab) {
            None => refused(format!(
                "`{}` joins the Service of `{name}`, which nobody declares on {}",
                self.vm.name, home.name
            )),
            Some(instance) => match &instance.service {
                None => refused(format!("`{name}` has no Service that a machine could join")),
                Some(service) => self.fits(instance, service),
            },
        }
    }

    /// A Service finds the machine by its labels and its ports by their names, in its own namespace.
    fn fits(&self, instance: &Instance, service: &Joinable) -> Vec<Problem> {
        let vm = self.vm;
        let mut problems = Vec::new();
        if let Some(own) = vm.own_namespace.as_ref().filter(|own| **own != instance.namespace) {
            let message = format!(
                "`{}` is in namespace `{own}`, the Service of `{}` in `{}`: it would not be found",
                vm.name, instance.name, instance.namespace
            );
            problems.push(
                self.at("namespace", message)
                    .help("remove `namespace`: it follows the Service"),
            );
        }
        for port in service.ports.iter().filter(|port| !vm.ports.contains_key(*port)) {
            let message = format!(
                "`{}` has no port `{port}`, by which the Service of `{}` looks for it",
                vm.name, instance.name
            );
            let key = if vm.ports.is_empty() { "service" } else { "ports" };
            problems.push(self.at(key, message).help(format!("add it: `ports: {{{port}: 8000}}`")));
        }
        for (label, value) in &service.selector {
            if let Some(own) = vm.own_labels.get(label).filter(|own| *own != value) {
                let place = Place::value(&self.lab.source, vm.path.join("labels").join(label));
                let message = format!(
                    "the Service of `{}` selects by {label}={value}: with {own} it would not find `{}`",
                    instance.name, vm.name
                );
                problems.push(Problem::at(place, message).help("remove the label: the Service sets it"));
            }
        }
        problems
    }

    /// A namespace that some instance of the cluster has, so that somebody makes it.
    fn namespace(&self) -> Option<Problem> {
        let home = self.vm.home(self.lab);
        if self.vm.service.is_some() {
            return None;
        }
        let Some(own) = &self.vm.own_namespace else {
            let message = format!("`{}` has neither a Service to join nor a namespace", self.vm.name);
            let help =
                "add `service:` (an instance that has one), or `namespace:` for a machine that only calls others";
            return Some(self.at("name", message).help(help));
        };
        if home.namespaces.contains_key(own) {
            return None;
        }
        let known: Vec<&str> = home.namespaces.keys().map(Namespace::as_str).collect();
        let message = format!(
            "`{}` is in namespace `{own}`, which nobody makes on {}",
            self.vm.name, home.name
        );
        let problem = self
            .at("namespace", message)
            .help(format!("there are: {}", known.join(", ")));
        Some(problem.did_you_mean(own.as_str(), known.iter().copied()))
    }

    fn at(&self, key: &str, message: impl Into<String>) -> Problem {
        Problem::at(place(&self.lab.source, self.vm, key), message)
    }
}
