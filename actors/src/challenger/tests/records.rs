//! What is on disk.

use alloy::primitives::{B256, Bytes};
use anzen_messages::TaskResponse;

use super::super::effect::State;
use super::super::records::{Answer, Due, Found, Record, Said, TASKS, Told, load};
use crate::ports::{Store, Write};
use crate::testing::world::MemoryStore;
use crate::testing::{task, value};

fn record() -> Record {
    let task = task(0, 101);
    let response = TaskResponse { task_hash: task.hash(), safety_factor: value(2) };
    let found = Found { due: Due::Answer(value(1)), witness: Some(Bytes::from_static(b"proof")) };
    let answer = Answer { response, transaction: B256::repeat_byte(3), block: 102 };
    let said = Said { verdict: Told::Verdict, state: Some(State::Veto), slashed: 1 };
    Record::new(task, Some(found), Some(answer), said)
}

async fn read(change: impl FnOnce(String) -> String) -> Result<Vec<Record>, String> {
    let store = MemoryStore::default();
    let Some(Write::Put { space, key, value }) = record().put() else { panic!() };
    let value = change(String::from_utf8(value).unwrap()).into_bytes();
    store.commit(vec![Write::Put { space, key, value }]).await.unwrap();
    load(&store).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_record_is_read_as_it_was_written() {
    assert_eq!(read(|text| text).await, Ok(vec![record()]));
}

#[tokio::test]
async fn a_record_from_before_it_said_what_was_told_is_read() {
    let older = |text: String| format!("{}}}", &text[..text.find(",\"said\"").unwrap()]);
    let mut wanted = record();
    wanted.said = Said::default();
    assert_eq!(read(older).await, Ok(vec![wanted]));
}

#[tokio::test]
async fn a_record_that_is_not_what_was_written_is_named() {
    let named = format!("the store's record {} of {}", task(0, 101).hash(), TASKS.0);
    let other_hash = format!("\"taskHash\":\"{}\"", B256::ZERO);
    let cut = read(|text| text[..text.len() / 2].to_owned()).await.unwrap_err();
    let newer = read(|text| text.replace("\"version\":1", "\"version\":2")).await.unwrap_err();
    let mine = format!("\"taskHash\":\"{}\"", task(0, 101).hash());
    let foreign = read(|text| text.replace(&mine, &other_hash)).await.unwrap_err();
    for error in [&cut, &newer, &foreign] {
        assert!(error.contains(&named), "{error}");
    }
    assert!(newer.contains("version 2") && foreign.contains("do not fit"), "{newer} {foreign}");
}
