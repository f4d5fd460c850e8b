//! Each actor runs in one process.

use anzen_actors::nats::{Holder, Leases, NatsError};
use futures::StreamExt;

use super::*;

async fn leases(server: &Server, instance: &str, predecessor: Option<&str>) -> Leases {
    let holder = Holder { instance: instance.into(), predecessor: predecessor.map(str::to_owned) };
    Leases::new(server.bus(instance).await, holder, vec![ActorName::Aggregator])
}

#[actix::test]
async fn an_actor_runs_in_one_process_and_another_steps_in() {
    let server = Server::start().await;
    let stop = CancellationToken::new();
    drop(leases(&server, "first", None).await.take().await);
    // The first returns after a crash: it is the same process, and has its lease at once.
    let first = leases(&server, "first-again", Some("first")).await.take().await;
    let kept = actix::spawn(first.keep(stop.clone()));
    let second = leases(&server, "second", None).await.take();
    tokio::pin!(second);
    assert!(futures::poll!(&mut second).is_pending());
    stop.cancel();
    kept.await.unwrap().unwrap();
    let second = second.await;
    let usurped = second.keep(CancellationToken::new());
    tokio::pin!(usurped);
    assert!(futures::poll!(&mut usurped).is_pending());
    let bucket =
        async_nats::jetstream::new(server.stranger().await).get_key_value("ANZEN_LEASES_anzen").await;
    bucket.unwrap().put("aggregator", "somebody else".into()).await.unwrap();
    assert!(matches!(usurped.await, Err(NatsError::Taken(ActorName::Aggregator))));
}

#[actix::test]
async fn two_processes_on_copies_of_one_folder_do_not_both_have_the_lease() {
    let server = Server::start().await;
    drop(leases(&server, "before", None).await.take().await);
    // Both hold a store whose last user was "before": the disk was copied as a whole, which a store cannot know.
    let one = leases(&server, "one", Some("before")).await.take().await;
    let other = leases(&server, "other", Some("before")).await.take();
    tokio::pin!(other);
    actix::spawn(one.keep(CancellationToken::new()));
    let bucket =
        async_nats::jetstream::new(server.stranger().await).get_key_value("ANZEN_LEASES_anzen").await;
    let mut written = bucket.unwrap().watch("aggregator").await.unwrap();
    for _ in 0..2 {
        tokio::select! {
            _ = &mut other => panic!("both have it"),
            renewed = written.next() => assert_eq!(renewed.unwrap().unwrap().value, "one"),
        }
    }
}
