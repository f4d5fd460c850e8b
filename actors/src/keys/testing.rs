//! Surroundings for tests.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;

use zeroize::Zeroizing;

use super::Surroundings;

/// Variables, and what a person at a terminal answers; without answers there is no terminal.
#[derive(Debug, Default)]
pub(crate) struct Scripted {
    pub(crate) variables: BTreeMap<&'static str, String>,
    pub(crate) answers: Option<RefCell<VecDeque<&'static str>>>,
    pub(crate) told: RefCell<Vec<String>>,
}

impl Scripted {
    pub(crate) fn with_variable(name: &'static str, value: &str) -> Self {
        Self { variables: [(name, value.to_owned())].into(), ..Self::default() }
    }

    pub(crate) fn answering(answers: impl IntoIterator<Item = &'static str>) -> Self {
        Self { answers: Some(RefCell::new(answers.into_iter().collect())), ..Self::default() }
    }
}

impl Surroundings for Scripted {
    fn variable(&self, name: &str) -> Option<Zeroizing<String>> {
        self.variables.get(name).cloned().map(Zeroizing::new)
    }

    fn has_terminal(&self) -> bool {
        self.answers.is_some()
    }

    fn ask_hidden(&self, _question: &str) -> io::Result<Zeroizing<String>> {
        let answer = self.answers.as_ref().and_then(|answers| answers.borrow_mut().pop_front());
        answer.map(|text| Zeroizing::new(text.to_owned())).ok_or_else(|| io::Error::other("asked too often"))
    }

    fn ask(&self, question: &str) -> io::Result<String> {
        Ok(self.ask_hidden(question)?.to_string())
    }

    fn tell(&self, text: &str) {
        self.told.borrow_mut().push(text.to_owned());
    }
}
