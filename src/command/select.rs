//! Which labs a command line means.

use std::path::Path;

use anyhow::{Context, anyhow};

use super::Failure;
use crate::core::problem::closest;
use crate::edge::repository::{BlueprintFile, Repository};

/// A repository and the blueprints in it that a command is about.
pub(super) struct Selection {
    pub(super) repository: Repository,
    pub(super) blueprints: Vec<BlueprintFile>,
}

/// The repository of `-C`, or the one around the working directory.
pub(super) fn repository(directory: Option<&Path>) -> Result<Repository, Failure> {
    if let Some(directory) = directory {
        return if directory.is_dir() {
            Ok(Repository::at(directory))
        } else {
            Err(Failure::Refused(format!("{} is not a directory", directory.display())))
        };
    }
    let here = std::env::current_dir().context("cannot tell the working directory")?;
    Repository::around(&here).ok_or_else(|| {
        let help = "create `blueprints/<lab>.yaml`, name a repository with -C DIR, or name a blueprint's file";
        Failure::Refused(format!(
            "there is no `blueprints/` here or in any directory above\n  = help: {help}"
        ))
    })
}

/// The blueprints that the arguments name: a FILE has a `/` or ends in `.yaml`, anything else is a LAB; none means every lab.
pub(super) fn select(directory: Option<&Path>, arguments: &[String]) -> Result<Selection, Failure> {
    let repository = match repository(directory) {
        Ok(repository) => repository,
        Err(failure) => around_file(arguments).ok_or(failure)?,
    };
    let blueprints = if arguments.is_empty() {
        all(&repository)?
    } else {
        let mut chosen = arguments
            .iter()
            .map(|argument| one(&repository, argument))
            .collect::<Result<Vec<_>, _>>()?;
        chosen.sort();
        chosen.dedup();
        chosen
    };
    Ok(Selection { repository, blueprints })
}

fn is_file(argument: &str) -> bool {
    argument.contains('/')
        || Path::new(argument)
            .extension()
            .is_some_and(|extension| extension == "yaml")
}

/// The repository of a file outside any: the one around it, else its own directory.
fn around_file(arguments: &[String]) -> Option<Repository> {
    let file = Path::new(arguments.iter().find(|argument| is_file(argument))?);
    let dir = std::path::absolute(file).ok()?.parent()?.to_owned();
    Some(Repository::around(&dir).unwrap_or_else(|| Repository::at(dir)))
}

fn all(repository: &Repository) -> Result<Vec<BlueprintFile>, Failure> {
    let found = repository.blueprints()?;
    if found.is_empty() {
        let message = format!(
            "there is no blueprint in {}",
            repository.root().join("blueprints").display()
        );
        return Err(Failure::Refused(format!(
            "{message}\n  = help: write `blueprints/<lab>.yaml`"
        )));
    }
    Ok(found)
}

fn one(repository: &Repository, argument: &str) -> Result<BlueprintFile, Failure> {
    if is_file(argument) {
        let path = Path::new(argument);
        return if path.is_file() {
            Ok(repository.file(path))
        } else {
            Err(Failure::Environment(anyhow!(
                "cannot read {argument}: there is no such file"
            )))
        };
    }
    let file = repository.blueprint(argument);
    if file.path.is_file() {
        return Ok(file);
    }
    let known = repository.blueprints().unwrap_or_default();
    let names: Vec<&str> = known.iter().map(BlueprintFile::lab).collect();
    let help = match closest(argument, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => format!("write {}", file.name),
        None => format!("labs here: {}", names.join(", ")),
    };
    Err(Failure::Refused(format!(
        "there is no lab `{argument}`\n  = help: {help}"
    )))
}
