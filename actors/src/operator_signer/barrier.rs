//! From which block on tasks are signed.

use super::records::BarrierRecord;
use crate::ports::Write;

/// The block up to which nothing is signed, because the records may lack what was.
#[derive(Debug, Clone, Copy)]
pub(super) enum Barrier {
    /// Decided by the first block that is followed.
    Pending,
    /// This one, where there is one.
    At { block: Option<u32>, on_disk: bool },
}

impl Barrier {
    /// That of records which tell all that was ever signed.
    pub(super) const NONE: Self = Self::At { block: None, on_disk: true };
    /// The same, decided now: it goes to disk, so that it is never decided again.
    pub(super) const TRUSTED: Self = Self::At { block: Some(0), on_disk: false };

    /// That of a store with the record `decided`, which was found to be a copy so often.
    pub(super) fn of(decided: Option<BarrierRecord>, is_new: bool, restorations: u64) -> Self {
        match decided {
            Some(BarrierRecord { block: Some(block), restorations: known }) if known == restorations => {
                Self::At { block: Some(block), on_disk: true }
            }
            // Versions before knew no barrier.
            None if !is_new && restorations == 0 => Self::NONE,
            _ => Self::Pending,
        }
    }

    /// The chain is followed, and this is its head.
    pub(super) fn begin(&mut self, head: u32) {
        if self.is_pending() {
            *self = Self::At { block: Some(head), on_disk: false };
        }
    }

    pub(super) fn is_pending(self) -> bool {
        matches!(self, Self::Pending)
    }

    /// Nothing that was created up to here is signed.
    pub(super) fn block(self) -> Option<u32> {
        match self {
            Self::Pending => Some(u32::MAX),
            Self::At { block, .. } => block,
        }
    }

    /// What has to be on disk before anything is signed, as long as it is not.
    pub(super) fn write(self, restorations: u64) -> Option<Write> {
        match self {
            Self::At { block: Some(block), on_disk: false } => {
                Some(BarrierRecord { block: Some(block), restorations }.write())
            }
            _ => None,
        }
    }

    /// That is done.
    pub(super) fn is_on_disk(&mut self) {
        if let Self::At { on_disk, .. } = self {
            *on_disk = true;
        }
    }
}
