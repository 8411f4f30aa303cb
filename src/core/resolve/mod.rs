//! From what a person typed to what it means: names, numbers, addresses, settings, placement. Everything wrong is found before anything is rendered.

mod addresses;
mod allocation;
mod allowances;
mod draft;
mod entrances;
mod global_names;
mod istio;
mod placement;
mod populate;
mod rules;
mod settings;
mod stages;
mod topology;
mod vms;

use std::sync::Arc;

pub use allocation::{Allocations, CellAllocation, read as read_allocations};
pub(crate) use populate::{NAMESPACES, place_of};
pub(crate) use vms::GATEWAY;

use super::blueprint::Blueprint;
use super::catalog::Catalog;
use super::lab::Lab;
use super::problem::Problems;
use super::source::Source;

/// Decides everything that a blueprint leaves open.
///
/// # Errors
/// Every problem of the blueprint and of its combination with the catalog.
pub fn resolve(
    blueprint: &Blueprint,
    source: &Arc<Source>,
    catalog: &Catalog,
    allocations: &Allocations,
) -> Result<(Lab, Allocations), Problems> {
    let topology = topology::name_all(blueprint, source)?;
    let allocations = allocations.extend(topology.names());
    let lab = draft::draft(blueprint, source, topology, &allocations, &catalog.istio)?;
    let lab = populate::populate(lab, catalog)?;
    allowances::check(blueprint, source, catalog).or(())?;
    istio::check(blueprint, &lab, &catalog.istio).or(())?;
    Ok((lab, allocations))
}
