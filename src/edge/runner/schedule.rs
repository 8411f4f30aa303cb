//! Which step runs when.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::{Runner, Summary, WORKERS, act};
use crate::core::runner::{Event, Graph, What};

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Running,
    Skipped,
    Done,
    Failed,
    Blocked,
    Stopped,
}

impl State {
    fn is_over(self) -> bool {
        !matches!(self, Self::Open | Self::Running)
    }

    fn is_good(self) -> bool {
        matches!(self, Self::Skipped | Self::Done)
    }
}

/// What the workers share.
struct Board<'a> {
    graph: &'a Graph,
    runner: &'a Runner<'a>,
    places: Mutex<Places<'a>>,
    changed: Condvar,
}

struct Places<'a> {
    states: Vec<State>,
    /// Locks of running steps.
    locks: BTreeSet<&'a str>,
}

/// What a worker does next.
enum Next {
    Run(usize),
    Block(usize, String),
    Wait,
    End,
}

pub(super) fn run(runner: &Runner<'_>, graph: &Graph) -> Summary {
    let board = Board {
        graph,
        runner,
        places: Mutex::new(Places {
            states: vec![State::Open; graph.steps.len()],
            locks: BTreeSet::new(),
        }),
        changed: Condvar::new(),
    };
    let workers = NonZeroUsize::new(graph.steps.len()).map_or(0, |steps| steps.get().min(WORKERS));
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| board.work());
        }
    });
    let places = board.lock();
    let count = |states: &[State]| places.states.iter().filter(|state| states.contains(state)).count();
    Summary {
        skipped: count(&[State::Skipped]),
        done: count(&[State::Done]),
        failed: count(&[State::Failed]),
        left: count(&[State::Open, State::Blocked, State::Stopped]),
    }
}

impl<'a> Board<'a> {
    fn lock(&self) -> MutexGuard<'_, Places<'a>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        loop {
            let mut places = self.lock();
            let next = loop {
                match self.next(&places) {
                    Next::Wait => places = self.changed.wait(places).unwrap_or_else(PoisonError::into_inner),
                    next => break next,
                }
            };
            match next {
                Next::Run(at) => {
                    places.states[at] = State::Running;
                    places.locks.extend(self.graph.steps[at].lock.as_deref());
                    drop(places);
                    self.end(at, act::step(self.runner, &self.graph.steps[at]));
                }
                Next::Block(at, by) => {
                    places.states[at] = State::Running;
                    drop(places);
                    self.end(at, What::Blocked { by });
                }
                Next::Wait | Next::End => break,
            }
        }
        self.changed.notify_all();
    }

    /// Of the steps that are ready the first.
    fn next(&self, places: &Places<'_>) -> Next {
        let mut all_over = true;
        for (at, step) in self.graph.steps.iter().enumerate() {
            let state = places.states[at];
            all_over &= state.is_over();
            let before = &self.graph.before[at];
            if state != State::Open || !before.iter().all(|earlier| places.states[*earlier].is_over()) {
                continue;
            }
            let failed = before.iter().find(|earlier| {
                !places.states[**earlier].is_good() && step.needs.contains(&self.graph.steps[**earlier].id)
            });
            if let Some(failed) = failed {
                return Next::Block(at, self.graph.steps[*failed].id.clone());
            }
            let is_locked = step.lock.as_deref().is_some_and(|lock| places.locks.contains(lock));
            if !is_locked && !self.runner.stop.is_wanted() {
                return Next::Run(at);
            }
        }
        // Who is told to stop leaves the rest; those that run still tell when they are over.
        if all_over || self.runner.stop.is_wanted() {
            Next::End
        } else {
            Next::Wait
        }
    }

    /// Enters how a step ended, and tells it.
    fn end(&self, at: usize, what: What) {
        let step = &self.graph.steps[at];
        let state = match what {
            What::Skipped => State::Skipped,
            What::Blocked { .. } => State::Blocked,
            What::Failed { .. } => State::Failed,
            What::Stopped => State::Stopped,
            What::Done { .. } | What::Started | What::Waiting { .. } | What::Retried { .. } => State::Done,
        };
        (self.runner.observer)(Event {
            step: step.id.clone(),
            what,
        });
        let mut places = self.lock();
        places.states[at] = state;
        // Who was blocked never had it: another may have it now.
        if let Some(lock) = step.lock.as_ref().filter(|_| state != State::Blocked) {
            places.locks.remove(lock.as_str());
        }
        drop(places);
        self.changed.notify_all();
    }
}
