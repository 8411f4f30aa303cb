//! Files of one cluster: parameters, values and manifests of its instances, and its certificates.

use super::{Group, Job, Make};
use crate::core::artefact::TreePath;
use crate::core::catalog::{Each, TemplateFile};
use crate::core::lab::{Cluster, Instance, Lab};
use crate::core::name::Namespace;
use crate::core::pki::CompleteLock;
use crate::core::problem::{Problem, Problems};
use crate::core::source::Place;

/// The files of the cluster at `index`.
pub(super) fn group<'a>(lab: &'a Lab, lock: &CompleteLock, index: usize) -> Result<Group<'a>, Problems> {
    let cluster = &lab.clusters[index];
    let mut site = Site {
        lab,
        cluster,
        jobs: Vec::new(),
        problems: Problems::default(),
    };
    for instance in cluster.instances.values().filter(|instance| !instance.external) {
        site.instance(instance);
    }
    site.certificates(lock);
    let Site { mut jobs, problems, .. } = site;
    jobs.sort_by(|a, b| a.path.cmp(&b.path));
    problems.or(Group {
        cluster: Some(index),
        jobs,
    })
}

struct Site<'a> {
    lab: &'a Lab,
    cluster: &'a Cluster,
    jobs: Vec<Job<'a>>,
    problems: Problems,
}

impl<'a> Site<'a> {
    fn instance(&mut self, instance: &'a Instance) {
        let name = instance.name.as_str();
        let component = &*instance.component;
        if self.cluster.active && instance.is_application() {
            self.add(&format!("apps/{name}.yaml"), name, Make::Application(instance));
        }
        if instance.chart.is_some() {
            self.add(&format!("values/{name}.yaml"), name, Make::Values(instance));
        }
        for file in &component.manifests {
            self.template(&format!("manifests/{name}/"), instance, file, Make::Manifest);
        }
        for (secret, spec) in &component.secrets {
            self.add(
                &format!("manifests/{name}/{secret}.yaml"),
                name,
                Make::Secret(instance, secret, spec),
            );
        }
        for file in &component.files {
            self.template("", instance, file, Make::File);
        }
        for file in &component.vms {
            for (i, vm) in self.lab.vms_of(self.cluster).enumerate() {
                let path = format!("vms/{}/{}", vm.name, file.name);
                self.add_path(Place::file(&file.source), &path, name, Make::Vm(instance, file, i));
            }
        }
    }

    fn template(
        &mut self,
        folder: &str,
        instance: &'a Instance,
        file: &'a TemplateFile,
        make: fn(&'a Instance, &'a TemplateFile, Option<usize>) -> Make<'a>,
    ) {
        let owner = instance.name.as_str();
        let place = Place::file(&file.source);
        let items: Vec<&str> = match file.each {
            None => {
                let make = make(instance, file, None);
                return self.add_at(place, &format!("{folder}{}", file.name), owner, make);
            }
            Some(Each::Namespace) => self.cluster.namespaces.keys().map(Namespace::as_str).collect(),
            Some(Each::Peer) => self.lab.peers(self.cluster).map(|peer| peer.name.as_str()).collect(),
            Some(Each::Vm) => self.lab.vms_of(self.cluster).map(|vm| vm.name.as_str()).collect(),
            Some(each @ (Each::Instance | Each::Project | Each::Manager | Each::Cell | Each::Registry)) => {
                return self.misplaced(file, each);
            }
        };
        for (i, item) in items.into_iter().enumerate() {
            let path = format!("{folder}{}", file.name_for(item));
            self.add_at(place.clone(), &path, owner, make(instance, file, Some(i)));
        }
    }

    fn misplaced(&mut self, file: &TemplateFile, each: Each) {
        let message = format!(
            "`[{}]` stands for something of the lab; this template is of a cluster",
            each.variable()
        );
        let problem = Problem::at(Place::file(&file.source), message);
        self.problems
            .push(problem.help("here `[namespace]`, `[peer]` and `[vm]` are known"));
    }

    fn certificates(&mut self, lock: &CompleteLock) {
        if let Some(ca) = lock.cluster(&self.cluster.name).and_then(|cluster| cluster.mesh_ca()) {
            self.add(
                "pki/ca-cert.pem",
                "meshlab",
                Make::Certificate(ca.certificate.to_owned()),
            );
            self.add("pki/cert-chain.pem", "meshlab", Make::Certificate(ca.chain));
        }
    }

    fn add(&mut self, path: &str, owner: &'a str, make: Make<'a>) {
        self.add_at(self.cluster.place.clone(), path, owner, make);
    }

    /// Adds a file of the cluster; `place` is to blame if its path is illegal.
    fn add_at(&mut self, place: Place, path: &str, owner: &'a str, make: Make<'a>) {
        self.add_path(place, &format!("clusters/{}/{path}", self.cluster.name), owner, make);
    }

    fn add_path(&mut self, place: Place, path: &str, owner: &'a str, make: Make<'a>) {
        match TreePath::new(path) {
            Ok(path) => self.jobs.push(Job { path, owner, make }),
            Err(why) => self.problems.push(Problem::at(place, why).help("rename the file")),
        }
    }
}
