//! What is set up on the server, and how it is reached.

use anzen_actors::nats::NatsError;
use async_nats::jetstream;

use super::*;

async fn stream(server: &Server) -> jetstream::stream::Config {
    let mut stream = jetstream::new(server.stranger().await).get_stream("ANZEN_anzen").await.unwrap();
    stream.info().await.unwrap().config.clone()
}

#[actix::test]
async fn what_is_configured_otherwise_later_is_changed() {
    let server = Server::start().await;
    server.bus("one").await.kept().await.unwrap();
    assert_eq!(stream(&server).await.max_bytes, 1 << 30);
    let less = NatsConfig { most_bytes: 1 << 24, ..server.config() };
    Bus::connect(&less, dependencies("two")).await.unwrap().kept().await.unwrap();
    assert_eq!(stream(&server).await.max_bytes, 1 << 24);
}

#[actix::test]
async fn what_the_server_cannot_give_is_refused_with_what_to_do() {
    let server = Server::start().await;
    server.bus("one").await.kept().await.unwrap();
    let more = NatsConfig { replicas: 3, ..server.config() };
    let refused = Bus::connect(&more, dependencies("two")).await.unwrap().kept().await.unwrap_err();
    assert!(matches!(refused, NatsError::Unchangeable { .. }), "{refused}");
    assert!(refused.to_string().contains("set nats.replicas"), "{refused}");
}

#[actix::test]
async fn a_stream_of_another_kind_is_left_alone() {
    let server = Server::start().await;
    let config = jetstream::stream::Config {
        name: "ANZEN_anzen".into(),
        subjects: vec!["anzen.anzen.do.>".into()],
        ..Default::default()
    };
    jetstream::new(server.stranger().await).create_stream(config).await.unwrap();
    let refused = server.bus("one").await.kept().await.unwrap_err();
    assert!(matches!(refused, NatsError::Stream { .. }), "{refused}");
}

#[actix::test]
async fn plain_text_to_another_machine_is_refused_unless_it_is_allowed() {
    let config = NatsConfig { url: "nats://192.0.2.1:4222".parse().unwrap(), ..NatsConfig::default() };
    let refused = Bus::connect(&config, dependencies("one")).await.err().unwrap();
    assert!(matches!(refused, NatsError::Plaintext(_)), "{refused}");
    let allowed = NatsConfig { plaintext: true, ..config };
    assert!(Bus::connect(&allowed, dependencies("one")).await.is_ok());
}

#[actix::test]
async fn an_authority_means_tls_whatever_the_url_says() {
    let server = Server::start().await;
    let authority = server.folder.path().join("ca.pem");
    std::fs::write(&authority, rcgen::generate_simple_self_signed(vec!["x".into()]).unwrap().cert.pem())
        .unwrap();
    let config = NatsConfig { ca: Some(authority), ..server.config() };
    let bus = Bus::connect(&config, dependencies("one")).await.unwrap();
    bus.kept().await.unwrap_err();
    assert!(!bus.is_connected(), "the server speaks no TLS");
}
