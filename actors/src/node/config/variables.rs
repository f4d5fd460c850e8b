//! Variables of the environment.

use super::key::Key;
use super::known::nearest;

/// What the names of all of them begin with.
pub(super) const PREFIX: &str = "ANZEN_";

/// Those that are no settings, beside those of the keys. A test of the program compares them with its flags.
const OTHERS: [&str; 2] = ["ANZEN_CONFIG", "ANZEN_WRITE_VECTORS"];

/// The variables that are the program's own, and no settings.
pub fn own_variables() -> impl Iterator<Item = &'static str> {
    OTHERS.into_iter().chain(crate::keys::VARIABLES)
}

/// A variable that is not known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stranger {
    /// Somebody else's: Kubernetes sets ANZEN_PORT for a service that is called anzen.
    NotOurs,
    /// A setting, or one of the program's own, with a mistake in it.
    Misspelt(Vec<String>),
}

/// What to think of a variable that names no setting. One that has the form of a setting is never ignored.
pub(super) fn stranger(name: &str) -> Stranger {
    let key = Key::of_variable(name.strip_prefix(PREFIX).unwrap_or(name));
    let own = own_variables().filter(|own| strsim::damerau_levenshtein(own, name) <= 1);
    let own: Vec<String> = own.map(str::to_owned).collect();
    let meant: Vec<String> =
        if own.is_empty() { nearest(&key).iter().map(Key::variable).collect() } else { own };
    if meant.is_empty() && !name.contains("__") { Stranger::NotOurs } else { Stranger::Misspelt(meant) }
}
