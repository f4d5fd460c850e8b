//! A client of the aggregator that is written from docs/wire.md: text over a WebSocket, digests by hand. Of Anzen's code it
//! uses the curve's arithmetic only.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy::primitives::{Address, B256, I256, U256, hex, keccak256};
use alloy::sol_types::SolValue;
use anzen_messages::bls::{SecretKey, hash_to_g1};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::chain::Chain;

/// An operator's keys, as they are in a local network's folder.
#[derive(Clone)]
pub struct Keys {
    /// The BLS key.
    pub secret: SecretKey,
    /// The operator's id, as text.
    pub operator_id: String,
}

impl Keys {
    /// Those of operator `number` in the folder of a network.
    pub fn of_operator(network: &Path, number: u32) -> Self {
        let folder = network.join(format!("operator-{number}"));
        let secret = SecretKey::from_hex(&std::fs::read_to_string(folder.join("bls.key")).unwrap()).unwrap();
        let identity = std::fs::read_to_string(folder.join("operator.json")).unwrap();
        let identity: Value = serde_json::from_str(&identity).unwrap();
        Self { secret, operator_id: identity["operatorId"].as_str().unwrap().to_owned() }
    }

    fn sign(&self, digest: B256) -> String {
        hex::encode_prefixed(self.secret.sign(&hash_to_g1(digest)).to_bytes().0)
    }

    /// The signature of an answer.
    pub fn sign_answer(&self, chain: &Chain, task: B256, value: I256) -> String {
        let kind = keccak256("TaskResponse(bytes32 taskHash,int256 safetyFactor)");
        let answer = keccak256((kind, task, value).abi_encode());
        self.sign(digest(chain.chain_id(), chain.address("taskManager"), answer))
    }

    /// A signature of something else.
    pub fn garbage(&self) -> String {
        self.sign(keccak256("garbage"))
    }

    /// What is submitted for a task.
    pub fn submission(&self, task: B256, value: I256, signature: &str) -> Value {
        json!({
            "operatorId": self.operator_id,
            "response": { "taskHash": task, "safetyFactor": value.to_string() },
            "signature": signature,
        })
    }
}

/// A connection with a session.
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    keys: Keys,
    server: String,
    chain: Chain,
    calls: u64,
}

impl Client {
    /// Connects and opens a session. As long as the operator's own process has one it is refused, so it tries again.
    pub async fn connect(network: &Value, chain: &Chain, keys: Keys) -> Self {
        let url = network["aggregatorUrl"].as_str().unwrap();
        let (socket, _) = connect_async(url).await.unwrap();
        let chain = chain.clone();
        let server = network["aggregatorName"].as_str().unwrap().to_owned();
        let mut client = Self { socket, keys, server, chain, calls: 0 };
        while let Err(error) = client.open_session().await {
            assert_eq!(error["code"], -32025, "{error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        client
    }

    async fn open_session(&mut self) -> Result<(), Value> {
        let hello = self.call("session_hello", json!([])).await?;
        let server = hello["server"].as_str().unwrap();
        let (chain_id, task_manager) = (self.chain.chain_id(), self.chain.address("taskManager"));
        assert_eq!((server, &hello["chainId"]), (self.server.as_str(), &json!(chain_id)));
        assert_eq!(hello["taskManager"].as_str().unwrap().parse::<Address>().unwrap(), task_manager);
        let nonce: B256 = hello["nonce"].as_str().unwrap().parse().unwrap();
        let operator_id: B256 = self.keys.operator_id.parse().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let expiry = now + 600;
        let kind = keccak256("Session(string server,bytes32 nonce,bytes32 operatorId,uint64 expiry)");
        let fields = (kind, keccak256(server), nonce, operator_id, U256::from(expiry));
        let session = json!({
            "server": server, "nonce": nonce, "operatorId": operator_id, "expiry": expiry,
        });
        let digest = digest(chain_id, task_manager, keccak256(fields.abi_encode()));
        let signature = self.keys.sign(digest);
        self.call("session_open", json!([{ "session": session, "signature": signature }])).await.map(drop)
    }

    /// Signs an answer and submits it.
    pub async fn answer(&mut self, task: B256, value: I256) {
        let signature = self.keys.sign_answer(&self.chain, task, value);
        self.is_taken(task, value, &signature).await;
    }

    /// Submits a signature of something else.
    pub async fn answer_with_garbage(&mut self, task: B256, value: I256) {
        let signature = self.keys.garbage();
        self.is_taken(task, value, &signature).await;
    }

    async fn is_taken(&mut self, task: B256, value: I256, signature: &str) {
        let outcome = self.submit(task, value, signature).await;
        // Early where the collector has not seen the block yet that this test has.
        assert!(["accepted", "early"].contains(&outcome.as_str()), "{outcome}");
    }

    /// Submits a signature of an answer; the outcome.
    pub async fn submit(&mut self, task: B256, value: I256, signature: &str) -> String {
        let message = self.keys.submission(task, value, signature);
        let params = json!([{ "version": 1, "body": message }]);
        let reply = self.call("collector_submitSignature", params).await.unwrap();
        reply["outcome"].as_str().unwrap().to_owned()
    }

    /// The connection, for who does not wait for replies.
    pub fn into_socket(self) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
        self.socket
    }

    async fn call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.calls += 1;
        let id = self.calls;
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.socket.send(Message::text(request.to_string())).await.unwrap();
        loop {
            let Message::Text(text) = self.socket.next().await.unwrap().unwrap() else { continue };
            let reply: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(reply["id"], id);
            return match reply.get("error") {
                Some(error) => Err(error.clone()),
                None => Ok(reply["result"].clone()),
            };
        }
    }
}

fn digest(chain_id: u64, task_manager: Address, message: B256) -> B256 {
    let domain = domain_separator(chain_id, task_manager);
    keccak256([&[0x19, 0x01], domain.as_slice(), message.as_slice()].concat())
}

fn domain_separator(chain_id: u64, task_manager: Address) -> B256 {
    let kind =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    let name = keccak256("AnzenTaskManager");
    keccak256((kind, name, keccak256("1"), U256::from(chain_id), task_manager).abi_encode())
}
