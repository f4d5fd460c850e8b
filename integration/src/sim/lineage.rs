//! Whether a store's file is the one that the process before left, or a copy of some earlier state: the rules of
//! `sqlite_store/lineage.rs`.
//!
//! Every start leaves a new witness beside the file, and notes in the file which one, and which file it is itself. A copy is
//! another file, and may name another witness.

/// What a file knows of itself; nothing until a process has opened it.
#[derive(Debug, Clone, Default)]
pub(super) struct File(Option<Known>);

#[derive(Debug, Clone)]
struct Known {
    restorations: u64,
    file: u64,
    /// That of the last start, and the one before.
    witnesses: [Option<u64>; 2],
}

/// Where a file is: which one it is, and the witness beside it.
#[derive(Debug, Default)]
pub(super) struct Place {
    file: u64,
    witness: Option<u64>,
    /// How many files and witnesses there were.
    made: u64,
}

impl Place {
    /// Compares the file with its witness, and leaves the next one. Returns how often the file was found to be a copy.
    pub(super) fn examine(&mut self, file: &mut File) -> u64 {
        let beside = self.witness;
        let restorations = match &file.0 {
            None => u64::from(beside.is_some()),
            Some(known) => {
                let is_same = known.file == self.file && known.witnesses.contains(&beside);
                known.restorations + u64::from(!is_same)
            }
        };
        self.made += 1;
        self.witness = Some(self.made);
        file.0 = Some(Known { restorations, file: self.file, witnesses: [self.witness, beside] });
        restorations
    }

    /// Another file takes the place of the one that was there.
    pub(super) fn replaced(&mut self) {
        self.made += 1;
        self.file = self.made;
    }
}
