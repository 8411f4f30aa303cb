//! Cells and clusters by name, from lists, counts and fleets.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::core::blueprint::{Blueprint, CellEntry, ClusterEntry, State, VmEntry};
use crate::core::lab::MANAGER_CELL;
use crate::core::name::{CellName, ClusterName, LabName, VmName};
use crate::core::problem::{Problem, Problems};
use crate::core::source::{Path, Place, Source};
use crate::path;

/// The names of a lab, checked.
pub(super) struct Topology {
    pub(super) lab: LabName,
    pub(super) manager: ClusterName,
    /// The cell that the manager is alone in.
    pub(super) manager_cell: Option<CellName>,
    pub(super) cells: Vec<NamedCell>,
}

impl Topology {
    /// Each cell with its clusters, but for the manager's own: its addresses are the manager's.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.cells.iter().map(|cell| {
            (
                cell.name.as_str(),
                cell.clusters.iter().map(|cluster| cluster.name.as_str()).collect(),
            )
        })
    }

    /// Everything that an override can be for.
    pub(super) fn targets(&self) -> Vec<&str> {
        let cells = self
            .names()
            .flat_map(|(cell, clusters)| std::iter::once(cell).chain(clusters));
        let own = self.manager_cell.iter().map(CellName::as_str);
        std::iter::once(self.manager.as_str()).chain(own).chain(cells).collect()
    }
}

/// A cell with its clusters, named and checked.
pub(super) struct NamedCell {
    pub(super) name: CellName,
    pub(super) path: Path,
    pub(super) fleet: Option<String>,
    pub(super) clusters: Vec<NamedCluster>,
    pub(super) vms: Vec<NamedVm>,
}

/// A machine outside of Kubernetes, named and checked.
pub(super) struct NamedVm {
    pub(super) name: VmName,
    pub(super) path: Path,
    pub(super) entry: VmEntry,
}

/// A cluster of a cell, named and checked.
pub(super) struct NamedCluster {
    pub(super) name: ClusterName,
    pub(super) path: Path,
    pub(super) active: bool,
    pub(super) address: Option<String>,
    pub(super) api_server: Option<String>,
    pub(super) pod_cidr: Option<String>,
    pub(super) service_cidr: Option<String>,
}

/// All names of a lab.
///
/// # Errors
/// Illegal and duplicate names, cells without clusters, entries that say both `clusters` and `count`.
pub(super) fn name_all(blueprint: &Blueprint, source: &Arc<Source>) -> Result<Topology, Problems> {
    let mut naming = Naming {
        source,
        problems: Problems::default(),
    };
    let lab = naming.lab(&blueprint.metadata.name);
    let manager = naming.cluster(&blueprint.spec.manager.name, &path!["spec", "manager", "name"]);
    let mut cells = Vec::new();
    for (i, entry) in blueprint.spec.cells.iter().enumerate() {
        cells.extend(naming.entry(entry, &path!["spec", "cells", i]));
    }
    let own = blueprint.spec.manager.cell.as_deref();
    let manager_cell = own.and_then(|name| naming.cell_name(name, &path!["spec", "manager", "cell"]));
    naming.unique(manager.as_ref(), manager_cell.as_ref(), &cells);
    match (lab, manager) {
        (Some(lab), Some(manager)) => naming.problems.or(Topology {
            lab,
            manager,
            manager_cell,
            cells,
        }),
        _ => Err(naming.problems),
    }
}

struct Naming<'a> {
    source: &'a Arc<Source>,
    problems: Problems,
}

impl Naming<'_> {
    /// The lab's name, which is also the file's: paths in the tree and in Git follow it.
    fn lab(&mut self, name: &str) -> Option<LabName> {
        let path = path!["metadata", "name"];
        let stem = self
            .source
            .name
            .rsplit('/')
            .next()
            .and_then(|file| file.strip_suffix(".yaml"));
        if stem.is_some_and(|stem| stem != name) {
            let help = format!(
                "name the file `{name}.yaml`, or write `name: {}`",
                stem.unwrap_or_default()
            );
            self.problem(&path, &format!("the lab `{name}` is not named like its file"), &help);
        }
        LabName::new(name)
            .map_err(|why| self.problems.push(Problem::at(Place::value(self.source, path), why)))
            .ok()
    }

    fn entry(&mut self, entry: &CellEntry, path: &Path) -> Vec<NamedCell> {
        let names: Vec<String> = match entry.cells {
            None => vec![entry.name.clone()],
            Some(cells) => (1..=cells).map(|i| format!("{}-{i}", entry.name)).collect(),
        };
        if entry.cells.is_some() && entry.clusters.is_some() {
            let message = "a fleet has equal cells: `clusters` cannot name theirs";
            self.problem(&path.join("clusters"), message, "use `count`");
            return Vec::new();
        }
        if entry.cells.is_some() && !entry.vms.is_empty() {
            let message = "a fleet has equal cells: `vms` would give machines of several the same names";
            self.problem(
                &path.join("vms"),
                message,
                "give the cells with machines entries of their own",
            );
            return Vec::new();
        }
        let fleet = entry.cells.map(|_| format!("{}-*", entry.name));
        names
            .iter()
            .filter_map(|name| self.cell(name, entry, path, fleet.clone()))
            .collect()
    }

    fn cell(&mut self, name: &str, entry: &CellEntry, path: &Path, fleet: Option<String>) -> Option<NamedCell> {
        let cell = self.cell_name(name, &path.join("name"))?;
        let clusters = self.clusters(&cell, entry, path);
        let vms = entry.vms.iter().enumerate();
        let vms = vms
            .filter_map(|(i, vm)| self.vm(vm, path.join("vms").join(i)))
            .collect();
        Some(NamedCell {
            name: cell,
            path: path.clone(),
            fleet,
            clusters,
            vms,
        })
    }

    fn vm(&mut self, entry: &VmEntry, path: Path) -> Option<NamedVm> {
        let name = VmName::new(&entry.name).map_err(|why| {
            let place = Place::value(self.source, path.join("name"));
            self.problems.push(Problem::at(place, why));
        });
        Some(NamedVm {
            name: name.ok()?,
            path,
            entry: entry.clone(),
        })
    }

    fn cell_name(&mut self, name: &str, path: &Path) -> Option<CellName> {
        if name == MANAGER_CELL {
            self.problem(
                path,
                "`manager` is reserved: it is the cell label of the manager cluster",
                "choose another name",
            );
        }
        CellName::new(name)
            .map_err(|why| {
                self.problems
                    .push(Problem::at(Place::value(self.source, path.clone()), why));
            })
            .ok()
    }

    fn clusters(&mut self, cell: &CellName, entry: &CellEntry, path: &Path) -> Vec<NamedCluster> {
        let listed: Vec<(ClusterEntry, Path)> = match (&entry.clusters, entry.count) {
            (Some(_), Some(_)) => {
                self.problem(
                    &path.join("count"),
                    "a cell has `clusters` or `count`, not both",
                    "remove one of them",
                );
                Vec::new()
            }
            (Some(clusters), None) => clusters
                .iter()
                .enumerate()
                .map(|(i, entry)| (entry.clone(), path.join("clusters").join(i)))
                .collect(),
            (None, count) => (1..=count.unwrap_or_default())
                .map(|i| {
                    (
                        ClusterEntry {
                            name: format!("{cell}-{i}"),
                            ..ClusterEntry::default()
                        },
                        path.clone(),
                    )
                })
                .collect(),
        };
        if listed.is_empty() && self.problems.is_empty() {
            self.problem(
                path,
                &format!("the cell `{cell}` has no clusters"),
                "add `clusters: [{name: …}]` or `count: 2`",
            );
        }
        listed
            .into_iter()
            .filter_map(|(entry, path)| self.named(entry, path))
            .collect()
    }

    fn named(&mut self, entry: ClusterEntry, path: Path) -> Option<NamedCluster> {
        let name = self.cluster(&entry.name, &path.join("name"))?;
        let active = entry.state == State::Active;
        Some(NamedCluster {
            name,
            path,
            active,
            address: entry.address,
            api_server: entry.api_server,
            pod_cidr: entry.pod_cidr,
            service_cidr: entry.service_cidr,
        })
    }

    fn cluster(&mut self, name: &str, path: &Path) -> Option<ClusterName> {
        ClusterName::new(name)
            .map_err(|why| {
                self.problems
                    .push(Problem::at(Place::value(self.source, path.clone()), why));
            })
            .ok()
    }

    fn unique(&mut self, manager: Option<&ClusterName>, own: Option<&CellName>, cells: &[NamedCell]) {
        let manager = manager.map(|name| (name.as_str(), "a cluster", path!["spec", "manager", "name"]));
        let clusters = cells
            .iter()
            .flat_map(|cell| &cell.clusters)
            .map(|one| (one.name.as_str(), "a cluster", one.path.join("name")));
        let vms = cells
            .iter()
            .flat_map(|cell| &cell.vms)
            .map(|one| (one.name.as_str(), "a virtual machine", one.path.join("name")));
        self.distinct(manager.into_iter().chain(clusters).chain(vms));
        let own = own.map(|name| (name.as_str(), "a cell", path!["spec", "manager", "cell"]));
        let others = cells
            .iter()
            .map(|cell| (cell.name.as_str(), "a cell", cell.path.join("name")));
        self.distinct(own.into_iter().chain(others));
    }

    fn distinct<'n>(&mut self, names: impl Iterator<Item = (&'n str, &'static str, Path)>) {
        let mut seen: BTreeMap<&str, (&str, Path)> = BTreeMap::new();
        for (name, what, path) in names {
            if let Some((first_is, first)) = seen.get(name) {
                let place = Place::value(self.source, path);
                let problem = Problem::at(place, format!("`{name}` is already the name of {first_is}"));
                let problem = problem.related(Place::value(self.source, first.clone()), "first used here");
                self.problems.push(problem.help("every name is used once in a lab"));
            } else {
                seen.insert(name, (what, path));
            }
        }
    }

    fn problem(&mut self, path: &Path, message: &str, help: &str) {
        self.problems
            .push(Problem::at(Place::value(self.source, path.clone()), message).help(help));
    }
}
