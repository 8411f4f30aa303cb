//! How a run looks: lines for people, with a line of progress on a terminal, or an object a line for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::print::counted;
use super::{Code, Format, Printer};
use crate::core::runner::{Event, Graph, Step, What};
use crate::edge::runner::{Stop, Summary};

/// Tells what happens in a run.
pub(super) struct Progress<'a> {
    steps: BTreeMap<&'a str, &'a Step>,
    format: Format,
    printer: &'a Printer,
    stop: &'a Stop,
    bar: ProgressBar,
    start: Instant,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    running: BTreeSet<String>,
    /// What to say at the end: a failed step, why, and where to look.
    failed: Vec<String>,
    blocked: usize,
    told_to_stop: bool,
}

impl<'a> Progress<'a> {
    pub(super) fn new(graph: &'a Graph, format: Format, printer: &'a Printer, stop: &'a Stop) -> Self {
        let target = match format {
            Format::Text if printer.is_live() => ProgressDrawTarget::stderr(),
            _ => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(graph.steps.len() as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len}  {elapsed}  {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            steps: graph.steps.iter().map(|step| (step.id.as_str(), step)).collect(),
            format,
            printer,
            stop,
            bar,
            start: Instant::now(),
            live: Mutex::default(),
        }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first word.
    pub(super) fn begin(&self, command: &str, lab: &str) {
        if self.format == Format::Json {
            let step = |step: &&Step| json!({"step": step.id, "title": step.title, "cluster": step.cluster, "needs": step.needs});
            let steps: Vec<_> = self.steps.values().map(step).collect();
            line(&json!({"event": "begin", "command": command, "lab": lab, "steps": steps}));
        }
    }

    /// Something happened to a step.
    pub(super) fn tell(&self, event: &Event) {
        let mut live = self.live();
        live.follow(event);
        match self.format {
            Format::Json => line(&json!(event)),
            Format::Text => {
                self.bar
                    .set_message(live.running.iter().cloned().collect::<Vec<_>>().join(", "));
                if event.what.is_last() {
                    self.bar.inc(1);
                }
                if let Some(text) = self.text(event) {
                    self.bar.suspend(|| self.printer.note(&text));
                }
                if let What::Failed { why, hint } = &event.what {
                    live.failed.push(self.report(&event.step, why, hint.as_deref()));
                }
                if self.stop.is_wanted() && !live.told_to_stop {
                    live.told_to_stop = true;
                    self.bar
                        .suspend(|| self.printer.note("ending: commands that run are asked to end"));
                }
            }
        }
    }

    /// A line about a step; none, if only the curious want to know.
    fn text(&self, event: &Event) -> Option<String> {
        let id = &event.step;
        let title = self.steps.get(id.as_str()).map_or("", |step| step.title.as_str());
        match &event.what {
            What::Skipped => {
                self.bar
                    .suspend(|| self.printer.detail(&format!("{id}: nothing to do")));
                None
            }
            What::Started => Some(format!("{id}: {title}")),
            What::Waiting { shows } if shows.is_empty() => None,
            What::Waiting { shows } => Some(format!("{id}: {shows}")),
            What::Retried { attempt, of, why } => {
                let last = why.lines().last().unwrap_or_default().trim();
                Some(format!("{id}: attempt {attempt} of {of}, after: {last}"))
            }
            What::Done { seconds } => Some(format!("{id}: done ({seconds:.0} s)")),
            What::Failed { .. } => Some(format!("{id}: failed")),
            What::Stopped => Some(format!("{id}: stopped")),
            What::Blocked { by } => {
                self.bar
                    .suspend(|| self.printer.detail(&format!("{id}: left, as {by} failed")));
                None
            }
        }
    }

    fn report(&self, id: &str, why: &str, hint: Option<&str>) -> String {
        let title = self.steps.get(id).map_or("", |step| step.title.as_str());
        let why: String = why.lines().map(|line| format!("\n  {line}")).collect();
        let hint = hint.map(|hint| format!("\n  = help: {hint}")).unwrap_or_default();
        format!("error: {id}: cannot {title}{why}{hint}")
    }

    /// The last word, and the exit code.
    pub(super) fn end(&self, command: &str, lab: &str, summary: Summary) -> Code {
        self.bar.finish_and_clear();
        let Summary {
            skipped,
            done,
            failed,
            left,
        } = summary;
        let seconds = self.start.elapsed().as_secs_f64();
        if self.format == Format::Json {
            line(&json!({
                "event": "end", "command": command, "lab": lab, "skipped": skipped, "done": done, "failed": failed, "left": left,
                "stopped": self.stop.is_wanted(), "seconds": seconds,
            }));
        }
        let live = self.live();
        for report in &live.failed {
            Printer::complain(report);
        }
        let steps = counted(skipped + done + failed + left, "step", "steps");
        let again = format!("go on with `meshlab {command} {lab}`: what is done stays done");
        if self.stop.is_wanted() {
            Printer::complain(&format!("{lab}: stopped; {done} done, {left} left of {steps}; {again}"));
            return Code::Environment;
        }
        if failed + left > 0 {
            let blocked = if live.blocked > 0 {
                format!(", {left} left that need them")
            } else {
                String::new()
            };
            Printer::complain(&format!(
                "{lab}: {done} done, {failed} failed{blocked}, of {steps}; {again}"
            ));
            return Code::Environment;
        }
        let what = match done {
            0 => "nothing to do".to_owned(),
            _ => format!("{done} done, {skipped} were already"),
        };
        self.printer
            .note(&format!("{lab}: {command}: {steps}, {what} ({seconds:.0} s)"));
        Code::Clean
    }
}

impl Live {
    fn follow(&mut self, event: &Event) {
        match event.what {
            What::Started => drop(self.running.insert(event.step.clone())),
            What::Blocked { .. } => self.blocked += 1,
            _ if event.what.is_last() => drop(self.running.remove(&event.step)),
            _ => {}
        }
    }
}

fn line(value: &serde_json::Value) {
    Printer::result(&format!("{value}\n"));
}
