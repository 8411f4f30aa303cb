//! Pod and service addresses of each cluster.

use std::sync::Arc;

use ipnet::Ipv4Net;

use super::allocation::block;
use crate::core::blueprint::{Addresses, Pool};
use crate::core::problem::{Problem, Problems};
use crate::core::source::{Path, Place, Source};
use crate::core::yaml::Node;
use crate::path;

/// The pools of a lab.
pub(super) struct Blocks<'a> {
    pub(super) pods: Blockwise<'a>,
    pub(super) services: Blockwise<'a>,
    pub(super) load_balancers: Option<Blockwise<'a>>,
}

impl<'a> Blocks<'a> {
    /// Checks the pools.
    ///
    /// # Errors
    /// First blocks that are no CIDR, have host bits or are too small.
    pub(super) fn new(addresses: &Addresses, source: &'a Arc<Source>) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let pods = problems.take(Blockwise::new(&addresses.pods, "pods", "podCIDR", source));
        let services = problems.take(Blockwise::new(&addresses.services, "services", "serviceCIDR", source));
        let pool = addresses.load_balancers.as_ref();
        let load_balancers = pool.map(|pool| Blockwise::of_load_balancers(pool, source)).transpose();
        match (pods, services, problems.take(load_balancers)) {
            (Some(pods), Some(services), Some(load_balancers)) => Ok(Self {
                pods,
                services,
                load_balancers,
            }),
            _ => Err(problems),
        }
    }
}

/// Equal blocks, numbered from 0.
pub(super) struct Blockwise<'a> {
    source: &'a Arc<Source>,
    key: &'static str,
    explicit: &'static str,
    first: Ipv4Net,
    per_cell: u32,
}

impl<'a> Blockwise<'a> {
    fn new(pool: &Pool, key: &'static str, explicit: &'static str, source: &'a Arc<Source>) -> Result<Self, Problems> {
        let place = Place::value(source, path!["spec", "addresses", key, "first"]);
        let first = parse(&pool.first, place, SMALLEST_CLUSTER)?;
        Ok(Self {
            source,
            key,
            explicit,
            first,
            per_cell: pool.per_cell.into(),
        })
    }

    /// Small blocks: a cluster has a handful of addresses of the network that all nodes share.
    fn of_load_balancers(pool: &Pool, source: &'a Arc<Source>) -> Result<Self, Problems> {
        let key = "loadBalancers";
        let place = Place::value(source, path!["spec", "addresses", key, "first"]);
        Ok(Self {
            source,
            key,
            explicit: key,
            first: parse(&pool.first, place, SMALLEST_POOL)?,
            per_cell: pool.per_cell.into(),
        })
    }

    /// The manager's block: the first, or what the blueprint says.
    ///
    /// # Errors
    /// An explicit CIDR that is none.
    pub(super) fn of_manager(&self, explicit: Option<&str>) -> Result<Ipv4Net, Problems> {
        match explicit {
            Some(text) => self.explicit(text, &path!["spec", "manager"]),
            None => Ok(self.first),
        }
    }

    /// The block of the cluster with this id in the cell with this slot, declared at `path`.
    ///
    /// # Errors
    /// An explicit CIDR that is none, an id beyond `perCell`, a pool that is used up.
    pub(super) fn of(&self, explicit: Option<&str>, slot: u32, id: u32, path: &Path) -> Result<Ipv4Net, Problems> {
        if let Some(text) = explicit {
            return self.explicit(text, path);
        }
        if self.per_cell > 0 && id > self.per_cell {
            let message = format!(
                "cluster number {id} of a cell does not fit: `perCell` of {} is {}",
                self.key, self.per_cell
            );
            return Err(self.problem(
                path,
                message,
                "raise `perCell` (every cell's addresses move), or give the cluster explicit CIDRs",
            ));
        }
        let index = if self.per_cell == 0 {
            u64::from(id)
        } else {
            u64::from(slot) * u64::from(self.per_cell) + u64::from(id) - 1
        };
        block(self.first, index).ok_or_else(|| {
            let message = format!(
                "the addresses of {} are used up: there is no block {index} after {}",
                self.key, self.first
            );
            let help = "start lower, use smaller blocks, or `perCell: 0` when cells do not route to each other";
            self.problem(path, message, help)
        })
    }

    fn explicit(&self, text: &str, path: &Path) -> Result<Ipv4Net, Problems> {
        parse(
            text,
            Place::value(self.source, path.join(self.explicit)),
            SMALLEST_CLUSTER,
        )
    }

    fn problem(&self, path: &Path, message: String, help: &str) -> Problems {
        let mut problem = Problem::at(Place::value(self.source, path.clone()), message).help(help);
        let pool = path!["spec", "addresses", self.key];
        if Node::parse(self.source).is_ok_and(|node| node.get(&pool).is_some()) {
            problem = problem.related(Place::value(self.source, pool), "the pool");
        }
        problem.into()
    }
}

/// Prefix of the smallest network of pods or services.
const SMALLEST_CLUSTER: u8 = 24;
/// Prefix of the smallest block of load-balancer addresses: the first address is the network's, the second the cluster's.
const SMALLEST_POOL: u8 = 30;

/// A CIDR without host bits, large enough for the addresses that we derive from it.
fn parse(text: &str, place: Place, smallest: u8) -> Result<Ipv4Net, Problems> {
    let Ok(net) = text.parse::<Ipv4Net>() else {
        let help = "write its address and the length of its prefix, for example 10.41.0.0/16";
        return Err(Problem::at(place, format!("`{text}` is not an IPv4 network"))
            .help(help)
            .into());
    };
    if net.trunc() != net {
        let message = format!("`{text}` has host bits set");
        return Err(Problem::at(place, message)
            .help(format!("the network is {}", net.trunc()))
            .into());
    }
    if net.prefix_len() > smallest {
        let message = format!("`{text}` is too small for a cluster");
        return Err(Problem::at(place, message)
            .help(format!("use a /{smallest} or larger"))
            .into());
    }
    Ok(net)
}
