//! Takes EigenLayer's ABI and bytecode out of the source of the crate `eigenlayer-contract-deployer`.
//!
//! `build.rs` includes this file; the crate itself compiles it only for its tests. It must therefore depend on nothing but
//! the build dependencies.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The bindings whose contracts a deployment or a test needs: name of the file in the crate, name of the contract.
const BINDINGS: [(&str, &str); 22] = [
    ("allocation_manager", "AllocationManager"),
    ("avs_directory", "AVSDirectory"),
    ("bls_apk_registry", "BLSApkRegistry"),
    ("delegation_manager", "DelegationManager"),
    ("eigen_pod", "EigenPod"),
    ("eigen_pod_manager", "EigenPodManager"),
    ("empty_contract", "EmptyContract"),
    ("index_registry", "IndexRegistry"),
    ("operator_state_retriever", "OperatorStateRetriever"),
    ("pauser_registry", "PauserRegistry"),
    ("permission_controller", "PermissionController"),
    ("proxy_admin", "ProxyAdmin"),
    ("quorum_bitmap_history_lib", "QuorumBitmapHistoryLib"),
    ("rewards_coordinator", "RewardsCoordinator"),
    ("signature_checker_lib", "SignatureCheckerLib"),
    ("socket_registry", "SocketRegistry"),
    ("stake_registry", "StakeRegistry"),
    ("strategy_base", "StrategyBase"),
    ("strategy_factory", "StrategyFactory"),
    ("strategy_manager", "StrategyManager"),
    ("transparent_upgradeable_proxy", "TransparentUpgradeableProxy"),
    ("upgradeable_beacon", "UpgradeableBeacon"),
];

/// The contracts that the crate carries as Foundry artifacts, because they are to be linked.
const ARTIFACTS: [(&str, &str); 1] =
    [("eigenlayer-middleware-1.3.1/SlashingRegistryCoordinator", "SlashingRegistryCoordinator")];

const BYTECODE: &str = "pub static BYTECODE:";
const LITERAL: &str = "from_static(";
const ABI_START: &str = "```json\n";
const ABI_END: &str = "\n```";

/// Why a contract could not be taken out of the crate's source.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExtractError {
    /// A file that version 0.4.0 of the crate has is not there.
    #[error("cannot read {path}: {source}; the pinned crate has it, so is its source complete?")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The file does not have the expected form.
    #[error(
        "{contract}: {what}; deploy/src/extract.rs knows the form of eigenlayer-contract-deployer 0.4.0 only"
    )]
    Form {
        /// The contract that was looked for.
        contract: String,
        /// What is missing or malformed.
        what: String,
    },
}

/// One contract: its name, and its ABI and bytecode in the form of a Foundry artifact.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) name: &'static str,
    pub(crate) json: Value,
}

/// Extracts every contract from the crate whose root directory is `root`.
pub(crate) fn extract_all(root: &Path) -> Result<Vec<Artifact>, ExtractError> {
    let bindings = BINDINGS.iter().map(|(file, name)| {
        let source = read(&root.join("src/bindings/core").join(format!("{file}.rs")))?;
        Ok(Artifact { name, json: from_binding(name, &source)? })
    });
    let artifacts = ARTIFACTS.iter().map(|(file, name)| {
        let source = read(&root.join("src/artifacts").join(format!("{file}.json")))?;
        Ok(Artifact { name, json: from_artifact(name, &source)? })
    });
    bindings.chain(artifacts).collect()
}

fn read(path: &Path) -> Result<String, ExtractError> {
    std::fs::read_to_string(path).map_err(|source| ExtractError::Read { path: path.to_owned(), source })
}

/// The ABI stands as JSON in the doc comment, the bytecode in a static as one byte-string literal.
fn from_binding(name: &str, source: &str) -> Result<Value, ExtractError> {
    let form = |what: &str| ExtractError::Form { contract: name.to_owned(), what: what.to_owned() };
    let at = source.find(BYTECODE).ok_or_else(|| form("no static BYTECODE"))?;
    let (before, after) = source.split_at(at);

    // A binding file also has modules of the types it uses; the contract's own ABI is the last one before its bytecode.
    let start = before.rfind(ABI_START).ok_or_else(|| form("no ABI in a doc comment"))? + ABI_START.len();
    let length = before[start..].find(ABI_END).ok_or_else(|| form("the ABI's end is missing"))?;
    let abi: Value = serde_json::from_str(&before[start..start + length])
        .map_err(|e| form(&format!("the ABI is not JSON: {e}")))?;

    let literal = after.find(LITERAL).ok_or_else(|| form("no byte string after BYTECODE"))? + LITERAL.len();
    let code = byte_string(after[literal..].trim_start()).map_err(|what| form(&what))?;
    if code.is_empty() {
        return Err(form("the bytecode is empty"));
    }
    Ok(json!({ "abi": abi, "bytecode": { "object": hex(&code), "linkReferences": {} } }))
}

/// Keeps of a Foundry artifact what a deployment needs.
fn from_artifact(name: &str, source: &str) -> Result<Value, ExtractError> {
    let form = |what: String| ExtractError::Form { contract: name.to_owned(), what };
    let artifact: Value =
        serde_json::from_str(source).map_err(|e| form(format!("the artifact is not JSON: {e}")))?;
    let (abi, code) = (&artifact["abi"], &artifact["bytecode"]);
    if !abi.is_array() || !code["object"].is_string() || !code["linkReferences"].is_object() {
        return Err(form("the artifact lacks abi, bytecode.object or bytecode.linkReferences".to_owned()));
    }
    Ok(
        json!({ "abi": abi, "bytecode": { "object": code["object"], "linkReferences": code["linkReferences"] } }),
    )
}

/// Decodes the Rust byte-string literal that `source` starts with.
fn byte_string(source: &str) -> Result<Vec<u8>, String> {
    let body = source.strip_prefix("b\"").ok_or("the bytecode is not a byte-string literal")?;
    let mut bytes = body.bytes();
    let mut out = Vec::with_capacity(body.len() / 2);
    loop {
        match bytes.next().ok_or("the byte string does not end")? {
            b'"' => return Ok(out),
            b'\\' => out.push(escape(&mut bytes)?),
            plain => out.push(plain),
        }
    }
}

/// Decodes what follows a backslash.
fn escape(bytes: &mut impl Iterator<Item = u8>) -> Result<u8, String> {
    let mut next = || bytes.next().ok_or_else(|| "the byte string ends within an escape".to_owned());
    Ok(match next()? {
        b'x' => (digit(next()?)? << 4) | digit(next()?)?,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'0' => 0,
        same @ (b'\\' | b'"' | b'\'') => same,
        other => return Err(format!("unknown escape \\{} in the byte string", char::from(other))),
    })
}

fn digit(c: u8) -> Result<u8, String> {
    match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        b'A'..=b'F' => Ok(c - b'A' + 10),
        _ => Err(format!("{:?} is not a hexadecimal digit", char::from(c))),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]);
    "0x".chars().chain(digits.map(char::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINDING: &str = "/**\n```json\n[{\"type\":\"error\",\"name\":\"Old\"}]\n```*/\nmod other {}\n/**\n```json\n[\n  \
        {\"type\":\"fallback\"}\n]\n```*/\n    pub static BYTECODE: Bytes = Bytes::from_static(\n        b\"`\\x80\\0\\\"\\\\a\\n\",\n    );\n\
        pub static DEPLOYED_BYTECODE: Bytes = Bytes::from_static(b\"x\");";

    #[test]
    fn takes_the_contract_s_own_abi_and_creation_code() {
        let json = from_binding("C", BINDING).unwrap();
        assert_eq!(json["abi"], json!([{ "type": "fallback" }]));
        assert_eq!(json["bytecode"]["object"], "0x608000225c610a");
        assert_eq!(json["bytecode"]["linkReferences"], json!({}));
    }

    #[test]
    fn says_what_is_missing() {
        for (from, to, expected) in [
            ("BYTECODE", "CODE", "no static BYTECODE"),
            ("```json", "```text", "no ABI"),
            ("fallback\"}", "fallback\"", "not JSON"),
            ("b\"`", "c\"`", "not a byte-string literal"),
            ("\\x80", "\\x8z", "not a hexadecimal digit"),
            ("\\n\",", "\\q\",", "unknown escape \\q"),
            ("\\n\",", "\\n", "does not end"),
        ] {
            let cut = if expected == "does not end" {
                BINDING.find("pub static DEPLOYED").unwrap()
            } else {
                BINDING.len()
            };
            let error = from_binding("C", &BINDING[..cut].replace(from, to)).unwrap_err().to_string();
            assert!(error.starts_with("C: ") && error.contains(expected), "{error}");
        }
    }

    #[test]
    fn keeps_the_link_references_of_an_artifact() {
        let source =
            r#"{"abi":[],"id":3,"bytecode":{"object":"0x6080","linkReferences":{"a.sol":{"L":[]}}}}"#;
        let json = from_artifact("C", source).unwrap();
        assert_eq!(
            json,
            json!({"abi":[],"bytecode":{"object":"0x6080","linkReferences":{"a.sol":{"L":[]}}}})
        );
        assert!(from_artifact("C", r#"{"abi":[]}"#).unwrap_err().to_string().contains("lacks"));
    }
}
