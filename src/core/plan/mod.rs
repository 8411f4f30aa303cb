//! Which files the tree has, and how each is made; nothing is rendered yet.

mod argo;
mod lab;
mod render;
mod site;

pub use argo::{ApplicationFile, InstanceSet, Project, application_name, instance_sets, projects};
pub use render::Renderer;

use rayon::prelude::*;

use super::artefact::{TreePath, collisions};
use super::catalog::{Catalog, SecretSpec, TemplateFile};
use super::dag::{self, Task};
use super::lab::{Instance, Lab};
use super::pki::CompleteLock;
use super::problem::Problems;
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
    let mut problems = Problems::default();
    let whole = problems.take(lab::group(lab, catalog, lock));
    let sites: Vec<_> = (0..lab.clusters.len())
        .into_par_iter()
        .map(|index| site::group(lab, lock, index))
        .collect();
    let sites: Vec<Group<'a>> = sites.into_iter().filter_map(|group| problems.take(group)).collect();
    let groups: Vec<Group<'a>> = whole.into_iter().chain(sites).collect();
    problems.extend(collisions(
        groups
            .iter()
            .flat_map(|group| &group.jobs)
            .map(|job| (&job.path, job.owner)),
    ));
    problems.or(Plan {
        lab,
        views,
        tasks,
        lock,
        groups,
    })
}
