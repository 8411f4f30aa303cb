//! Steps as values: what is to be done, how to see that it is done, and with which commands.

use serde_json::Value;

use crate::core::name::ClusterName;

/// Something that brings the lab closer to life, and can be seen to be done.
#[derive(Debug, Clone)]
pub struct Step {
    /// Stable and unique in the lab: `machine/pasta-1`, `seed/argo-cd`.
    pub id: String,
    /// What it does, in a few words, as an imperative.
    pub title: String,
    /// The cluster that it belongs to; none: the lab.
    pub cluster: Option<ClusterName>,
    /// Steps that must be done before, by id; chosen whenever this one is.
    pub needs: Vec<String>,
    /// Steps that come before if they are chosen too.
    pub after: Vec<String>,
    /// Of the steps with the same lock one runs at a time.
    pub lock: Option<String>,
    /// It is done when every probe holds. Empty: it acts in every run.
    pub check: Vec<Probe>,
    /// What does it, in order. Empty: it only waits for the check.
    pub action: Vec<Act>,
    /// How long the check may take to hold after the action.
    pub settle: Patience,
    /// What is said while it waits, beside what the check shows.
    pub progress: Vec<Look>,
    /// What is said when it fails.
    pub diagnosis: Vec<Look>,
    /// What to look at when it fails.
    pub hint: Option<String>,
}

/// A command that changes nothing, and what to say of its output.
#[derive(Debug, Clone)]
pub struct Look {
    /// The command.
    pub command: Command,
    /// Lines; none: there is nothing to say.
    pub says: fn(&str) -> Vec<String>,
}

impl Step {
    /// A step that needs nothing, checks nothing and does nothing yet.
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            cluster: None,
            needs: Vec::new(),
            after: Vec::new(),
            lock: None,
            check: Vec::new(),
            action: Vec::new(),
            settle: Patience::NONE,
            progress: Vec::new(),
            diagnosis: Vec::new(),
            hint: None,
        }
    }

    /// Belongs to a cluster.
    pub fn of(mut self, cluster: &ClusterName) -> Self {
        self.cluster = Some(cluster.clone());
        self
    }

    /// Comes after a step, and brings it along.
    pub fn needs(mut self, id: impl Into<String>) -> Self {
        self.needs.push(id.into());
        self
    }

    /// Comes after a step if that is chosen too.
    pub fn after(mut self, id: impl Into<String>) -> Self {
        self.after.push(id.into());
        self
    }

    /// Never runs together with others of the same lock.
    pub fn lock(mut self, name: impl Into<String>) -> Self {
        self.lock = Some(name.into());
        self
    }

    /// Is done only when this holds too.
    pub fn check(mut self, probe: Probe) -> Self {
        self.check.push(probe);
        self
    }

    /// Runs a command.
    pub fn run(mut self, command: Command) -> Self {
        self.action.push(Act::Run(command));
        self
    }

    /// Writes a file.
    pub fn write(mut self, path: impl Into<String>, content: Content) -> Self {
        let path = path.into();
        self.action.push(Act::Write(File { path, content }));
        self
    }

    /// Waits for the check after the action.
    pub fn settle(mut self, times: u32, pause: u32) -> Self {
        self.settle = Patience { times, pause };
        self
    }

    /// Says more while it waits.
    pub fn progress(mut self, command: Command, says: fn(&str) -> Vec<String>) -> Self {
        self.progress.push(Look { command, says });
        self
    }

    /// Says why it failed.
    pub fn diagnose(mut self, command: Command, says: fn(&str) -> Vec<String>) -> Self {
        self.diagnosis.push(Look { command, says });
        self
    }

    /// Says where to look when it fails.
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }
}

/// A part of a step's action.
#[derive(Debug, Clone)]
pub enum Act {
    /// Runs a command.
    Run(Command),
    /// Writes a file that only its owner can read.
    Write(File),
}

/// A file to write, mode 0600, whole or not at all.
#[derive(Debug, Clone)]
pub struct File {
    /// Relative to the lab repository.
    pub path: String,
    /// What it holds.
    pub content: Content,
}

/// A program and its arguments, run in the lab repository.
#[derive(Debug, Clone)]
pub struct Command {
    /// Found on PATH.
    pub program: String,
    /// Never holds a secret: a [`Word`] cannot.
    pub arguments: Vec<Word>,
    /// Variables beside the inherited ones.
    pub environment: Vec<(String, Word)>,
    /// What it reads.
    pub stdin: Stdin,
    /// Where its output goes, mode 0600, whole or not at all; relative to the lab repository. None: it is kept for messages only.
    pub stdout: Option<String>,
    /// Whether its output is secret: never shown, not even when it fails. Output into a file is.
    pub secret: bool,
    /// Seconds after which it is stopped and counts as failed.
    pub timeout: u32,
    /// How often it is tried, and the seconds before the second attempt; each further pause is twice as long.
    pub patience: Patience,
    /// Not run if this holds.
    pub unless: Option<Box<Probe>>,
    /// Whether its failure is none: what comes after it tells.
    pub lenient: bool,
}

impl Command {
    /// Seconds that a command may take if nothing else is said.
    pub const TIMEOUT: u32 = 60;

    /// A command without input, tried once.
    pub fn new<W: Into<Word>>(program: impl Into<String>, arguments: impl IntoIterator<Item = W>) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            stdin: Stdin::Nothing,
            stdout: None,
            secret: false,
            timeout: Self::TIMEOUT,
            patience: Patience::NONE,
            unless: None,
            lenient: false,
        }
    }

    /// One more argument.
    pub fn arg(mut self, word: impl Into<Word>) -> Self {
        self.arguments.push(word.into());
        self
    }

    /// More arguments.
    pub fn args<W: Into<Word>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.arguments.extend(words.into_iter().map(Into::into));
        self
    }

    /// With a variable.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<Word>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Reads a text.
    pub fn stdin(mut self, content: impl Into<Content>) -> Self {
        self.stdin = Stdin::Content(content.into());
        self
    }

    /// Reads a file.
    pub fn stdin_file(mut self, path: impl Into<String>) -> Self {
        self.stdin = Stdin::File(path.into());
        self
    }

    /// Its output goes to a file that only its owner can read.
    pub fn stdout(mut self, path: impl Into<String>) -> Self {
        self.stdout = Some(path.into());
        self
    }

    /// Its output is never shown.
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Is stopped after so many seconds.
    pub fn timeout(mut self, seconds: u32) -> Self {
        self.timeout = seconds;
        self
    }

    /// Is tried so many times, with a pause of so many seconds before the second attempt and twice the last before any other.
    pub fn patience(mut self, times: u32, pause: u32) -> Self {
        self.patience = Patience { times, pause };
        self
    }

    /// May fail.
    pub fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Is not run if this holds.
    pub fn unless(mut self, probe: Probe) -> Self {
        self.unless = Some(Box::new(probe));
        self
    }
}

/// A command that changes nothing, and what it says when all is well: it succeeds, and every expectation is met.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The command.
    pub command: Command,
    /// Beside its success.
    pub expects: Vec<Expect>,
    /// Run-time facts in its output, if it holds.
    pub learns: Vec<Learn>,
    /// When one of these is met while a step waits, waiting longer is useless.
    pub hopeless: Vec<Expect>,
    /// JSON pointers to what is worth showing while a step waits: `/status/progress`.
    pub shows: Vec<String>,
}

impl Probe {
    /// Holds when the command succeeds.
    pub fn new(command: Command) -> Self {
        Self {
            command,
            expects: Vec::new(),
            learns: Vec::new(),
            hopeless: Vec::new(),
            shows: Vec::new(),
        }
    }

    /// Holds only if this is met too.
    pub fn expect(mut self, expect: Expect) -> Self {
        self.expects.push(expect);
        self
    }

    /// Holds only if the output is JSON with this value at a pointer (RFC 6901).
    pub fn json(self, pointer: impl Into<String>, equals: impl Into<Value>) -> Self {
        self.expect(Expect::Json {
            pointer: pointer.into(),
            equals: equals.into(),
        })
    }

    /// Holds only if this is what it prints, space around it apart.
    pub fn output(self, text: impl Into<Word>) -> Self {
        self.expect(Expect::Output(text.into()))
    }

    /// Learns a fact from JSON output.
    pub fn learn(mut self, fact: impl Into<String>, pointer: impl Into<String>) -> Self {
        self.learns.push(Learn {
            fact: fact.into(),
            pointer: Some(pointer.into()),
        });
        self
    }

    /// Learns a fact: all of the output, space around it apart.
    pub fn learn_output(mut self, fact: impl Into<String>) -> Self {
        self.learns.push(Learn {
            fact: fact.into(),
            pointer: None,
        });
        self
    }

    /// Ends the wait at once if JSON output has this value at a pointer.
    pub fn hopeless(mut self, pointer: impl Into<String>, equals: impl Into<Value>) -> Self {
        self.hopeless.push(Expect::Json {
            pointer: pointer.into(),
            equals: equals.into(),
        });
        self
    }

    /// Shows a value of JSON output while a step waits.
    pub fn shows(mut self, pointer: impl Into<String>) -> Self {
        self.shows.push(pointer.into());
        self
    }
}

/// What the output of a probe must be.
#[derive(Debug, Clone)]
pub enum Expect {
    /// JSON with this value at a pointer (RFC 6901).
    Json {
        /// The pointer.
        pointer: String,
        /// The value.
        equals: Value,
    },
    /// JSON with one of these texts at a pointer.
    OneOf {
        /// The pointer.
        pointer: String,
        /// The texts.
        texts: Vec<String>,
    },
    /// JSON with something at a pointer: neither null, nor empty, nor absent.
    Present(String),
    /// JSON with a list at a pointer, none of whose objects has all of these fields.
    Without {
        /// The pointer.
        pointer: String,
        /// Keys and their texts.
        fields: Vec<(String, String)>,
    },
    /// No line is this text.
    NoLine(String),
    /// This text, space around it apart.
    Output(Word),
    /// Each of these lines is among the lines of the output that contain `with`, and no other. Lines with unknown facts are left out.
    Lines {
        /// The lines.
        lines: Vec<Word>,
        /// What marks the lines that are compared.
        with: String,
    },
}

/// A run-time fact in the output of a probe: an address, a URL. Never a secret: these go to files.
#[derive(Debug, Clone)]
pub struct Learn {
    /// Its name: `pasta-1.address`.
    pub fact: String,
    /// Where it is in JSON output (RFC 6901); none: the whole output, space around it apart.
    pub pointer: Option<String>,
}

/// How often something is tried, and how long the pause between attempts is: for commands each pause is twice the last one, for checks all are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Attempts, at least 1.
    pub times: u32,
    /// Seconds before the second attempt.
    pub pause: u32,
}

impl Patience {
    /// Once.
    pub const NONE: Self = Self { times: 1, pause: 0 };
}

/// What a command reads.
#[derive(Debug, Clone)]
pub enum Stdin {
    /// Nothing.
    Nothing,
    /// A text, which may hold secrets.
    Content(Content),
    /// A file; relative to the lab repository.
    File(String),
}

/// An argument: text in which run-time facts may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(pub Vec<Piece>);

/// A part of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// A run-time fact by name.
    Fact(String),
}

impl Word {
    /// A run-time fact.
    pub fn fact(name: impl Into<String>) -> Self {
        Self(vec![Piece::Fact(name.into())])
    }

    /// More text.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.0.push(Piece::Text(text.into()));
        self
    }

    /// One more run-time fact.
    pub fn and_fact(mut self, name: impl Into<String>) -> Self {
        self.0.push(Piece::Fact(name.into()));
        self
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        Self(vec![Piece::Text(text)])
    }
}

impl From<&String> for Word {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

/// A text for standard input or a file; the only place for secrets.
#[derive(Debug, Clone)]
pub struct Content(pub Vec<Part>);

/// A part of such a text.
#[derive(Debug, Clone)]
pub enum Part {
    /// As it is.
    Text(String),
    /// A run-time fact by name.
    Fact(String),
    /// Lines; those with facts that are not known are left out.
    Lines(Vec<Word>),
    /// What a file holds, without line breaks at its end; relative to the lab repository. Secret.
    File(String),
    /// What only the keystore can tell. Secret.
    Material(Material),
}

/// A secret that the command layer provides.
#[derive(Debug, Clone)]
pub struct Material {
    /// By which it knows it.
    pub name: String,
    /// A command line that prints the same, for the script.
    pub shell: String,
}

impl Content {
    /// Nothing yet.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// More text.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.0.push(Part::Text(text.into()));
        self
    }

    /// A run-time fact.
    pub fn fact(mut self, name: impl Into<String>) -> Self {
        self.0.push(Part::Fact(name.into()));
        self
    }

    /// Lines; those with facts that are not known are left out.
    pub fn lines(mut self, lines: Vec<Word>) -> Self {
        self.0.push(Part::Lines(lines));
        self
    }

    /// What a file holds.
    pub fn file(mut self, path: impl Into<String>) -> Self {
        self.0.push(Part::File(path.into()));
        self
    }

    /// What only the keystore can tell.
    pub fn material(mut self, name: impl Into<String>, shell: impl Into<String>) -> Self {
        self.0.push(Part::Material(Material {
            name: name.into(),
            shell: shell.into(),
        }));
        self
    }
}

impl Default for Content {
    fn default() -> Self {
        Self::new()
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::new().text(text)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::new().text(text)
    }
}
