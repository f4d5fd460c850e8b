//! The state of the edge, without I/O.

use super::super::bucket::Allowance;
use super::*;
use proptest::prelude::*;

const NONCE: B256 = B256::repeat_byte(7);

fn rules() -> Rules {
    Rules {
        server: "here".into(),
        longest_seconds: 100,
        most_sessions: 3,
        most_strangers: 4,
        most_strangers_per_address: 2,
        knocks: Allowance { burst: 1000, refill: Duration::from_millis(1) },
        attempts: Allowance { burst: 3, refill: Duration::from_secs(10) },
        most_addresses: 8,
    }
}

fn at(seconds: u64) -> Now {
    Now { seconds, uptime: Duration::from_secs(seconds) }
}

fn peer(last: u8) -> SocketAddr {
    ([10, 0, 0, last], 1).into()
}

fn operator(byte: u8) -> OperatorId {
    OperatorId(B256::repeat_byte(byte))
}

fn session(byte: u8, expiry: u64) -> Session {
    Session { server: "here".into(), nonce: NONCE, operator_id: operator(byte), expiry }
}

fn connect(sessions: &mut Sessions, last: u8) -> ConnectionId {
    sessions.connect(peer(last), at(10)).unwrap().0
}

fn opened(sessions: &mut Sessions, last: u8, byte: u8) -> Result<(ConnectionId, Grant), RpcError> {
    let id = connect(sessions, last);
    sessions.hello(id, NONCE, at(10)).unwrap();
    sessions.open(id, &session(byte, 60), false, at(10))?;
    sessions.verified(id, &session(byte, 60), at(10)).map(|grant| (id, grant))
}

#[test]
fn a_nonce_is_good_for_one_attempt_on_its_connection() {
    let mut sessions = Sessions::new(rules());
    let [a, b] = [1, 2].map(|last| connect(&mut sessions, last));
    sessions.hello(a, NONCE, at(10)).unwrap();
    assert_eq!(sessions.open(b, &session(1, 60), false, at(10)), Err(RpcError::WrongNonce));
    assert_eq!(sessions.open(a, &session(1, 60), false, at(10)), Ok(()));
    assert_eq!(sessions.open(a, &session(1, 60), false, at(10)), Err(RpcError::WrongNonce));
}

#[test]
fn a_session_for_another_server_or_time_is_refused() {
    let mut sessions =
        Sessions::new(Rules { attempts: Allowance { burst: 9, ..rules().attempts }, ..rules() });
    let id = connect(&mut sessions, 1);
    let mut open = |session: Session| {
        sessions.hello(id, NONCE, at(10)).unwrap();
        sessions.open(id, &session, false, at(10))
    };
    let elsewhere = Session { server: "there".into(), ..session(1, 60) };
    assert!(matches!(open(elsewhere), Err(RpcError::WrongServer { .. })));
    for expiry in [0, 9, 10, 111, u64::MAX] {
        assert!(matches!(open(session(1, expiry)), Err(RpcError::WrongExpiry { .. })), "{expiry}");
    }
    assert_eq!(open(session(1, 110)), Ok(()));
}

#[test]
fn an_operator_has_one_live_session() {
    let mut sessions = Sessions::new(rules());
    let (first, _) = opened(&mut sessions, 1, 1).unwrap();
    assert_eq!(opened(&mut sessions, 2, 1), Err(RpcError::SecondSession(operator(1))));
    assert!(opened(&mut sessions, 3, 2).is_ok(), "another operator is free to");
    sessions.disconnect(first);
    sessions.disconnect(first);
    assert!(opened(&mut sessions, 1, 1).is_ok());
}

#[test]
fn an_expired_session_does_not_stand_in_the_way() {
    let mut sessions = Sessions::new(rules());
    let (first, grant) = opened(&mut sessions, 1, 1).unwrap();
    assert!(grant.is_alive(60) && !grant.is_alive(61));
    let second = connect(&mut sessions, 2);
    assert!(sessions.verified(second, &session(1, 90), at(61)).is_ok());
    sessions.disconnect(first);
    assert_eq!(
        sessions.holder(operator(1), at(61)),
        Some((second, peer(2))),
        "the first one's end is not its end"
    );
}

#[test]
fn a_session_is_renewed_on_its_connection_by_its_operator_only() {
    let mut sessions = Sessions::new(rules());
    let (id, _) = opened(&mut sessions, 1, 1).unwrap();
    let renewed = sessions.verified(id, &session(1, 90), at(50)).unwrap();
    assert_eq!(renewed.expiry, 90);
    let other = sessions.verified(id, &session(2, 90), at(50));
    assert_eq!(other, Err(RpcError::NotYourId { session: operator(1), message: operator(2) }));
}

#[test]
fn attempts_are_limited_by_address_whatever_they_claim() {
    let mut sessions = Sessions::new(rules());
    let [a, b, c] = [1, 1, 2].map(|last| connect(&mut sessions, last));
    for (claim, id) in [(1, a), (2, b), (3, a)] {
        assert_eq!(sessions.open(id, &session(claim, 60), false, at(10)), Err(RpcError::WrongNonce));
    }
    sessions.hello(b, NONCE, at(10)).unwrap();
    let refused = sessions.open(b, &session(4, 60), false, at(10));
    assert_eq!(refused, Err(RpcError::TooManyAttempts { retry_after_ms: 10_000 }));
    sessions.hello(c, NONCE, at(10)).unwrap();
    assert_eq!(sessions.open(c, &session(4, 60), false, at(10)), Ok(()), "another address is free to");
    assert_eq!(sessions.open(b, &session(4, 60), false, at(20)), Ok(()), "the nonce was not used up");
}

#[test]
fn strangers_are_limited_by_address() {
    let mut sessions = Sessions::new(rules());
    let first = connect(&mut sessions, 1);
    connect(&mut sessions, 1);
    assert_eq!(sessions.connect(peer(1), at(10)), Err(Crowded::Address));
    sessions.disconnect(first);
    connect(&mut sessions, 1);
}

#[test]
fn the_oldest_stranger_of_the_address_that_has_most_gives_way() {
    let mut sessions = Sessions::new(rules());
    let ids = [1, 2, 2, 3].map(|last| connect(&mut sessions, last));
    let (_, given_way) = sessions.connect(peer(4), at(10)).unwrap();
    assert_eq!(given_way, Some(ids[1]));
    let (_, given_way) = sessions.connect(peer(5), at(10)).unwrap();
    assert_eq!(given_way, Some(ids[0]), "all have one: the oldest of all");
    assert_eq!(sessions.sizes(), (4, 0));
}

#[test]
fn who_is_being_checked_and_who_has_a_session_does_not_give_way() {
    let mut sessions = Sessions::new(rules());
    let (known, _) = opened(&mut sessions, 9, 1).unwrap();
    let checked = connect(&mut sessions, 1);
    sessions.hello(checked, NONCE, at(10)).unwrap();
    sessions.open(checked, &session(2, 60), false, at(10)).unwrap();
    for last in 2..200 {
        let (_, given_way) = sessions.connect(peer(last), at(10)).unwrap();
        assert!(given_way != Some(checked) && given_way != Some(known));
    }
    assert!(sessions.verified(checked, &session(2, 60), at(10)).is_ok());
}

#[test]
fn connections_and_nonces_are_rationed_by_address_and_lead_to_a_session_free_of_charge() {
    let knocks = Allowance { burst: 4, refill: Duration::from_secs(10) };
    let mut sessions = Sessions::new(Rules { knocks, most_sessions: 100, ..rules() });
    for byte in 0..20 {
        let (id, _) = opened(&mut sessions, 1, byte).unwrap();
        sessions.disconnect(id);
    }
    for _ in 0..2 {
        let id = connect(&mut sessions, 1);
        sessions.hello(id, NONCE, at(10)).unwrap();
        sessions.disconnect(id);
    }
    assert_eq!(sessions.connect(peer(1), at(10)), Err(Crowded::Knocks));
    let id = sessions.connect(peer(1), at(20)).unwrap().0;
    assert_eq!(sessions.hello(id, NONCE, at(20)), Err(RpcError::TooManyAttempts { retry_after_ms: 10_000 }));
    connect(&mut sessions, 2);
}

#[test]
fn sessions_are_limited_and_what_is_not_the_operators_fault_is_no_attempt() {
    let mut sessions = Sessions::new(rules());
    for byte in 1..=3 {
        opened(&mut sessions, byte, byte).unwrap();
    }
    for _ in 0..10 {
        let id = connect(&mut sessions, 7);
        sessions.hello(id, NONCE, at(10)).unwrap();
        sessions.open(id, &session(7, 60), false, at(10)).unwrap();
        let full = sessions.verified(id, &session(7, 60), at(10)).unwrap_err();
        assert!(matches!(full, RpcError::Full(_)), "{full:?}");
        sessions.refused(id, &full);
        sessions.disconnect(id);
    }
}

#[test]
fn many_operators_of_one_address_do_not_wait_for_each_other() {
    let attempts = Allowance { burst: 10, refill: Duration::from_secs(6) };
    let most = Rules {
        attempts,
        most_sessions: 200,
        most_strangers: 200,
        most_strangers_per_address: 200,
        ..rules()
    };
    let mut sessions = Sessions::new(Rules { most_addresses: 1000, ..most });
    let ids: Vec<_> = (0..200).map(|byte| (connect(&mut sessions, 1), byte)).collect();
    for (id, byte) in &ids {
        sessions.hello(*id, NONCE, at(10)).unwrap();
        // All are under way at once: none has had its session when the next asks.
        assert_eq!(sessions.open(*id, &session(*byte, 60), true, at(10)), Ok(()), "{byte}");
    }
    for (id, byte) in &ids {
        assert!(sessions.verified(*id, &session(*byte, 60), at(10)).is_ok(), "{byte}");
    }
    // Who is not known there pays from the address's own, which is untouched.
    let stranger = connect(&mut sessions, 1);
    sessions.hello(stranger, NONCE, at(10)).unwrap();
    assert_eq!(sessions.open(stranger, &session(250, 60), false, at(10)), Ok(()));
}

#[test]
fn sessions_of_one_operator_are_rationed() {
    let mut sessions = Sessions::new(rules());
    let (id, _) = opened(&mut sessions, 1, 1).unwrap();
    let mut renew = |at: Now| {
        sessions.hello(id, NONCE, at).unwrap();
        sessions.open(id, &session(1, 60), false, at)?;
        sessions.verified(id, &session(1, 60), at).map(drop)
    };
    // The first session and two renewals, then one each ten seconds.
    assert_eq!([(); 2].map(|()| renew(at(10))), [Ok(()), Ok(())]);
    assert_eq!(renew(at(10)), Err(RpcError::TooManyAttempts { retry_after_ms: 10_000 }));
    assert_eq!(renew(at(20)), Ok(()));
    assert!(renew(at(20)).is_err());
    // Nor by other connections, wherever from.
    sessions.disconnect(id);
    let elsewhere = sessions.connect(peer(2), at(20)).unwrap().0;
    sessions.hello(elsewhere, NONCE, at(20)).unwrap();
    let known = sessions.open(elsewhere, &session(1, 60), true, at(20));
    assert!(matches!(known, Err(RpcError::TooManyAttempts { .. })), "{known:?}");
    assert_eq!(sessions.open(elsewhere, &session(2, 60), true, at(20)), Ok(()), "another is free to");
}

#[test]
fn an_impostor_elsewhere_does_not_use_up_an_operators_attempts() {
    let mut sessions = Sessions::new(rules());
    for last in 2..50 {
        let id = connect(&mut sessions, last);
        sessions.hello(id, NONCE, at(10)).unwrap();
        sessions.open(id, &session(1, 60), false, at(10)).unwrap();
        sessions.refused(id, &RpcError::WrongSignature(operator(1)));
        sessions.disconnect(id);
    }
    let id = connect(&mut sessions, 1);
    sessions.hello(id, NONCE, at(10)).unwrap();
    assert_eq!(sessions.open(id, &session(1, 60), true, at(10)), Ok(()));
}

#[derive(Debug, Clone)]
enum Step {
    Connect(u8),
    Disconnect(usize),
    Hello(usize),
    Open(usize, u8),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..4u8).prop_map(Step::Connect),
        (0..8usize).prop_map(Step::Disconnect),
        (0..8usize).prop_map(Step::Hello),
        (0..8usize, 0..3u8).prop_map(|(id, operator)| Step::Open(id, operator)),
        (1..50u64).prop_map(Step::Pass),
    ]
}

proptest! {
    /// Whatever happens, an operator has at most one live session, and what is gone leaves nothing behind.
    #[test]
    fn one_live_session_each_and_nothing_left_behind(steps in prop::collection::vec(step(), 0..80)) {
        let mut sessions = Sessions::new(rules());
        let mut ids = Vec::new();
        let mut now = 10;
        for step in steps {
            let id = |place: usize| ids.get(place).copied();
            match step {
                Step::Connect(last) => ids.extend(sessions.connect(peer(last), at(now)).map(|(id, _)| id)),
                Step::Disconnect(place) => id(place).into_iter().for_each(|id| sessions.disconnect(id)),
                Step::Hello(place) => drop(id(place).map(|id| sessions.hello(id, NONCE, at(now)))),
                Step::Pass(seconds) => now += seconds,
                Step::Open(place, operator) => {
                    let Some(id) = id(place) else { continue };
                    let session = session(operator, now + 60);
                    if sessions.open(id, &session, false, at(now)).is_ok()
                        && let Err(refusal) = sessions.verified(id, &session, at(now))
                    {
                        sessions.refused(id, &refusal);
                    }
                }
            }
            for byte in 0..3 {
                let alive = |connection: &&Connection| {
                    connection.grant.is_some_and(|it| it.operator == operator(byte) && it.is_alive(now))
                };
                prop_assert!(sessions.connections.values().filter(alive).count() <= 1);
            }
            prop_assert!(sessions.strangers.len() <= 4 && sessions.connections.len() <= 4 + 3);
        }
        for id in ids {
            sessions.disconnect(id);
        }
        prop_assert_eq!(sessions.sizes(), (0, 0));
        prop_assert!(sessions.addresses.is_empty() && sessions.strangers.is_empty());
    }
}
