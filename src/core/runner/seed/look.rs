//! What the states of workflows, Applications and pods say to somebody who waits, or wants to know why it did not work.

use crate::core::daily::status::Seen;
use crate::core::value::Value;

/// How many of those that are not well are named.
const SHOWN: usize = 10;

/// How far a workflow is, and what it is about.
pub(super) fn tasks(workflow: &str) -> Vec<String> {
    let workflow = read(workflow);
    let Some(progress) = workflow["status"]["progress"].as_str() else {
        return Vec::new();
    };
    let mut running: Vec<&str> = nodes(&workflow, &["Running"])
        .map(|node| text(&node["displayName"]))
        .collect();
    running.sort_unstable();
    running.dedup();
    let about = match running.as_slice() {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    };
    vec![format!("{progress} tasks{about}")]
}

/// The tasks that failed, with what they said.
pub(super) fn failed_tasks(workflow: &str) -> Vec<String> {
    let workflow = read(workflow);
    let failed = nodes(&workflow, &["Failed", "Error"]);
    let mut lines: Vec<String> = failed
        .map(|node| {
            format!(
                "task {}: {}",
                text(&node["displayName"]),
                first_line(text(&node["message"]))
            )
        })
        .collect();
    if let Some(message) = workflow["status"]["message"].as_str().filter(|_| lines.is_empty()) {
        lines.push(format!("the workflow: {}", first_line(message)));
    }
    shortened(lines)
}

/// Nodes that run pods, in some phases. The others only hold them together.
fn nodes<'a>(workflow: &'a Value, phases: &'a [&str]) -> impl Iterator<Item = &'a Value> {
    let nodes = workflow["status"]["nodes"]
        .as_object()
        .into_iter()
        .flat_map(|nodes| nodes.values());
    nodes.filter(|node| node["type"] == "Pod" && phases.iter().any(|phase| node["phase"] == *phase))
}

/// How many Applications are healthy.
pub(super) fn healthy(list: &str) -> Vec<String> {
    let Seen(applications) = Seen::read(&read(list));
    if applications.is_empty() {
        return Vec::new();
    }
    let healthy = applications.values().filter(|state| state.is_healthy()).count();
    vec![format!("{healthy}/{} Applications healthy", applications.len())]
}

/// The Applications that are not what they should be, with what Argo CD says.
pub(super) fn unwell(list: &str) -> Vec<String> {
    let Seen(applications) = Seen::read(&read(list));
    let unwell = applications
        .iter()
        .filter(|(_, state)| !(state.is_synced() && state.is_healthy()));
    shortened(
        unwell
            .map(|(name, state)| format!("Application {name}: {state}"))
            .collect(),
    )
}

/// Containers that wait for something, with what Kubernetes says.
pub(super) fn waiting_pods(list: &str) -> Vec<String> {
    let list = read(list);
    let pods = list["items"].as_array().into_iter().flatten();
    let waiting = pods.flat_map(|pod| {
        let name = text(&pod["metadata"]["name"]);
        let containers = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
        let waiting = containers
            .map(|container| &container["state"]["waiting"])
            .filter(|waiting| waiting.is_object());
        waiting.map(move |waiting| {
            format!(
                "pod {name}: {}: {}",
                text(&waiting["reason"]),
                first_line(text(&waiting["message"]))
            )
        })
    });
    shortened(waiting.collect())
}

fn shortened(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
        .into_iter()
        .map(|line| line.trim_end_matches(": ").to_owned())
        .collect()
}

fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or(Value::Null)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_tells_what_it_is_about_and_why_it_failed() {
        let workflow = r#"{"status": {"progress": "2/5", "nodes": {
            "a": {"type": "DAG", "phase": "Running", "displayName": "bootstrap"},
            "b": {"type": "Pod", "phase": "Running", "displayName": "istio-cni"},
            "c": {"type": "Pod", "phase": "Failed", "displayName": "cilium", "message": "exit code 1\nmore"}}}}"#;
        assert_eq!(tasks(workflow), ["2/5 tasks (istio-cni)"]);
        assert_eq!(failed_tasks(workflow), ["task cilium: exit code 1"]);
        assert_eq!(tasks("no JSON"), Vec::<String>::new());
        let early = r#"{"status": {"phase": "Error", "message": "no such template"}}"#;
        assert_eq!(failed_tasks(early), ["the workflow: no such template"]);
    }

    #[test]
    fn applications_and_pods_that_are_not_well_are_named() {
        let list = r#"{"items": [{"metadata": {"name": "a-x"}, "status": {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}}},
            {"metadata": {"name": "a-y"}, "status": {"sync": {"status": "Unknown"}, "conditions": [{"message": "no access"}]}}]}"#;
        assert_eq!(healthy(list), ["1/2 Applications healthy"]);
        assert_eq!(unwell(list), ["Application a-y: Unknown, Unknown: no access"]);
        let pods = r#"{"items": [{"metadata": {"name": "p"}, "status": {"containerStatuses": [
            {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}}, {"state": {"running": {}}}]}}]}"#;
        assert_eq!(waiting_pods(pods), ["pod p: ImagePullBackOff: Back-off"]);
    }
}
