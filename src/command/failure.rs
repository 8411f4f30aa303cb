//! Why a command did not do what it should, and the exit code for it.

use std::process::ExitCode;

use crate::core::problem::{Problem, Problems};
use crate::edge::repository::Refused;
use crate::edge::tree::TreeError;

/// Exit codes (DESIGN: highest wins over several labs).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// Done, or nothing to do.
    Clean = 0,
    /// Differences found, or an incomplete lock.
    Differs = 1,
    /// Invalid input, wrong usage, a refusal.
    Refused = 2,
    /// The environment failed: files, tools.
    Environment = 3,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// Why a command did not do what it should.
#[derive(Debug)]
pub enum Failure {
    /// What the user wrote is wrong.
    Input(Problems),
    /// meshlab will not do that.
    Refused(String),
    /// The lock lacks something, and nobody may mint it now.
    Incomplete(String),
    /// The environment failed.
    Environment(anyhow::Error),
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> Code {
        match self {
            Self::Input(_) | Self::Refused(_) => Code::Refused,
            Self::Incomplete(_) => Code::Differs,
            Self::Environment(_) => Code::Environment,
        }
    }
}

impl Failure {
    /// The problems of the input, if that is what is wrong.
    pub(super) fn problems(self) -> Problems {
        match self {
            Self::Input(problems) => problems,
            Self::Refused(why) | Self::Incomplete(why) => Problem::new(why).into(),
            Self::Environment(error) => Problem::new(format!("{error:#}")).into(),
        }
    }
}

impl From<TreeError> for Failure {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Refused(problems) => Self::Input(problems),
            failed @ TreeError::Failed(_) => Self::Environment(anyhow::Error::new(failed)),
        }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Input(problems)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Input(problem.into())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Refused>() {
            Ok(Refused(why)) => Self::Refused(why),
            Err(error) => Self::Environment(error),
        }
    }
}
