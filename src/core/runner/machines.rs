//! Machines and the clusters on them: each provider's part.

use super::plan::Context;
use super::provider;
use super::step::Step;

/// Steps of all clusters that are in use.
pub(super) fn steps(context: Context<'_>) -> Vec<Step> {
    context
        .lab
        .active()
        .flat_map(|cluster| provider::of(cluster).up(context, cluster))
        .collect()
}
