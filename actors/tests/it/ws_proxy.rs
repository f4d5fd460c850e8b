//! A subscription that stops working: the watcher's WebSocket goes through a proxy that can lose its tongue, or close.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anzen_actors::adapters::ChainConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

use crate::chain::Chain;
use crate::watcher::{catch_up, next, watch};

struct Proxy {
    url: String,
    state: Arc<State>,
}

struct State {
    node: String,
    /// Notifications are dropped; everything else passes.
    silent: AtomicBool,
    close: Notify,
    connections: watch::Sender<u64>,
    notifications: AtomicU64,
}

impl Proxy {
    async fn start(chain: &Chain, silent: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            node: chain.anvil.ws_url().trim_start_matches("ws://").trim_end_matches('/').to_owned(),
            silent: AtomicBool::new(silent),
            close: Notify::new(),
            connections: watch::Sender::new(0),
            notifications: AtomicU64::new(0),
        });
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                accepting.connections.send_modify(|count| *count += 1);
                tokio::spawn(Arc::clone(&accepting).connect(client));
            }
        });
        Self { url, state }
    }

    fn config(&self, chain: &Chain) -> ChainConfig {
        let ws_url = Some(self.url.parse().unwrap());
        ChainConfig { ws_url, slow_poll_interval_ms: 40, ..chain.config() }
    }

    fn connections(&self) -> u64 {
        *self.state.connections.borrow()
    }

    fn notifications(&self) -> u64 {
        self.state.notifications.load(Ordering::SeqCst)
    }

    fn silence(&self, silent: bool) {
        self.state.silent.store(silent, Ordering::SeqCst);
    }
}

impl State {
    async fn connect(self: Arc<Self>, client: TcpStream) {
        let node = TcpStream::connect(&self.node).await.unwrap();
        let (mut from_client, to_client) = client.into_split();
        let (from_node, mut to_node) = node.into_split();
        tokio::select! {
            _ = tokio::io::copy(&mut from_client, &mut to_node) => {}
            _ = self.answer(from_node, to_client) => {}
            () = self.close.notified() => {}
        }
    }

    /// First the answer to the upgrade, then frames, which servers do not mask.
    async fn answer(&self, mut node: OwnedReadHalf, mut client: OwnedWriteHalf) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(node.read_u8().await?);
        }
        client.write_all(&head).await?;
        loop {
            let mut frame = vec![node.read_u8().await?, node.read_u8().await?];
            let more = match frame[1] {
                126 => 2,
                127 => 8,
                _ => 0,
            };
            let mut length = vec![0; more];
            node.read_exact(&mut length).await?;
            let size = length.iter().fold(0, |size, byte| size << 8 | usize::from(*byte));
            let mut text = vec![0; if more == 0 { usize::from(frame[1]) } else { size }];
            node.read_exact(&mut text).await?;
            if String::from_utf8_lossy(&text).contains("eth_subscription") {
                if self.silent.load(Ordering::SeqCst) {
                    continue;
                }
                self.notifications.fetch_add(1, Ordering::SeqCst);
            }
            frame.extend(length);
            frame.extend(text);
            client.write_all(&frame).await?;
        }
    }
}

/// A block comes, and the watcher tells of it, whoever told the watcher.
async fn go_on(chain: &Chain, until: impl Fn() -> bool, config: &ChainConfig) {
    let watcher = watch(chain, config);
    let mut head = catch_up(&watcher).await;
    while !until() {
        chain.tell("evm_mine", ()).await;
        head = next(&watcher, Some(head)).await.head;
    }
}

#[actix::test]
async fn a_subscription_that_falls_silent_is_made_again() {
    let chain = Chain::start().await;
    let proxy = Proxy::start(&chain, false).await;
    let told = || proxy.notifications() > 0;
    let fell_silent = || {
        proxy.silence(told());
        proxy.connections() > 1
    };
    go_on(&chain, fell_silent, &proxy.config(&chain)).await;
    assert!(told());
}

#[actix::test]
async fn a_subscription_that_is_silent_from_the_start_is_made_again() {
    let chain = Chain::start().await;
    let proxy = Proxy::start(&chain, true).await;
    let speaks_again = || {
        proxy.silence(proxy.connections() < 2);
        proxy.notifications() > 0
    };
    go_on(&chain, speaks_again, &proxy.config(&chain)).await;
    assert!(proxy.connections() > 1);
}

#[actix::test]
async fn a_subscription_that_is_closed_is_made_again() {
    let chain = Chain::start().await;
    let proxy = Proxy::start(&chain, false).await;
    let port = chain.connect(&proxy.config(&chain));
    let mut connections = proxy.state.connections.subscribe();
    connections.wait_for(|count| *count == 1).await.unwrap();
    proxy.state.close.notify_one();
    connections.wait_for(|count| *count == 2).await.unwrap();
    drop(port);
}

#[actix::test]
async fn the_next_endpoint_is_subscribed_to_where_one_is_down() {
    let chain = Chain::start().await;
    let proxy = Proxy::start(&chain, false).await;
    let down = Some("ws://127.0.0.1:1".parse().unwrap());
    let config = ChainConfig { ws_url: down, ws_urls: vec![proxy.url.parse().unwrap()], ..chain.config() };
    go_on(&chain, || proxy.notifications() > 0, &config).await;
}
