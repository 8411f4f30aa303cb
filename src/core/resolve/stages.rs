//! Stages: the steps in which a lab adopts what it will have in the end.
//!
//! The blueprint lists them in order (`stages`), an instance or its component says to which it belongs, and `settings.stage` how far the
//! clusters are. What belongs to a later stage is left out; that each stage can stand without the later ones is checked at every stage.

use std::sync::Arc;

use super::placement::Instances;
use super::populate::place_of;
use crate::core::blueprint::Spec;
use crate::core::catalog::Component;
use crate::core::dag::implied;
use crate::core::lab::{Choice, Cluster, Instance, Lab};
use crate::core::name::is_label;
use crate::core::problem::{Problem, Problems};
use crate::core::source::{Path, Place, Source};
use crate::path;

/// Everything that is wrong with the names of stages in a blueprint.
pub(super) fn of_texts(spec: &Spec, source: &Arc<Source>) -> Vec<Problem> {
    let listed = spec.stages.iter().enumerate().filter_map(|(i, name)| {
        let place = Place::value(source, path!["spec", "stages", i]);
        if !is_label(name) {
            let help = "use letters, digits and -, for example gateway";
            return Some(Problem::at(place, format!("`{name}` is not a legal name of a stage")).help(help));
        }
        let first = spec.stages.iter().position(|other| other == name)?;
        (first < i).then(|| {
            let problem = Problem::at(place, format!("the stage `{name}` is listed twice"));
            let first = Place::value(source, path!["spec", "stages", first]);
            problem.related(first, "first listed here").help("remove one of them")
        })
    });
    let named = named(spec).filter_map(|(path, name)| unknown(&spec.stages, name, Place::value(source, path)));
    listed.chain(named).collect()
}

/// Where a blueprint names stages, beside the list.
fn named(spec: &Spec) -> impl Iterator<Item = (Path, &str)> {
    let base = (
        path!["spec", "settings"],
        &spec.settings.stage,
        &spec.settings.components,
    );
    let overrides = spec.overrides.iter().enumerate();
    let layers = overrides.map(|(i, over)| (path!["spec", "overrides", i], &over.stage, &over.components));
    std::iter::once(base)
        .chain(layers)
        .flat_map(|(path, stage, components)| {
            let of_layer = stage.as_deref().map(|stage| (path.join("stage"), stage));
            let of_instances = components.iter().filter_map(move |(name, settings)| {
                let stage = settings.as_ref()?.stage.as_deref()?;
                Some((path.join("components").join(name).join("stage"), stage))
            });
            of_layer.into_iter().chain(of_instances)
        })
}

fn unknown(stages: &[String], name: &str, place: Place) -> Option<Problem> {
    if stages.iter().any(|stage| stage == name) {
        return None;
    }
    let problem = Problem::at(place, format!("there is no stage `{name}`"));
    let help = if stages.is_empty() {
        "list the lab's stages, first to last: `stages: [gateway, traffic]` in `spec`".to_owned()
    } else {
        format!("the lab's stages, first to last: {}", stages.join(", "))
    };
    Some(problem.help(help).did_you_mean(name, stages.iter().map(String::as_str)))
}

/// The stage that an instance belongs to, as an index; none: it is always there. A lab without stages leaves those of components aside.
///
/// # Errors
/// A component's stage that the lab does not have.
pub(super) fn stage_of(lab: &Lab, component: &Component, choice: &Choice) -> Result<Option<usize>, Problems> {
    let name = choice.stage.as_ref().or(component.file.stage.as_ref());
    let Some(name) = name.filter(|_| !lab.stages.is_empty()) else {
        return Ok(None);
    };
    // Those of the blueprint are known to be in its list.
    match unknown(&lab.stages, name, Place::value(&component.source, path!["stage"])) {
        None => Ok(lab.stages.iter().position(|stage| stage == name)),
        Some(problem) => {
            let listed = lab.stages.join(", ");
            let help = format!(
                "the lab's stages are {listed}: give its instance one of them, `components: {{<instance>: {{stage: …}}}}`"
            );
            Err(problem.help(help).into())
        }
    }
}

/// Whether a cluster has not come as far as what the blueprint names.
pub(super) fn awaited(lab: &Lab, cluster: &Cluster, component: &Component, choice: &Choice) -> bool {
    stage_of(lab, component, choice).is_ok_and(|stage| stage > current(lab, cluster))
}

fn current(lab: &Lab, cluster: &Cluster) -> Option<usize> {
    lab.stages.iter().position(|stage| *stage == cluster.settings.stage)
}

/// What is there of `all` at the stage of the cluster, and what will be.
///
/// # Errors
/// Instances that require what comes in a later stage than theirs, whatever the stage of the cluster is now.
pub(super) fn reached(lab: &Lab, cluster: &Cluster, all: Instances) -> Result<(Instances, Instances), Problems> {
    if lab.stages.is_empty() {
        return Ok((all, Instances::new()));
    }
    let ours = all.values().filter(|instance| !instance.external);
    let problems: Problems = ours
        .flat_map(|instance| too_early(lab, cluster, &all, instance))
        .collect();
    let current = current(lab, cluster);
    problems.or(all.into_iter().partition(|(_, instance)| instance.stage <= current))
}

/// What an instance requires and what comes later than it.
fn too_early(lab: &Lab, cluster: &Cluster, all: &Instances, instance: &Instance) -> Vec<Problem> {
    let mut wanted: Vec<&str> = implied(&instance.component, lab.secrets.backend).collect();
    wanted.extend(instance.component.file.requires.iter().map(String::as_str));
    let first_of = |wanted: &&str| {
        let providers = all.values().filter(|one| one.component.satisfies(wanted));
        providers.min_by_key(|one| one.stage)
    };
    let late = wanted
        .iter()
        .filter_map(first_of)
        .filter(|first| first.stage > instance.stage);
    late.map(|late| out_of_order(lab, cluster, instance, late)).collect()
}

fn out_of_order(lab: &Lab, cluster: &Cluster, instance: &Instance, late: &Instance) -> Problem {
    let (own, later) = (lab.stage_name(instance.stage), lab.stage_name(late.stage));
    let what = if own.is_empty() {
        "is there from the start".to_owned()
    } else {
        format!("belongs to stage `{own}`")
    };
    let message = format!(
        "`{}` {what} and requires `{}`, which comes later, with stage `{later}`",
        instance.name, late.name
    );
    let help = format!(
        "let `{}` come with `{later}` or later (`stage: {later}`), or `{}` earlier",
        instance.name, late.name
    );
    Problem::at(place_of(lab, cluster, instance), message).help(help)
}
