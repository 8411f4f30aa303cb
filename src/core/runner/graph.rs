//! The order of steps.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

use super::step::{Act, Step};
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
    /// Orders steps in waves: first those that wait for nothing, then those that wait for these only, and so on; in a wave as they are given.
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

    /// Every program that the steps call.
    pub fn programs(&self) -> BTreeSet<&str> {
        let mut programs = BTreeSet::new();
        for step in &self.steps {
            programs.extend(step.check.iter().map(|probe| probe.command.program.as_str()));
            for act in &step.action {
                if let Act::Run(command) = act {
                    programs.insert(command.program.as_str());
                    programs.extend(command.unless.iter().map(|probe| probe.command.program.as_str()));
                }
            }
        }
        programs
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
    let nodes: Vec<NodeIndex> = steps.iter().map(|_| graph.add_node(())).collect();
    for (at, before) in before.iter().enumerate() {
        for earlier in before {
            graph.add_edge(nodes[*earlier], nodes[at], ());
        }
    }
    let sorted = toposort(&graph, None).map_err(|_| {
        let rings = tarjan_scc(&graph).into_iter().filter(|ring| ring.len() > 1);
        rings
            .map(|ring| {
                let mut names: Vec<&str> = ring.into_iter().map(|node| steps[node.index()].id.as_str()).collect();
                names.sort_unstable();
                Problem::new(format!("these steps wait for each other: {}", names.join(", ")))
            })
            .collect::<Problems>()
    })?;
    let mut waves = vec![0_usize; steps.len()];
    for node in sorted {
        let earlier = before[node.index()].iter().map(|earlier| waves[*earlier] + 1);
        waves[node.index()] = earlier.max().unwrap_or_default();
    }
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|at| waves[*at]);
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::name::ClusterName;

    fn ids(graph: &Graph) -> Vec<&str> {
        graph.steps.iter().map(|step| step.id.as_str()).collect()
    }

    fn message(steps: Vec<Step>) -> String {
        Graph::new(steps).unwrap_err().report(false)
    }

    #[test]
    fn waves_keep_the_order_in_which_steps_are_given() {
        let graph = Graph::new(vec![
            Step::new("b/2", "").needs("b/1"),
            Step::new("b/1", "").after("a/1"),
            Step::new("a/1", ""),
            Step::new("c/1", "").after("absent"),
        ])
        .unwrap();
        assert_eq!(ids(&graph), ["a/1", "c/1", "b/1", "b/2"]);
        assert_eq!(graph.before, [vec![], vec![], vec![0], vec![2]]);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let twice = message(vec![Step::new("a", ""), Step::new("a", "")]);
        assert!(twice.contains("two steps have the id `a`"), "{twice}");
        let unmet = message(vec![Step::new("a", "").needs("b")]);
        assert!(unmet.contains("step `a` needs `b`, which is no step"), "{unmet}");
        let ring = message(vec![Step::new("a", "").needs("b"), Step::new("b", "").after("a")]);
        assert!(ring.contains("wait for each other: a, b"), "{ring}");
    }

    #[test]
    fn a_cluster_brings_what_it_needs_and_not_what_it_only_follows() {
        let [one, two] = ["one", "two"].map(|name| ClusterName::new(name).unwrap());
        let graph = Graph::new(vec![
            Step::new("registry", ""),
            Step::new("machine/one", "").of(&one).needs("registry"),
            Step::new("machine/two", "").of(&two).needs("registry"),
            Step::new("hosts/one", "")
                .of(&one)
                .needs("machine/one")
                .after("machine/two"),
            Step::new("root", "").needs("machine/one"),
        ])
        .unwrap()
        .only(&["one".to_owned()]);
        assert_eq!(ids(&graph), ["registry", "machine/one", "hosts/one"]);
        assert_eq!(graph.before, [vec![], vec![0], vec![1]]);
    }
}
