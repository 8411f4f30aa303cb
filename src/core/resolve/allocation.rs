//! Numbers that must never move: a slot for each cell, an id for each cluster in its cell.
//!
//! Everything else about addresses is arithmetic on them, so these two numbers are all that the lock stores.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::core::problem::{Problem, Problems};
use crate::core::source::{Path, Place, Source};
use crate::core::yaml;
use crate::path;

/// `blueprints/<lab>.lock/allocations.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allocations {
    /// Slot and ids of each cell.
    pub cells: BTreeMap<String, CellAllocation>,
}

/// Numbers of one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellAllocation {
    /// Its number, from 1.
    pub slot: u32,
    /// The number of each cluster, from 1.
    #[serde(default)]
    pub clusters: BTreeMap<String, u32>,
}

impl Allocations {
    /// Numbers for exactly these cells and clusters: known ones keep theirs, new ones take the lowest that was free before this render too.
    ///
    /// A number that a cell or cluster gives up is not taken by another in the same render: its addresses may still be in use.
    pub fn extend<'a>(&self, wanted: impl IntoIterator<Item = (&'a str, Vec<&'a str>)>) -> Self {
        let mut slots = Numbers::taken(self.cells.values().map(|cell| cell.slot));
        let mut next = Self::default();
        for (name, clusters) in wanted {
            let known = self.cells.get(name);
            let mut ids = Numbers::taken(known.into_iter().flat_map(|cell| cell.clusters.values().copied()));
            let id_of = |cluster: &str| known.and_then(|cell| cell.clusters.get(cluster)).copied();
            let clusters = clusters
                .into_iter()
                .map(|cluster| (cluster.to_owned(), id_of(cluster).unwrap_or_else(|| ids.next())));
            let clusters = clusters.collect();
            let slot = known.map_or_else(|| slots.next(), |cell| cell.slot);
            next.cells.insert(name.to_owned(), CellAllocation { slot, clusters });
        }
        next
    }
}

/// Reads `allocations.yaml`.
///
/// # Errors
/// What is no list of allocations, and numbers that are 0 or taken twice, as after a merge of two branches.
pub fn read(source: &Arc<Source>) -> Result<Allocations, Problems> {
    let allocations: Allocations = yaml::read(source)?;
    let slots = allocations.cells.iter().map(|(name, cell)| {
        let path = path!["cells", name, "slot"];
        (cell.slot, name, path)
    });
    let mut problems = clashes(source, "slot", slots);
    for (name, cell) in &allocations.cells {
        let ids = cell
            .clusters
            .iter()
            .map(|(cluster, id)| (*id, cluster, path!["cells", name, "clusters", cluster]));
        problems.extend(clashes(source, "id", ids));
    }
    problems.or(allocations)
}

fn clashes<'a>(source: &Arc<Source>, what: &str, numbers: impl Iterator<Item = (u32, &'a String, Path)>) -> Problems {
    let mut owners: BTreeMap<u32, &str> = BTreeMap::new();
    let mut problems = Problems::default();
    for (number, name, path) in numbers {
        let place = Place::value(source, path);
        if number == 0 {
            let problem = Problem::at(place, format!("`{name}` has {what} 0; they count from 1"));
            problems.push(problem.help("restore the lock from Git"));
        } else if let Some(first) = owners.insert(number, name) {
            let problem = Problem::at(place, format!("`{first}` and `{name}` both have {what} {number}"));
            problems.push(
                problem.help("keep the older entry; remove the other one, and render: it gets a number of its own"),
            );
        }
    }
    problems
}

/// Numbers from 1 of which some are taken.
struct Numbers {
    taken: BTreeSet<u32>,
    lowest: u32,
}

impl Numbers {
    fn taken(numbers: impl Iterator<Item = u32>) -> Self {
        Self {
            taken: numbers.collect(),
            lowest: 1,
        }
    }

    fn next(&mut self) -> u32 {
        while self.taken.contains(&self.lowest) {
            self.lowest += 1;
        }
        self.taken.insert(self.lowest);
        self.lowest
    }
}

/// The block `index` places after `first`, if it is still inside the private range (RFC 1918) that `first` belongs to.
pub(super) fn block(first: Ipv4Net, index: u64) -> Option<Ipv4Net> {
    let size = 1u64 << (32 - u32::from(first.prefix_len()));
    let start = index
        .checked_mul(size)?
        .checked_add(u32::from(first.network()).into())?;
    let last = start.checked_add(size - 1)?;
    let (_, end) = range_of(first.network());
    let start = u32::try_from(start).ok()?;
    (last <= u64::from(u32::from(end)))
        .then(|| Ipv4Net::new(Ipv4Addr::from(start), first.prefix_len()).ok())
        .flatten()
}

/// The private range of an address, or all addresses.
fn range_of(address: Ipv4Addr) -> (Ipv4Addr, Ipv4Addr) {
    let ranges = [
        (Ipv4Addr::new(10, 0, 0, 0), Ipv4Addr::new(10, 255, 255, 255)),
        (Ipv4Addr::new(172, 16, 0, 0), Ipv4Addr::new(172, 31, 255, 255)),
        (Ipv4Addr::new(192, 168, 0, 0), Ipv4Addr::new(192, 168, 255, 255)),
    ];
    let found = ranges
        .into_iter()
        .find(|(first, last)| (*first..=*last).contains(&address));
    found.unwrap_or((Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(allocations: &Allocations) -> Vec<(&str, u32)> {
        allocations
            .cells
            .iter()
            .map(|(name, cell)| (name.as_str(), cell.slot))
            .collect()
    }

    #[test]
    fn names_keep_their_numbers_whatever_the_order() {
        let first = Allocations::default().extend([("pasta", vec!["pasta-1"]), ("pizza", vec!["pizza-1", "pizza-2"])]);
        let second = first.extend([
            ("gelato", vec![]),
            ("pizza", vec!["pizza-0", "pizza-2"]),
            ("pasta", vec!["pasta-1"]),
        ]);
        assert_eq!(slots(&second), [("gelato", 3), ("pasta", 1), ("pizza", 2)]);
        assert_eq!(
            second.cells["pizza"].clusters,
            BTreeMap::from([("pizza-0".to_owned(), 3), ("pizza-2".to_owned(), 2)])
        );
    }

    #[test]
    fn a_freed_number_rests_for_one_render() {
        let first = Allocations::default().extend([("a", vec![]), ("b", vec![])]);
        let renamed = first.extend([("b", vec![]), ("c", vec![])]);
        assert_eq!(slots(&renamed), [("b", 2), ("c", 3)]);
        let later = renamed.extend([("b", vec![]), ("c", vec![]), ("d", vec![])]);
        assert_eq!(slots(&later), [("b", 2), ("c", 3), ("d", 1)]);
    }

    #[test]
    fn blocks_stay_in_their_private_range() {
        let first: Ipv4Net = "10.41.0.0/16".parse().unwrap();
        assert_eq!(block(first, 21), Some("10.62.0.0/16".parse().unwrap()));
        assert_eq!(block(first, 214), Some("10.255.0.0/16".parse().unwrap()));
        assert_eq!(block(first, 215), None);
        assert_eq!(block("172.30.0.0/16".parse().unwrap(), 2), None);
        assert_eq!(block("255.255.255.0/24".parse().unwrap(), 1), None);
    }
}
