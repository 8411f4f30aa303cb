//! `meshlab doctor`: are the programs here that the labs need?

use std::path::Path;
use std::time::Duration;

use rayon::prelude::*;

use super::select::select;
use super::{Code, Failure, Format, Printer};
use crate::core::blueprint;
use crate::core::catalog::Catalog;
use crate::core::daily::doctor::{Answer, Finding, Manager, System, Tool, judge, needs};
use crate::core::lab::Lab;
use crate::core::resolve::resolve;
use crate::edge::repository::BlueprintFile;
use crate::edge::tool;

/// How long a program may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Labs, or blueprints' files; every lab if none is named
    #[arg(value_name = "LAB|FILE")]
    labs: Vec<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(directory: Option<&Path>, arguments: &Arguments, printer: &Printer) -> Result<Code, Failure> {
    let selection = select(directory, &arguments.labs)?;
    let catalog = Catalog::read(selection.repository.catalog()?)?;
    let root = selection.repository.root();
    let labs = selection.blueprints.iter().map(|file| resolved(root, file, &catalog));
    let labs = labs.collect::<Result<Vec<Lab>, Failure>>()?;
    let system = system();
    let findings: Vec<Finding> = needs(&labs)
        .into_par_iter()
        .map(|(tool, need)| judge(tool, &need, &ask(tool), &system))
        .collect();
    Printer::result(&match arguments.format {
        Format::Json => serde_json::to_string_pretty(&findings).map_err(anyhow::Error::from)? + "\n",
        Format::Text => table(&findings),
    });
    Ok(verdict(&findings, printer))
}

/// A lab without its lock: what it needs does not depend on it.
fn resolved(root: &Path, file: &BlueprintFile, catalog: &Catalog) -> Result<Lab, Failure> {
    let source = file.read()?;
    let allocations = super::complete::Locking::open(root, file, None)?.allocations;
    Ok(resolve(&blueprint::read(&source)?, &source, catalog, &allocations)?.0)
}

fn system() -> System {
    let present = |manager: &Manager| tool::find(manager.program()).is_some();
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        _ => "",
    };
    System {
        os: os.to_owned(),
        arch: arch.to_owned(),
        managers: Manager::ALL.into_iter().filter(present).collect(),
    }
}

fn ask(tool: Tool) -> Answer {
    let Some(path) = tool::find(tool.name()) else {
        return Answer::Absent;
    };
    let path = path.display().to_string();
    match tool::ask(&path, tool.version_arguments(), &[], PATIENCE) {
        Ok(answer) if answer.succeeded => Answer::Said {
            path,
            output: answer.output,
        },
        Ok(answer) => Answer::Failed {
            path,
            why: answer.why(),
        },
        Err(why) => Answer::Failed {
            path,
            why: why.to_string(),
        },
    }
}

fn table(findings: &[Finding]) -> String {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let rows = findings.iter().map(|finding| {
        [
            finding.tool.name().to_owned(),
            or_none(finding.version.map(|version| version.to_string())),
            finding.minimum.to_string(),
            finding.problem.unwrap_or("good").to_owned(),
            if finding.needed { "up" } else { "people" }.to_owned(),
            finding.reasons.join("; "),
        ]
    });
    let mut text = super::print::table(["TOOL", "VERSION", "AT LEAST", "VERDICT", "NEEDED BY", "FOR"], rows);
    let advised = findings
        .iter()
        .filter_map(|finding| Some((finding.tool, finding.advice.as_ref()?)));
    for (i, (tool, advice)) in advised.enumerate() {
        let gap = if i == 0 { "\n" } else { "" };
        text += &format!("{gap}{}: {advice}\n", tool.name());
    }
    text
}

fn verdict(findings: &[Finding], printer: &Printer) -> Code {
    let lacking = |finding: &&Finding| finding.needed && finding.problem.is_some();
    let lacking: Vec<&str> = findings
        .iter()
        .filter(lacking)
        .map(|finding| finding.tool.name())
        .collect();
    if lacking.is_empty() {
        printer.note("everything that `up` needs is here");
        return Code::Clean;
    }
    printer.note(&format!("`up` needs: {}", lacking.join(", ")));
    Code::Environment
}
