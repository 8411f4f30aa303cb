//! Files of the lab as a whole: everything below `argo/`, and the root certificates.

use super::argo::{cell_sets, instance_sets, projects};
use super::{Group, Job, Make};
use crate::core::artefact::TreePath;
use crate::core::blueprint::RegistryCache;
use crate::core::catalog::{Catalog, Each, TemplateFile};
use crate::core::lab::Lab;
use crate::core::pki::CompleteLock;
use crate::core::problem::{Problem, Problems};
use crate::core::source::Place;

/// Who wants the files that belong to no instance and to no template.
const OWNER: &str = "meshlab";

/// The files of the lab as a whole.
pub(super) fn group<'a>(lab: &'a Lab, catalog: &'a Catalog, lock: &CompleteLock) -> Result<Group<'a>, Problems> {
    let mut problems = Problems::default();
    let mut all = Vec::new();
    for file in &catalog.argo {
        all.extend(problems.take(jobs(file, lab)).unwrap_or_default());
    }
    let roots = lock.roots_pem();
    if !roots.is_empty() {
        all.extend(problems.take(root_certificates(roots)));
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    problems.or(Group {
        cluster: None,
        jobs: all,
    })
}

fn root_certificates<'a>(roots: String) -> Result<Job<'a>, Problems> {
    let path = TreePath::new("pki/root-cert.pem").map_err(Problem::new)?;
    Ok(Job {
        path,
        owner: OWNER,
        make: Make::Certificate(roots),
    })
}

fn jobs<'a>(file: &'a TemplateFile, lab: &Lab) -> Result<Vec<Job<'a>>, Problems> {
    let names: Vec<&str> = match file.each {
        None => return Ok(vec![job(file, "", None)?]),
        Some(Each::Instance) => instance_sets(lab).iter().map(|set| set.name).collect(),
        Some(Each::Project) => projects(lab).iter().map(|project| project.name).collect(),
        Some(Each::Manager) => vec![lab.manager().name.as_str()],
        Some(Each::Cell) => cell_sets(lab).iter().map(|set| set.name).collect(),
        Some(Each::Registry) => cached(lab),
        Some(each @ (Each::Namespace | Each::Peer | Each::Vm)) => return Err(misplaced(file, each)),
    };
    names
        .into_iter()
        .enumerate()
        .map(|(i, name)| job(file, name, Some(i)).map_err(Problems::from))
        .collect()
}

/// The registries of the pull-through cache.
fn cached(lab: &Lab) -> Vec<&str> {
    let Some(RegistryCache::Zot(zot)) = &lab.registry_cache else {
        return Vec::new();
    };
    zot.registries.iter().map(String::as_str).collect()
}

fn misplaced(file: &TemplateFile, each: Each) -> Problems {
    let message = format!(
        "`[{}]` stands for something of a cluster; this template is of the lab",
        each.variable()
    );
    Problem::at(Place::file(&file.source), message)
        .help("here `[instance]`, `[project]`, `[cell]`, `[manager]` and `[registry]` are known")
        .into()
}

fn job<'a>(file: &'a TemplateFile, item: &str, index: Option<usize>) -> Result<Job<'a>, Problem> {
    let path = TreePath::new(&file.name_for(item)).map_err(|why| Problem::at(Place::file(&file.source), why))?;
    Ok(Job {
        path,
        owner: &file.source.name,
        make: Make::Lab(file, index),
    })
}
