//! The budgets of `meshlab render`, measured as ratios.
//!
//! ```text
//! cargo bench --bench render                 the table; exit 0
//! cargo bench --bench render -- --full       the same with a fleet of 5,000 clusters: minutes, and some GiB of room
//! cargo bench --bench render -- --enforce    exit 1 if a budget is exceeded
//! ```
//!
//! What is measured is the binary of the release build as a process, from its start to its end. Beside it runs a yardstick that does
//! about as much with the disk, `cp -r` or `git status` of the same tree on the same file system. The two alternate, A B A B, and the
//! medians are compared: whatever else the machine does meets both alike. Milliseconds are printed for orientation.
//!
//! Trees lie in `/dev/shm` if that has room, else in `target/bench/`. Locks and keys of fleets are minted by the first run and kept in
//! `target/bench/`: they are of no use outside of it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark speaks to a terminal"
)]

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

const MESHLAB: &str = env!("CARGO_BIN_EXE_meshlab");
const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// Room that the trees of a run take, in MiB: two of a fleet at a time, with every file rounded up to a page.
const ROOM: u64 = 2_000;
const ROOM_FULL: u64 = 8_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    match run(has("--full")) {
        Ok(rows) => {
            print(&rows);
            ExitCode::from(u8::from(has("--enforce") && rows.iter().any(Row::is_over)))
        }
        Err(error) => {
            eprintln!("the benchmark failed: {error:#}");
            ExitCode::from(3)
        }
    }
}

/// A budget and what was measured.
struct Row {
    what: String,
    measured: Figure,
    budget: Figure,
    /// Absolute figures, and the aim if there is one.
    note: String,
}

/// A measure, printed with its unit.
#[derive(Clone, Copy)]
enum Figure {
    Times(f64),
    Milliseconds(f64),
    Mebibytes(f64),
}

impl Figure {
    fn number(self) -> f64 {
        match self {
            Self::Times(number) | Self::Milliseconds(number) | Self::Mebibytes(number) => number,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Times(number) => format!("{number:.2} ×"),
            Self::Milliseconds(number) => format!("{number:.1} ms"),
            Self::Mebibytes(number) => format!("{number:.0} MiB"),
        };
        f.pad(&text)
    }
}

impl Row {
    fn is_over(&self) -> bool {
        self.measured.number() > self.budget.number()
    }
}

fn print(rows: &[Row]) {
    println!("| what | measured | budget | | absolute |");
    println!("| --- | --- | --- | --- | --- |");
    for row in rows {
        let verdict = if row.is_over() { "over" } else { "ok" };
        println!(
            "| {} | {} | {} | {verdict} | {} |",
            row.what, row.measured, row.budget, row.note
        );
    }
}

fn run(full: bool) -> Result<Vec<Row>> {
    let home = Path::new(REPOSITORY).join("target/bench");
    let scratch = Scratch::new(&home, if full { ROOM_FULL } else { ROOM })?;
    eprintln!("trees lie in {}", scratch.0.display());
    let mut rows = Vec::new();
    rows.extend(shipped(&home, &scratch)?);
    let thousand = Lab::fleet(&home, 500)?;
    rows.extend(fleet(&thousand, &scratch)?);
    if full {
        rows.push(per_cluster(&home, &scratch)?);
    }
    Ok(rows)
}

/// The lab that ships, alone in a repository, as its user has it.
fn shipped(home: &Path, scratch: &Scratch) -> Result<[Row; 2]> {
    let lab = Lab::shipped(home)?;
    let made = lab.render_new(scratch)?.against(cp, 15)?;
    let idle = lab.render_again(scratch)?.against(git_status, 15)?;
    Ok([
        Row {
            what: "5 clusters into an empty directory".into(),
            measured: Figure::Times(made.ratio()),
            budget: Figure::Times(3.0),
            note: format!("{made} of `cp -r`; aim: 50 ms"),
        },
        Row {
            what: "5 clusters, nothing to do".into(),
            measured: Figure::Milliseconds(milliseconds(idle.meshlab)),
            budget: Figure::Milliseconds(10.0),
            note: format!("{idle} of `git status`: {:.2} ×", idle.ratio()),
        },
    ])
}

fn fleet(lab: &Lab, scratch: &Scratch) -> Result<[Row; 3]> {
    let made = lab.render_new(scratch)?.against(cp, 3)?;
    let idle = lab.render_again(scratch)?;
    let copy = idle.against(cp, 3)?;
    let status = idle.against(git_status, 3)?;
    let peak = lab.peak(scratch)?;
    Ok([
        Row {
            what: "1,000 clusters into an empty directory".into(),
            measured: Figure::Times(made.ratio()),
            budget: Figure::Times(2.0),
            note: format!("{made} of `cp -r`; aim: 1 ×"),
        },
        Row {
            what: "1,000 clusters, nothing to do".into(),
            measured: Figure::Times(copy.ratio()),
            budget: Figure::Times(1.0),
            note: format!("{copy} of `cp -r`; {:.2} × `git status`, aim: 1 ×", status.ratio()),
        },
        Row {
            what: "1,000 clusters, peak memory".into(),
            measured: Figure::Mebibytes(peak),
            budget: Figure::Mebibytes(128.0),
            note: "resident; aim: 64 MiB".into(),
        },
    ])
}

/// The cost of a cluster in a large fleet against that in a small one.
fn per_cluster(home: &Path, scratch: &Scratch) -> Result<Row> {
    let [small, large] = [50, 2_500].map(|cells| Lab::fleet(home, cells));
    let (small, large) = (small?, large?);
    let cost = |lab: &Lab, runs: usize| -> Result<f64> {
        let pair = lab.render_new(scratch)?.against(cp, runs)?;
        Ok(milliseconds(pair.meshlab) / f64::from(lab.clusters))
    };
    let (few, many) = (cost(&small, 9)?, cost(&large, 3)?);
    Ok(Row {
        what: "cost per cluster, 5,000 against 100".into(),
        measured: Figure::Times(many / few),
        budget: Figure::Times(1.2),
        note: format!("{many:.2} ms against {few:.2} ms, into an empty directory"),
    })
}

/// A repository with one lab whose lock is complete.
struct Lab {
    repository: PathBuf,
    clusters: u32,
}

impl Lab {
    fn shipped(home: &Path) -> Result<Self> {
        let repository = home.join("shipped");
        reset(&repository)?;
        let blueprints = Path::new(REPOSITORY).join("blueprints");
        for name in ["meshlab.yaml", "meshlab.lock"] {
            copy(&blueprints.join(name), &repository.join("blueprints"))?;
        }
        Ok(Self {
            repository,
            clusters: 5,
        })
    }

    /// Two clusters in each of `cells` cells, which share their addresses.
    fn fleet(home: &Path, cells: u32) -> Result<Self> {
        let repository = home.join(format!("fleet-{cells}"));
        let blueprint = repository.join("blueprints/fleet.yaml");
        fs::create_dir_all(repository.join("blueprints"))?;
        fs::write(&blueprint, FLEET.replace("CELLS", &cells.to_string()))
            .with_context(|| format!("cannot write {}", blueprint.display()))?;
        let lab = Self {
            repository,
            clusters: cells * 2,
        };
        eprintln!("{} clusters: completing the lock", lab.clusters);
        let scratch = home.join("minting");
        reset(&scratch)?;
        succeed(lab.render(&scratch).stderr(Stdio::inherit()))?;
        fs::remove_dir_all(&scratch)?;
        Ok(lab)
    }

    fn render(&self, out: &Path) -> Command {
        let mut command = Command::new(MESHLAB);
        command
            .arg("-C")
            .arg(&self.repository)
            .arg("render")
            .arg("--out")
            .arg(out);
        command
    }

    /// Rendering into a directory that is empty each time.
    fn render_new<'a>(&'a self, scratch: &'a Scratch) -> Result<Job<'a>> {
        let job = Job {
            lab: self,
            scratch,
            fresh: true,
        };
        job.prepare()?;
        Ok(job)
    }

    /// Rendering where there is nothing to do; the tree is committed, for Git to look at.
    fn render_again<'a>(&'a self, scratch: &'a Scratch) -> Result<Job<'a>> {
        let job = Job {
            lab: self,
            scratch,
            fresh: false,
        };
        job.prepare()?;
        let tree = scratch.tree();
        succeed(self.render(&tree).stderr(Stdio::null()))?;
        for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-q", "-m", "tree"]] {
            succeed(git(&tree).args(arguments))?;
        }
        Ok(job)
    }

    /// The most memory that a render into an empty directory holds, in MiB.
    fn peak(&self, scratch: &Scratch) -> Result<f64> {
        reset(&scratch.tree())?;
        let child = self.render(&scratch.tree()).stderr(Stdio::null()).spawn()?;
        watch(child)
    }
}

const FLEET: &str = "\
apiVersion: meshlab.dev/v1alpha1
kind: Blueprint
metadata: {name: fleet}
spec:
  domain: fleet.lab
  git: {repoURL: https://github.com/example/fleet.git, revision: main}
  secrets: {backend: sealed-secrets, key: rsa-2048}
  addresses:
    pods: {first: 10.0.0.0/16, perCell: 0}
    services: {first: 10.128.0.0/16, perCell: 0}
  manager: {name: manager-1}
  cells:
  - {name: cell, cells: CELLS, count: 2}
";

/// A directory for trees, gone with the run.
struct Scratch(PathBuf);

impl Scratch {
    fn new(home: &Path, room: u64) -> Result<Self> {
        let shared = Path::new("/dev/shm");
        let free = rustix::fs::statvfs(shared).map_or(0, |stat| stat.f_bavail * stat.f_frsize / (1 << 20));
        let above = if free > room { shared } else { home };
        let path = above.join(format!("meshlab-bench-{}", std::process::id()));
        reset(&path)?;
        Ok(Self(path))
    }

    fn tree(&self) -> PathBuf {
        self.0.join("tree")
    }

    fn yardstick(&self) -> PathBuf {
        self.0.join("copy")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Something that meshlab does, over and over.
struct Job<'a> {
    lab: &'a Lab,
    scratch: &'a Scratch,
    fresh: bool,
}

/// What does about as much with a tree.
type Yardstick = fn(&Scratch) -> Result<Command>;

fn cp(scratch: &Scratch) -> Result<Command> {
    reset(&scratch.yardstick())?;
    let mut command = Command::new("cp");
    let name = fs::read_dir(scratch.tree())?
        .filter_map(Result::ok)
        .map(|entry| entry.file_name())
        .find(|name| name != ".git")
        .context("there is no tree to copy")?;
    command
        .arg("-r")
        .arg(scratch.tree().join(name))
        .arg(scratch.yardstick());
    Ok(command)
}

#[expect(clippy::unnecessary_wraps, reason = "a yardstick, as `cp` is")]
fn git_status(scratch: &Scratch) -> Result<Command> {
    let mut command = git(&scratch.tree());
    command.args(["status", "--porcelain"]);
    Ok(command)
}

impl Job<'_> {
    fn prepare(&self) -> Result<()> {
        reset(&self.scratch.tree())
    }

    /// Both in turn, `runs` times; the first run of each only warms the caches.
    fn against(&self, yardstick: Yardstick, runs: usize) -> Result<Pair> {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..=runs {
            if self.fresh {
                self.prepare()?;
            }
            ours.push(time(&mut self.lab.render(&self.scratch.tree()))?);
            theirs.push(time(&mut yardstick(self.scratch)?)?);
        }
        Ok(Pair {
            meshlab: median(ours.split_off(1)),
            yardstick: median(theirs.split_off(1)),
        })
    }
}

/// The medians of two kinds of runs.
#[derive(Clone, Copy)]
struct Pair {
    meshlab: Duration,
    yardstick: Duration,
}

impl Pair {
    fn ratio(self) -> f64 {
        self.meshlab.as_secs_f64() / self.yardstick.as_secs_f64()
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ours, theirs) = (milliseconds(self.meshlab), milliseconds(self.yardstick));
        write!(f, "{ours:.1} ms beside {theirs:.1} ms")
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// How long a command takes, from its start to its end.
fn time(command: &mut Command) -> Result<Duration> {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    succeed(command)?;
    Ok(start.elapsed())
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// The high-water mark of a process's resident memory, in MiB: the last that Linux shows before the process ends.
fn watch(mut child: Child) -> Result<f64> {
    let file = format!("/proc/{}/status", child.id());
    let mut peak: f64 = 0.0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak = peak.max(
            fs::read_to_string(&file)
                .ok()
                .as_deref()
                .and_then(high_water)
                .unwrap_or_default(),
        );
        thread::sleep(Duration::from_millis(1));
    };
    ensure!(
        status.success(),
        "the render whose memory was measured ended with {status}"
    );
    if peak == 0.0 {
        bail!("{file} does not tell the peak of memory: this needs Linux");
    }
    Ok(peak)
}

fn high_water(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes / 1_024.0)
}

fn git(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory);
    for setting in [
        "user.name=bench",
        "user.email=bench@localhost",
        "gc.auto=0",
        "commit.gpgsign=false",
    ] {
        command.args(["-c", setting]);
    }
    command
}

/// Makes a directory empty.
fn reset(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot empty {}", directory.display()));
        }
        _ => {}
    }
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))
}

/// Copies a file or directory into a directory.
fn copy(from: &Path, into: &Path) -> Result<()> {
    fs::create_dir_all(into)?;
    succeed(Command::new("cp").arg("-r").arg(from).arg(into))
}
