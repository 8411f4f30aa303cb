//! The order of steps.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

use super::step::Step;
use crate::core::problem::{Problem, Problems};

/// Steps in an order in which they can run one by one.
#[derive(Debug)]
pub struct Graph {
    /// The steps.
    pub steps: Vec<Step>,
    /// For each step the places of those that must be done before.
    pub before: Vec<Vec<usize>>,
}

impl Graph {
    /// Orders steps; of those that are ready, the one that comes first in `steps` comes first.
    ///
    /// # Errors
    /// Ids that are used twice, needs that no step meets, rings.
    pub fn new(steps: Vec<Step>) -> Result<Self, Problems> {
        let places = places(&steps)?;
        let before = edges(&steps, &places)?;
        let order = order(&steps, &before)?;
        let mut place = vec![0; steps.len()];
        for (new, old) in order.iter().enumerate() {
            place[*old] = new;
        }
        let mut sorted: Vec<(usize, Step)> = steps.into_iter().enumerate().collect();
        sorted.sort_by_key(|(old, _)| place[*old]);
        let before = sorted
            .iter()
            .map(|(old, _)| before[*old].iter().map(|earlier| place[*earlier]).collect())
            .collect();
        let steps = sorted.into_iter().map(|(_, step)| step).collect();
        Ok(Self { steps, before })
    }

    /// The steps of these clusters and all that they need.
    pub fn only(self, clusters: &[String]) -> Self {
        let mut chosen = BTreeSet::new();
        let belongs = |step: &Step| {
            let cluster = step.cluster.as_ref();
            cluster.is_some_and(|cluster| clusters.iter().any(|name| name == cluster.as_str()))
        };
        // Backwards: what a step needs comes before it.
        for at in (0..self.steps.len()).rev() {
            if belongs(&self.steps[at]) || chosen.contains(&at) {
                chosen.insert(at);
                let needs = &self.steps[at].needs;
                chosen.extend(
                    self.before[at]
                        .iter()
                        .filter(|before| needs.contains(&self.steps[**before].id)),
                );
            }
        }
        let new: BTreeMap<usize, usize> = chosen.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        let renumbered = |before: &Vec<usize>| before.iter().filter_map(|old| new.get(old).copied()).collect();
        let before = chosen.iter().map(|old| renumbered(&self.before[*old])).collect();
        let steps = self.steps.into_iter().enumerate();
        let steps = steps
            .filter(|(at, _)| chosen.contains(at))
            .map(|(_, step)| step)
            .collect();
        Self { steps, before }
    }
}

/// Where each step is.
fn places(steps: &[Step]) -> Result<BTreeMap<String, usize>, Problems> {
    let mut places = BTreeMap::new();
    let mut problems = Problems::default();
    for (at, step) in steps.iter().enumerate() {
        if places.insert(step.id.clone(), at).is_some() {
            problems.push(Problem::new(format!("two steps have the id `{}`", step.id)));
        }
    }
    problems.or(places)
}

/// For each step the places of those before it, in order, each once.
fn edges(steps: &[Step], places: &BTreeMap<String, usize>) -> Result<Vec<Vec<usize>>, Problems> {
    let mut problems = Problems::default();
    let mut all = Vec::new();
    for step in steps {
        let mut before = BTreeSet::new();
        for need in &step.needs {
            match places.get(need) {
                Some(place) => drop(before.insert(*place)),
                None => problems.push(Problem::new(format!(
                    "step `{}` needs `{need}`, which is no step",
                    step.id
                ))),
            }
        }
        before.extend(step.after.iter().filter_map(|id| places.get(id)));
        all.push(before.into_iter().collect());
    }
    problems.or(all)
}

fn order(steps: &[Step], before: &[Vec<usize>]) -> Result<Vec<usize>, Problems> {
    let mut graph = DiGraph::<(), ()>::new();
    // Backwards: the sort gives of equals the one that was added last first.
    let mut nodes = vec![NodeIndex::end(); steps.len()];
    for at in (0..steps.len()).rev() {
        nodes[at] = graph.add_node(());
    }
    for (at, before) in before.iter().enumerate() {
        for earlier in before {
            graph.add_edge(nodes[*earlier], nodes[at], ());
        }
    }
    let step_of = |node: NodeIndex| steps.len() - 1 - node.index();
    let sorted = toposort(&graph, None).map_err(|_| {
        let rings = tarjan_scc(&graph).into_iter().filter(|ring| ring.len() > 1);
        rings
            .map(|ring| {
                let mut names: Vec<&str> = ring.into_iter().map(|node| steps[step_of(node)].id.as_str()).collect();
                names.sort_unstable();
                Problem::new(format!("these steps wait for each other: {}", names.join(", ")))
            })
            .collect::<Problems>()
    })?;
    Ok(sorted.into_iter().map(step_of).collect())
}
