//! Which files the tree has, and how each is made; nothing is rendered yet.

mod argo;
mod lab;
mod render;
mod site;

pub use argo::{ApplicationFile, InstanceSet, Project, application_name, instance_sets, projects};
pub use render::Renderer;

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::artefact::{TreePath, collisions};
use super::catalog::{Catalog, SecretSpec, TemplateFile};
use super::dag::{self, Task};
use super::lab::{Instance, Lab};
use super::pki::CompleteLock;
use super::problem::{Problem, Problems};
use super::views::Views;

/// Everything that the tree of a lab consists of.
pub struct Plan<'a> {
    /// The lab.
    pub lab: &'a Lab,
    views: Views,
    tasks: Vec<Task>,
    lock: &'a CompleteLock,
    /// Files of the lab as a whole, then those of each cluster.
    pub groups: Vec<Group<'a>>,
}

/// Files that share what their templates see.
pub struct Group<'a> {
    /// Index of the cluster; none for the lab as a whole.
    pub cluster: Option<usize>,
    /// In the order of their paths.
    pub jobs: Vec<Job<'a>>,
}

/// One file of the tree.
pub struct Job<'a> {
    /// Where it goes.
    pub path: TreePath,
    /// Who wants it: an instance, a template of the lab, or `meshlab`.
    pub owner: &'a str,
    make: Make<'a>,
}

/// How a file is made; a number picks the item that a template named `[…]` is rendered for.
enum Make<'a> {
    /// The parameters of an Application.
    Application(&'a Instance),
    /// Helm values.
    Values(&'a Instance),
    /// A template of a component.
    Manifest(&'a Instance, &'a TemplateFile, Option<usize>),
    /// A template of a component that nobody syncs.
    File(&'a Instance, &'a TemplateFile, Option<usize>),
    /// A template of a component for a machine outside of Kubernetes, which nobody syncs either.
    Vm(&'a Instance, &'a TemplateFile, usize),
    /// An encrypted Secret.
    Secret(&'a Instance, &'a str, &'a SecretSpec),
    /// A public certificate of the lock.
    Certificate(String),
    /// A lab-level template.
    Lab(&'a TemplateFile, Option<usize>),
}

/// Plans the tree of a lab.
///
/// # Errors
/// Two files of one path, paths that are illegal, a bootstrap that goes round in circles.
pub fn plan<'a>(lab: &'a Lab, catalog: &'a Catalog, lock: &'a CompleteLock) -> Result<Plan<'a>, Problems> {
    let views = Views::new(lab, &lock.roots_pem());
    let tasks = dag::tasks(lab, catalog)?;
    catalog.prepare(&components(lab));
    let mut problems = Problems::default();
    let whole = problems.take(lab::group(lab, catalog, lock));
    let sites: Vec<_> = (0..lab.clusters.len())
        .into_par_iter()
        .map(|index| site::group(lab, lock, index))
        .collect();
    let sites: Vec<Group<'a>> = sites.into_iter().filter_map(|group| problems.take(group)).collect();
    let groups: Vec<Group<'a>> = whole.into_iter().chain(sites).collect();
    problems.extend(all_collisions(&groups));
    problems.or(Plan {
        lab,
        views,
        tasks,
        lock,
        groups,
    })
}

/// The components that something is rendered of.
fn components(lab: &Lab) -> BTreeSet<&str> {
    let instances = lab.clusters.iter().flat_map(|cluster| cluster.instances.values());
    instances
        .filter(|instance| !instance.external)
        .map(|instance| instance.component.name.as_str())
        .collect()
}

/// What gets in the way of what. Names of machines differ in more than case, so that the files of two clusters cannot: each cluster's are
/// compared with each other, and with those of the lab as a whole that lie among them.
fn all_collisions(groups: &[Group<'_>]) -> Vec<Problem> {
    let among_clusters = |job: &&Job<'_>| {
        let top = job.path.ancestors().next().unwrap_or(job.path.as_str());
        top.eq_ignore_ascii_case("clusters") || top.eq_ignore_ascii_case("vms")
    };
    let (sites, whole): (Vec<_>, Vec<_>) = groups.iter().partition(|group| group.cluster.is_some());
    let whole: Vec<&Job<'_>> = whole.into_iter().flat_map(|group| &group.jobs).collect();
    let guests: Vec<&Job<'_>> = whole.iter().copied().filter(among_clusters).collect();
    let of_site = |site: &&Group<'_>| of_jobs(site.jobs.iter().chain(guests.iter().copied()));
    let mut found: Vec<Problem> = of_jobs(whole.iter().copied()).into_iter().collect();
    let more: Vec<Problem> = sites.par_iter().flat_map_iter(of_site).collect();
    for problem in more {
        // Files of the lab that are in each other's way are so beside every cluster.
        if !found.contains(&problem) {
            found.push(problem);
        }
    }
    found
}

fn of_jobs<'j>(jobs: impl Iterator<Item = &'j Job<'j>>) -> Problems {
    collisions(jobs.map(|job| (&job.path, job.owner)))
}
