//! One step: look, act, look again.

use std::io;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::Runner;
use super::content::{Filled, Masks, read};
use super::process::{self, End, Finished, Invocation};
use crate::core::runner::{Act, Command, Event, Facts, File, Look, Patience, Probe, Stdin, Step, Verdict, What, judge};
use crate::core::shell;
use crate::edge::durable;

/// How many of the last lines of a failed command are shown.
const SHOWN: usize = 12;

/// Why a step cannot go on.
enum Trouble {
    Stopped,
    Failed(String),
}

/// Brings a step about. Gives its last event.
pub(super) fn step(runner: &Runner<'_>, step: &Step) -> What {
    let start = Instant::now();
    match (Acting { runner, step }).bring_about() {
        Ok(true) => What::Done {
            seconds: start.elapsed().as_secs_f64(),
        },
        Ok(false) => What::Skipped,
        Err(Trouble::Stopped) => What::Stopped,
        Err(Trouble::Failed(_)) if runner.stop.is_wanted() => What::Stopped,
        Err(Trouble::Failed(why)) => What::Failed {
            why,
            hint: step.hint.clone(),
        },
    }
}

struct Acting<'a> {
    runner: &'a Runner<'a>,
    step: &'a Step,
}

impl Acting<'_> {
    /// Tells whether there was anything to do.
    fn bring_about(&self) -> Result<bool, Trouble> {
        if !self.step.check.is_empty() && matches!(self.check(true)?, Verdict::Holds(_)) {
            return Ok(false);
        }
        self.tell(What::Started);
        for act in &self.step.action {
            let outcome = match act {
                Act::Run(command) => self.run(command),
                Act::Write(file) => self.write(file),
            };
            match outcome {
                Ok(()) => {}
                // Whoever was cut off may have got there all the same.
                Err(Trouble::Failed(why)) => return self.check_after(why),
                Err(stopped) => return Err(stopped),
            }
        }
        self.settle().map(|()| true)
    }

    fn check_after(&self, why: String) -> Result<bool, Trouble> {
        let is_done = !self.step.check.is_empty() && matches!(self.check(false), Ok(Verdict::Holds(_)));
        if is_done { Ok(true) } else { Err(Trouble::Failed(why)) }
    }

    fn tell(&self, what: What) {
        (self.runner.observer)(Event {
            step: self.step.id.clone(),
            what,
        });
    }

    /// Waits until the check holds.
    fn settle(&self) -> Result<(), Trouble> {
        let Patience { times, pause } = self.step.settle;
        let mut last = String::new();
        for attempt in 1..=times.max(1) {
            match self.check(false)? {
                Verdict::Holds(_) => return Ok(()),
                Verdict::Hopeless(shows) => return Err(Trouble::Failed(self.unsettled("it failed", &shows))),
                Verdict::Not(shows) => {
                    let shows = self.joined(shows);
                    if shows != last {
                        self.tell(What::Waiting { shows: shows.clone() });
                        last = shows;
                    }
                }
            }
            if attempt < times {
                self.pause(Duration::from_secs(pause.into()))?;
            }
        }
        Err(Trouble::Failed(
            self.unsettled("everything was run, but it is not done", &last),
        ))
    }

    fn unsettled(&self, what: &str, shows: &str) -> String {
        let probes = self
            .step
            .check
            .iter()
            .map(|probe| format!("\n  {}", self.shown(&probe.command)));
        let shows = if shows.is_empty() {
            String::new()
        } else {
            format!(" ({shows})")
        };
        let said = self.looks(&self.step.diagnosis);
        let said: String = said.iter().map(|line| format!("\n- {line}")).collect();
        format!("{what}{shows}; see{}{said}", probes.collect::<String>())
    }

    /// What the check shows, and what the step's progress says.
    fn joined(&self, shows: String) -> String {
        let mut all = vec![shows];
        all.extend(self.looks(&self.step.progress));
        all.retain(|text| !text.is_empty());
        all.join("; ")
    }

    /// Looks that fail say nothing.
    fn looks(&self, looks: &[Look]) -> Vec<String> {
        let facts = self.runner.store.facts();
        let said = looks.iter().filter_map(|look| {
            let filled = filled(&look.command, &facts).ok()?;
            let finished = self.invoke(&look.command, &filled).ok()?;
            matches!(finished.end, End::Code(0)).then(|| (look.says)(&String::from_utf8_lossy(&finished.stdout)))
        });
        said.flatten().collect()
    }

    fn pause(&self, time: Duration) -> Result<(), Trouble> {
        self.runner.stop.sleep(time.mul_f64(self.runner.pace));
        if self.runner.stop.is_wanted() {
            Err(Trouble::Stopped)
        } else {
            Ok(())
        }
    }

    /// Whether all probes hold; what they learn is kept.
    fn check(&self, first: bool) -> Result<Verdict, Trouble> {
        let mut learnt = Facts::default();
        for probe in &self.step.check {
            match self.probe(probe, first)? {
                Verdict::Holds(facts) => {
                    self.runner
                        .store
                        .learn(facts.clone())
                        .map_err(|error| failed("cannot keep run-time facts", &error))?;
                    learnt.learn(facts);
                }
                other => return Ok(other),
            }
        }
        Ok(Verdict::Holds(learnt))
    }

    /// Asks once. No answer in time is a failure where the answer decides what to do, and not yet the end where something is waited for.
    fn probe(&self, probe: &Probe, decides: bool) -> Result<Verdict, Trouble> {
        let facts = self.runner.store.facts();
        let Ok(filled) = filled(&probe.command, &facts) else {
            return Ok(Verdict::Not(String::new()));
        };
        let finished = self.invoke(&probe.command, &filled)?;
        match finished.end {
            End::Code(0) => Ok(judge(probe, &facts, &String::from_utf8_lossy(&finished.stdout))),
            End::Stopped => Err(Trouble::Stopped),
            End::TimedOut if decides => {
                let line = line(&probe.command, &filled);
                let seconds = probe.command.timeout;
                Err(Trouble::Failed(format!(
                    "no answer within {seconds} s, so nobody knows what to do: {line}"
                )))
            }
            End::Code(_) | End::Signal(_) | End::TimedOut => Ok(Verdict::Not(String::new())),
        }
    }

    /// Runs a command as often as it takes.
    fn run(&self, command: &Command) -> Result<(), Trouble> {
        let Patience { times, pause } = command.patience;
        let mut pause = Duration::from_secs(pause.into());
        let mut attempt = 1;
        loop {
            if let Some(unless) = &command.unless
                && matches!(self.probe(unless, true)?, Verdict::Holds(_))
            {
                return Ok(());
            }
            let why = match self.attempt(command) {
                Err(Trouble::Failed(why)) => why,
                other => return other,
            };
            if attempt >= times {
                let tried = if times > 1 {
                    format!("\ntried {times} times")
                } else {
                    String::new()
                };
                return Err(Trouble::Failed(why + &tried));
            }
            attempt += 1;
            self.tell(What::Retried {
                attempt,
                of: times,
                why,
            });
            self.pause(pause)?;
            pause *= 2;
        }
    }

    fn attempt(&self, command: &Command) -> Result<(), Trouble> {
        let facts = self.runner.store.facts();
        let missing = |fact| Trouble::Failed(format!("`{fact}` is not known: {}", self.shown(command)));
        let filled = filled(command, &facts).map_err(missing)?;
        let finished = self.invoke(command, &filled)?;
        match finished.end {
            End::Code(0) => self.keep(command, &finished),
            End::Stopped => Err(Trouble::Stopped),
            End::Code(_) if command.lenient => Ok(()),
            _ => Err(Trouble::Failed(complaint(
                command,
                &filled,
                &finished,
                &self.masks(command),
            ))),
        }
    }

    /// Writes what a command printed where it belongs.
    fn keep(&self, command: &Command, finished: &Finished) -> Result<(), Trouble> {
        match &command.stdout {
            Some(path) => self.replace(path, &finished.stdout),
            None => Ok(()),
        }
    }

    fn write(&self, file: &File) -> Result<(), Trouble> {
        let facts = self.runner.store.facts();
        let content = Filled::of(&file.content, self.runner, &facts).map_err(Trouble::Failed)?;
        self.replace(&file.path, content.bytes())
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let target = self.runner.root.join(path);
        let write = || -> io::Result<()> {
            if let Some(directory) = target.parent() {
                durable::make_dirs(directory, 0o700)?;
            }
            durable::replace(&target, bytes, 0o600)
        };
        write().map_err(|error| failed(&format!("cannot write {path}"), &error))
    }

    fn invoke(&self, command: &Command, filled: &Words) -> Result<Finished, Trouble> {
        let stdin = match &command.stdin {
            Stdin::Nothing => None,
            Stdin::Content(content) => {
                let filled = Filled::of(content, self.runner, &self.runner.store.facts());
                Some(Zeroizing::new(filled.map_err(Trouble::Failed)?.bytes().to_vec()))
            }
            Stdin::File(path) => Some(read(self.runner.root, path).map_err(Trouble::Failed)?),
        };
        let invocation = Invocation {
            program: &command.program,
            arguments: &filled.0,
            environment: &filled.1,
            stdin,
            directory: self.runner.root,
            timeout: Duration::from_secs(command.timeout.into()),
        };
        process::run(invocation, self.runner.orphans, self.runner.stop).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Trouble::Failed(format!("`{}` is not on PATH", command.program)),
            _ => failed(&format!("cannot run `{}`", command.program), &error),
        })
    }

    /// A command as a shell would read it, with the facts that are known.
    fn shown(&self, command: &Command) -> String {
        let facts = self.runner.store.facts();
        let mut words = vec![command.program.clone()];
        words.extend(command.arguments.iter().map(|word| {
            let text = facts.fill(word);
            text.map_or_else(|fact| format!("[{fact}]"), |text| shell::word(&text))
        }));
        words.join(" ")
    }

    /// The secrets that a command reads.
    fn masks(&self, command: &Command) -> Masks {
        match &command.stdin {
            Stdin::Content(content) => {
                let filled = Filled::of(content, self.runner, &self.runner.store.facts());
                filled.map(Filled::masks).unwrap_or_default()
            }
            Stdin::Nothing | Stdin::File(_) => Masks::default(),
        }
    }
}

/// Arguments and variables with facts in their places.
type Words = (Vec<String>, Vec<(String, String)>);

/// Fills a command in; tells the fact that is not known.
fn filled(command: &Command, facts: &Facts) -> Result<Words, String> {
    let arguments = command.arguments.iter().map(|word| facts.fill(word));
    let variables = command.environment.iter();
    let variables = variables.map(|(name, value)| Ok((name.clone(), facts.fill(value)?)));
    Ok((
        arguments.collect::<Result<_, _>>()?,
        variables.collect::<Result<_, String>>()?,
    ))
}

fn failed(what: &str, error: &io::Error) -> Trouble {
    Trouble::Failed(format!("{what}: {error}"))
}

fn line(command: &Command, filled: &Words) -> String {
    let mut words: Vec<String> = filled
        .1
        .iter()
        .map(|(name, value)| format!("{name}={}", shell::word(value)))
        .collect();
    words.push(shell::word(&command.program));
    words.extend(filled.0.iter().map(|text| shell::word(text)));
    words.join(" ")
}

/// The command, how it ended, and the last that it said.
fn complaint(command: &Command, filled: &Words, finished: &Finished, masks: &Masks) -> String {
    let end = match finished.end {
        End::Code(code) => format!("exit code {code}"),
        End::Signal(signal) => format!("ended by signal {signal}"),
        End::TimedOut => format!("not done within {} s", command.timeout),
        End::Stopped => "stopped".to_owned(),
    };
    let is_secret = command.secret || command.stdout.is_some();
    let said = match (finished.stderr.is_empty(), is_secret) {
        (true, true) => &[],
        (true, false) => finished.stdout.as_slice(),
        (false, _) => finished.stderr.as_slice(),
    };
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.trim_end().lines().collect();
    let last = &lines[lines.len().saturating_sub(SHOWN)..];
    let last = last.iter().map(|line| format!("\n    {}", masks.hide(line)));
    format!("{}\n{end}{}", line(command, filled), last.collect::<String>())
}
