//! What k3s installed first goes over to Argo CD: its objects of kind `HelmChart` stay, and k3s looks at them no longer. Deleting one would uninstall what it installed.

use super::super::kubeconfig::kubectl;
use super::{Context, Step, bootstrap, read};
use crate::core::daily::doctor::charts_come_with_machine;
use crate::core::lab::{Cluster, Instance};
use crate::core::runner::step::Probe;

/// The annotation by which k3s leaves a HelmChart alone (k3s-io/helm-controller).
const UNMANAGED: &str = "helmcharts.helm.cattle.io/unmanaged";

/// A step per cluster whose machine installed charts.
pub(super) fn steps(context: Context<'_>) -> Vec<Step> {
    context
        .lab
        .active()
        .filter_map(|cluster| step(context, cluster))
        .collect()
}

/// Charts that the machine's cloud-init gave to k3s.
fn charts(cluster: &Cluster) -> Vec<&Instance> {
    let by_k3s = charts_come_with_machine(cluster);
    let instances = cluster
        .instances
        .values()
        .filter(|one| by_k3s && !one.external && one.chart.is_some());
    instances.filter(|one| one.component.bootstrap.is_some()).collect()
}

fn step(context: Context<'_>, cluster: &Cluster) -> Option<Step> {
    let charts = charts(cluster);
    if charts.is_empty() {
        return None;
    }
    let mut step = Step::new(
        format!("handover/{}", cluster.name),
        format!("hand over what k3s installed on {}", cluster.name),
    )
    .needs(bootstrap::DONE);
    for chart in charts {
        let object = format!("helmchart.helm.cattle.io/{}", chart.release);
        let template = format!("{{{{index .metadata.annotations \"{UNMANAGED}\"}}}}");
        step = step
            .check(Probe::new(read(context.paths, &cluster.name, "kube-system", &object, &template)).output("true"))
            .run(
                kubectl(context.paths, cluster.name.as_str())
                    .args(["--namespace", "kube-system", "annotate", "--overwrite", &object])
                    .arg(format!("{UNMANAGED}=true"))
                    .patience(3, 2),
            );
    }
    Some(step)
}
