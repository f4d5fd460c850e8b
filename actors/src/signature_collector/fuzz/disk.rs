//! What was kept of signatures, penalties and evidence.

use anzen_messages::chain::{ChainDelta, DeltaBase};
use anzen_messages::{OperatorId, TaskHash};
use futures::FutureExt;

use super::super::Config;
use super::super::collector::Collector;
use super::super::effect::Fault;
use super::super::records::{
    EVIDENCE, PENALTIES, SECONDS, SIGNATURES, penalties, put, put_second, signatures,
};
use super::super::start::recover;
use crate::follow::ChainState;
use crate::fuzz;
use crate::ports::{Store, Write};
use crate::testing::world::MemoryStore;
use crate::testing::{block, domain};

/// Records of one kind, which the first byte tells. What can be read is written as it was, and the collector goes on with it.
pub(crate) fn records(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    let spaces = [SIGNATURES, SECONDS, EVIDENCE, PENALTIES];
    let space = spaces[usize::from(*which) % spaces.len()];
    let store = MemoryStore::default();
    let records = fuzz::records(rest).into_iter();
    let writes: Vec<Write> = records.map(|(key, value)| Write::Put { space, key, value }).collect();
    assert_eq!(store.commit(writes).now_or_never(), Some(Ok(())));
    assert_same(&store);
    let mut state = Collector::new(Config::default(), domain(), 30);
    if let Some(Err(error)) = recover(&mut state, &store).now_or_never() {
        assert!(!error.to_string().is_empty());
        return;
    }
    let accused: Vec<OperatorId> = penalties(&store)
        .now_or_never()
        .into_iter()
        .flatten()
        .flatten()
        .map(|(operator, _)| operator)
        .collect();
    for number in [100, 101, u64::from(u32::MAX), u64::MAX - 1] {
        let block = block(number, Vec::new());
        let head = block.header.at;
        drop(state.advance(&ChainDelta { base: DeltaBase::Continues, blocks: vec![block], head }));
        for operator in &accused {
            drop(state.fault((TaskHash(Default::default()), *operator), Fault::BadSignature));
        }
    }
}

fn assert_same(store: &MemoryStore) {
    for (space, write) in [(SIGNATURES, put as fn(_, &_) -> Write), (SECONDS, put_second)] {
        let (Some(Ok(read)), Some(Ok(kept))) =
            (signatures(store, space).now_or_never(), store.load(space).now_or_never())
        else {
            continue;
        };
        let written = read.iter().map(|(place, record)| write(*place, record));
        let same = kept.into_iter().map(|(key, value)| Write::Put { space, key, value });
        assert!(written.eq(same));
    }
}
