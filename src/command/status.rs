//! `meshlab status`: how running labs are.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rayon::prelude::*;

use super::lab::{self, Opened};
use super::select::select;
use super::{Code, Failure, Format, Printer};
use crate::core::blueprint::Provider;
use crate::core::catalog::Catalog;
use crate::core::daily::selection::Application;
use crate::core::daily::status::{
    Asked, ClusterReport, Found, Report, VmReport, machines_command, read_machines, report,
};
use crate::core::lab::Lab;
use crate::core::value::Value;
use crate::edge::tool;

/// How long a program may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

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
    let mut reports = Vec::new();
    for file in &selection.blueprints {
        let opened = lab::open(selection.repository.root(), file, &catalog)?;
        reports.push(of_lab(selection.repository.root(), &opened, &catalog)?);
    }
    Printer::result(&match arguments.format {
        Format::Json => serde_json::to_string_pretty(&reports).map_err(anyhow::Error::from)? + "\n",
        Format::Text => reports.iter().map(text).collect::<Vec<_>>().join("\n"),
    });
    let unwell: Vec<&str> = reports
        .iter()
        .filter(|report| !report.well)
        .map(|report| report.lab.as_str())
        .collect();
    if unwell.is_empty() {
        return Ok(Code::Clean);
    }
    printer.note(&format!("not well: {}", unwell.join(", ")));
    Ok(Code::Differs)
}

fn of_lab(root: &Path, opened: &Opened, catalog: &Catalog) -> Result<Report, Failure> {
    let expanded = super::apps::expanded(opened, catalog)?;
    let expected: Vec<Application> = expanded.iter().map(Application::read).collect();
    let kubectl = Kubectl::of(root, &opened.lab);
    let (machines, clusters) = rayon::join(
        || machines(&opened.lab),
        || kubectl.map(|kubectl| kubectl.asked(&opened.lab)),
    );
    let found = Found {
        machines,
        clusters,
        now: tool::now(),
    };
    Ok(report(&opened.lab, &opened.lock, &expected, &found))
}

/// The state of every machine, by provider.
fn machines(lab: &Lab) -> BTreeMap<&'static str, Result<BTreeMap<String, String>, String>> {
    let clusters = lab.clusters.iter().map(|cluster| &cluster.settings.provider);
    let providers = clusters.chain(lab.vms.iter().map(|vm| &vm.provider));
    let mut asked = BTreeMap::new();
    for provider in providers {
        if let Some(command) = machines_command(provider) {
            asked
                .entry(provider.name())
                .or_insert_with(|| states(provider, command));
        }
    }
    asked
}

fn states(provider: &Provider, command: &[&str]) -> Result<BTreeMap<String, String>, String> {
    let (program, arguments) = command.split_first().ok_or("it has no machines")?;
    let answer = tool::ask(program, arguments, &[], PATIENCE).map_err(|why| why.to_string())?;
    if !answer.succeeded {
        return Err(answer.why());
    }
    let answers: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(&answer.output).into_iter().collect();
    let answers = answers.map_err(|why| format!("{program} answers no JSON: {why}"))?;
    Ok(read_machines(provider, &answers))
}

/// kubectl with the lab's own kubeconfig.
struct Kubectl {
    kubeconfig: PathBuf,
}

impl Kubectl {
    fn of(root: &Path, lab: &Lab) -> Option<Self> {
        let run = format!(".meshlab/{}.run", lab.name);
        let kubeconfig = root.join(run).join("kubeconfig");
        kubeconfig.is_file().then_some(Self { kubeconfig })
    }

    fn asked(&self, lab: &Lab) -> Asked {
        let (releases, applications) = rayon::join(|| self.releases(lab), || self.applications(lab));
        Asked { releases, applications }
    }

    /// The release of every API server, or why it does not answer.
    fn releases(&self, lab: &Lab) -> BTreeMap<String, Result<String, String>> {
        let release = |cluster: &str| {
            let version = self.ask(cluster, &["get", "--raw=/version"])?;
            Ok(version["gitVersion"].as_str().unwrap_or("unknown").to_owned())
        };
        let names: Vec<String> = lab.clusters.iter().map(|cluster| cluster.name.to_string()).collect();
        names
            .into_par_iter()
            .map(|name| {
                let release = release(&name);
                (name, release)
            })
            .collect()
    }

    fn applications(&self, lab: &Lab) -> Result<Value, String> {
        let arguments = [
            "--namespace",
            "argocd",
            "get",
            "applications.argoproj.io",
            "--output=json",
        ];
        self.ask(lab.manager().name.as_str(), &arguments)
    }

    fn ask(&self, cluster: &str, arguments: &[&str]) -> Result<Value, String> {
        let config = OsStr::new("--kubeconfig");
        let common = [config, self.kubeconfig.as_os_str()];
        let context = ["--context", cluster, "--request-timeout=10s"].map(OsStr::new);
        let all = common
            .into_iter()
            .chain(context)
            .chain(arguments.iter().map(OsStr::new));
        let answer = tool::ask("kubectl", all, &[], PATIENCE).map_err(|why| format!("kubectl: {why}"))?;
        if !answer.succeeded {
            return Err(answer.why());
        }
        serde_json::from_str(&answer.output).map_err(|why| format!("kubectl answers no JSON: {why}"))
    }
}

fn text(report: &Report) -> String {
    let state = if report.well { "well" } else { "not well" };
    let mut text = format!(
        "lab {}: {state}; its root has {} days left\n\n",
        report.lab, report.root_days
    );
    text += &super::print::table(
        [
            "CLUSTER",
            "CELL",
            "MACHINE",
            "API",
            "SYNCED",
            "HEALTHY",
            "FIRST CERTIFICATE TO END",
        ],
        report.clusters.iter().map(row).chain(report.vms.iter().map(vm_row)),
    );
    if !report.problems.is_empty() {
        text += "\n";
    }
    text += &report
        .problems
        .iter()
        .map(|problem| format!("{problem}\n"))
        .collect::<String>();
    text
}

fn row(cluster: &ClusterReport) -> [String; 7] {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let tally = cluster.applications.as_ref();
    [
        cluster.cluster.clone(),
        cluster.cell.clone(),
        or_none(cluster.machine.clone()),
        or_none(cluster.api.clone()),
        or_none(tally.map(|tally| format!("{}/{}", tally.synced, tally.expected))),
        or_none(tally.map(|tally| format!("{}/{}", tally.healthy, tally.expected))),
        or_none(
            cluster
                .certificate
                .as_ref()
                .map(|one| format!("{}, {} days", one.what, one.days)),
        ),
    ]
}

fn vm_row(vm: &VmReport) -> [String; 7] {
    let none = || "-".to_owned();
    let machine = vm.machine.clone().unwrap_or_else(none);
    [vm.vm.clone(), vm.cell.clone(), machine, none(), none(), none(), none()]
}
