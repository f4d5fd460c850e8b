//! What a verification found.

use std::fmt;

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// What was found.
    pub finding: Finding,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// All is well; with what was seen.
    Ok(String),
    /// Something is wrong.
    Failed {
        /// What.
        what: String,
        /// What to do about it.
        todo: String,
    },
}

/// All checks of a deployment, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Check>,
}

/// A deployment is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {all} checks failed:\n{report}")]
pub struct VerifyError {
    /// How many checks failed.
    pub failed: usize,
    /// How many there were.
    pub all: usize,
    /// The failed ones, a line each.
    pub report: String,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.failed().next().is_none()
    }

    /// The checks that found something wrong.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| matches!(check.finding, Finding::Failed { .. }))
    }

    /// The report as an error, if anything is wrong.
    pub fn into_result(self) -> Result<Self, VerifyError> {
        if self.is_ok() {
            return Ok(self);
        }
        let lines: Vec<String> = self.failed().map(ToString::to_string).collect();
        Err(VerifyError { failed: lines.len(), all: self.checks.len(), report: lines.join("\n") })
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.finding {
            Finding::Ok(seen) => write!(f, "ok      {}: {seen}", self.name),
            Finding::Failed { what, todo } => write!(f, "FAILED  {}: {what}; {todo}", self.name),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            writeln!(f, "{check}")?;
        }
        write!(f, "{} checks, {} failed", self.checks.len(), self.failed().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, finding: Finding) -> Check {
        Check { name: name.into(), finding }
    }

    #[test]
    fn a_failure_makes_an_error_that_says_what_to_do() {
        let good = check("code of a", Finding::Ok("24 bytes".into()));
        assert!(Report { checks: vec![good.clone()] }.into_result().is_ok());

        let bad = Finding::Failed { what: "is 1, should be 2".into(), todo: "set it".into() };
        let report = Report { checks: vec![good, check("owner of b", bad)] };
        assert!(report.to_string().ends_with("2 checks, 1 failed"));
        let error = report.into_result().unwrap_err().to_string();
        assert_eq!(error, "1 of 2 checks failed:\nFAILED  owner of b: is 1, should be 2; set it");
    }
}
