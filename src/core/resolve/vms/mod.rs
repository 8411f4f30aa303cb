//! Machines outside of Kubernetes: to which cluster each belongs, what it joins, and what makes no sense about it.

mod draft;
mod joins;

pub(super) use draft::draft;
pub(super) use joins::of_lab;

use std::sync::Arc;

use crate::core::lab::Vm;
use crate::core::source::{Place, Source};

/// The component through which machines reach istiod, and the pods of networks that they do not route to.
pub(crate) const GATEWAY: &str = "istio-ewgw";

fn place(source: &Arc<Source>, vm: &Vm, key: &str) -> Place {
    Place::value(source, vm.path.join(key))
}
