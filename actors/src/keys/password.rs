//! Passwords: from a file, from a variable, or from a person. Never from a flag, which every user of the machine can see.

use std::path::Path;

use zeroize::Zeroizing;

use super::{KeyError, Surroundings, files};

/// How often a person may try.
const TRIES: usize = 3;

/// Where a password is looked for.
#[derive(Debug, Clone, Copy)]
pub struct PasswordFrom<'a> {
    /// What it opens, for messages: "the BLS keystore FILE".
    pub what: &'a str,
    /// The file, where one is named.
    pub file: Option<&'a Path>,
    /// The setting or flag that names a file.
    pub file_setting: &'static str,
    /// The variable.
    pub variable: &'static str,
}

impl PasswordFrom<'_> {
    /// Opens something with the password that is given; where none is, asks for it, up to three times.
    pub(super) fn open<T>(
        &self,
        surroundings: &dyn Surroundings,
        is_wrong: impl Fn(&KeyError) -> bool,
        mut open: impl FnMut(&str) -> Result<T, KeyError>,
    ) -> Result<T, KeyError> {
        if let Some(password) = self.given(surroundings)? {
            return open(&password);
        }
        if !surroundings.has_terminal() {
            return Err(self.missing());
        }
        let question = format!("Password of {}: ", self.what);
        for left in (0..TRIES).rev() {
            let password = surroundings.ask_hidden(&question).map_err(KeyError::Terminal)?;
            match open(&password) {
                Err(error) if is_wrong(&error) && left > 0 => {
                    surroundings.tell("That password is wrong; try again.");
                }
                outcome => return outcome,
            }
        }
        Err(self.missing())
    }

    /// The password in the file or the variable.
    fn given(&self, surroundings: &dyn Surroundings) -> Result<Option<Zeroizing<String>>, KeyError> {
        match self.file {
            Some(path) => Ok(Some(without_line_end(&files::read(path)?))),
            None => Ok(surroundings.variable(self.variable)),
        }
    }

    fn missing(&self) -> KeyError {
        let Self { what, file_setting, variable, .. } = *self;
        KeyError::NoPassword { what: what.to_owned(), file: file_setting, variable }
    }
}

/// The password of a keystore that is written.
#[derive(Debug, Clone, Copy)]
pub struct NewPassword<'a>(pub PasswordFrom<'a>);

impl NewPassword<'_> {
    /// The password that is given; where none is, one that is asked for, twice.
    ///
    /// # Errors
    /// Where there is none, it is empty, or the two differ.
    pub fn get(&self, surroundings: &dyn Surroundings) -> Result<Zeroizing<String>, KeyError> {
        let password = match self.0.given(surroundings)? {
            Some(password) => password,
            None if surroundings.has_terminal() => self.ask(surroundings)?,
            None => return Err(self.0.missing()),
        };
        if password.is_empty() { Err(KeyError::EmptyPassword) } else { Ok(password) }
    }

    fn ask(&self, surroundings: &dyn Surroundings) -> Result<Zeroizing<String>, KeyError> {
        let ask = |question: &str| surroundings.ask_hidden(question).map_err(KeyError::Terminal);
        let first = ask(&format!("New password of {}: ", self.0.what))?;
        let second = ask("The same again: ")?;
        if first == second { Ok(first) } else { Err(KeyError::PasswordsDiffer) }
    }
}

/// One line end is the editor's, not the password's.
fn without_line_end(text: &str) -> Zeroizing<String> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned())
}
