//! The name of a setting.

use std::fmt;

/// The parts of a setting's name; a number is a place in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key(pub(super) Vec<String>);

impl Key {
    /// The key that is written with dots, as on a command line.
    pub(super) fn dotted(text: &str) -> Self {
        Self(text.split('.').map(str::to_owned).collect())
    }

    /// The key that a variable names, without its prefix: `CHAIN__RPC_URL`.
    pub(super) fn of_variable(name: &str) -> Self {
        Self(name.to_lowercase().split("__").map(str::to_owned).collect())
    }

    /// The variable that sets it.
    pub fn variable(&self) -> String {
        format!("{}{}", super::variables::PREFIX, self.0.join("__").to_uppercase().replace('-', "_"))
    }

    /// The key with one part more.
    pub(super) fn join(&self, part: &str) -> Self {
        let mut parts = self.0.clone();
        parts.push(part.to_owned());
        Self(parts)
    }

    /// The setting that it is in: the list, for what is in a list.
    pub(super) fn setting(&self) -> Self {
        Self(self.0.iter().take_while(|part| part.parse::<usize>().is_err()).cloned().collect())
    }

    /// The last part.
    pub(super) fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            match (part.parse::<usize>(), index) {
                (Ok(place), _) => write!(f, "[{place}]")?,
                (Err(_), 0) => f.write_str(part)?,
                (Err(_), _) => write!(f, ".{part}")?,
            }
        }
        Ok(())
    }
}
