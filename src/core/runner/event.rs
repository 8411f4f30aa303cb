//! What happens in a run, as values that programs may read.

use serde::Serialize;

/// Something that happened to a step.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// The step's id.
    pub step: String,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened to a step. One of `skipped`, `done`, `failed`, `blocked` and `stopped` is its last event.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum What {
    /// Its check held: there was nothing to do.
    Skipped,
    /// It acts.
    Started,
    /// It waits for its check to hold.
    Waiting {
        /// What the check shows, for example `3/7`.
        shows: String,
    },
    /// A command failed and is tried again.
    Retried {
        /// The attempt that comes next, from 2.
        attempt: u32,
        /// How many there are at most.
        of: u32,
        /// What went wrong.
        why: String,
    },
    /// It acted, and its check holds.
    Done {
        /// How long it took, in seconds.
        seconds: f64,
    },
    /// It did not do what it should.
    Failed {
        /// What went wrong: the command, its exit code, what it said.
        why: String,
        /// Where to look.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// A step that it needs failed.
    Blocked {
        /// That step.
        by: String,
    },
    /// The user ended the run while it acted.
    Stopped,
}

impl What {
    /// Whether nothing more happens to the step.
    pub fn is_last(&self) -> bool {
        !matches!(self, Self::Started | Self::Waiting { .. } | Self::Retried { .. })
    }
}
