//! Whatever happens to the sender.

use proptest::prelude::*;

use super::{World, id, request};

/// What happens to the sender.
#[derive(Debug, Clone, Copy)]
enum Event {
    Ask(u8),
    Mine,
    Crash,
    Price(u16),
    Forgetful(bool),
    NodeDown(bool),
    OtherSender,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0u8..6).prop_map(Event::Ask),
        6 => Just(Event::Mine),
        1 => Just(Event::Crash),
        1 => (1u16..200).prop_map(Event::Price),
        1 => any::<bool>().prop_map(Event::Forgetful),
        1 => any::<bool>().prop_map(Event::NodeDown),
        1 => Just(Event::OtherSender),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever happens: nothing takes effect twice, and when the trouble is over, everything that is asked for does once.
    #[test]
    fn every_request_takes_effect_once(events in prop::collection::vec(event(), 0..60)) {
        let mut world = World::new();
        for event in events {
            match event {
                Event::Ask(i) => world.ask(request(i)),
                Event::Mine => world.mine(),
                Event::Crash => world.crash(),
                Event::Price(price) => world.price = price.into(),
                Event::Forgetful(forgetful) => world.forgetful = forgetful,
                Event::NodeDown(down) => world.node_down = down,
                Event::OtherSender => {
                    world.pool.remove(&world.nonce);
                    world.nonce += 1;
                }
            }
            prop_assert!(world.effective.values().all(|times| *times == 1), "{:?}", world.effective);
        }
        (world.price, world.forgetful, world.node_down) = (100, false, false);
        for i in 0..6 {
            world.ask(request(i));
        }
        for _ in 0..120 {
            world.mine();
        }
        for i in 0..6 {
            prop_assert_eq!(world.effective.get(&id(i)), Some(&1), "request {}", i);
        }
    }
}
