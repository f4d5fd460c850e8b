//! Compiles the Solidity with the Foundry of node_modules, and writes for each contract that Rust uses a binding to be
//! included by src/lib.rs, all their errors for src/revert.rs, and code on chain for src/runtime.rs, into `OUT_DIR`.

#![allow(clippy::panic, reason = "a build script reports by ending")]

use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// File of the artifact in contracts/out, name of the contract.
const CONTRACTS: [(&str, &str); 14] = [
    ("AnzenDisputes.sol", "AnzenDisputes"),
    ("AnzenServiceManager.sol", "AnzenServiceManager"),
    ("AnzenTaskManager.sol", "AnzenTaskManager"),
    ("ModelEvaluator.sol", "ModelEvaluator"),
    ("SafetyFactorModels.sol", "SafetyFactorModels"),
    ("SafetyFactorOracle.sol", "SafetyFactorOracle"),
    ("AggregatorV3Interface.sol", "AggregatorV3Interface"),
    ("LocalPriceFeed.sol", "LocalPriceFeed"),
    ("LocalToken.sol", "LocalToken"),
    ("LocalVault.sol", "LocalVault"),
    ("LocalWrappedEther.sol", "LocalWrappedEther"),
    ("ProxyAdmin.sol", "ProxyAdmin"),
    ("TimelockController.sol", "TimelockController"),
    ("TransparentUpgradeableProxy.sol", "TransparentUpgradeableProxy"),
];

/// Those whose code on chain a verification compares.
const COMPARED: [&str; 9] = [
    "AnzenDisputes",
    "AnzenServiceManager",
    "AnzenTaskManager",
    "ModelEvaluator",
    "ProxyAdmin",
    "SafetyFactorModels",
    "SafetyFactorOracle",
    "TimelockController",
    "TransparentUpgradeableProxy",
];

fn main() {
    for path in ["build.rs", "sol", "foundry.toml", "package-lock.json", "tools/solc"] {
        println!("cargo::rerun-if-changed={path}");
    }
    if let Err(reason) = run() {
        for line in reason.lines() {
            println!("cargo::error={line}");
        }
        std::process::exit(1);
    }
}

fn run() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set; run this through Cargo")?);
    compile(root)?;

    let mut bindings = String::new();
    let mut errors = BTreeMap::new();
    let mut runtime = BTreeMap::new();
    for (file, name) in CONTRACTS {
        let artifact = read_artifact(&root.join("out").join(file).join(format!("{name}.json")))?;
        if COMPARED.contains(&name) {
            runtime.insert(name, runtime_code(name, &artifact["deployedBytecode"])?);
        }
        let artifact = for_binding(&artifact);
        collect_errors(&artifact["abi"], &mut errors);
        let path = out.join(format!("{name}.json"));
        write_if_changed(&path, &artifact.to_string())?;
        bindings += &binding(name, &path);
    }
    write_if_changed(&out.join("bindings.rs"), &bindings)?;
    write_if_changed(&out.join("runtime.json"), &json!(runtime).to_string())?;
    let errors: Vec<Value> = errors.into_values().collect();
    write_if_changed(&out.join("errors.json"), &Value::from(errors).to_string())
}

fn compile(root: &Path) -> Result<(), String> {
    let forge = root.join("node_modules/.bin/forge");
    if !forge.exists() {
        return Err(
            "contracts/node_modules has no forge; run `just setup` (it is `npm ci` in contracts/)".into()
        );
    }
    let output = Command::new(&forge)
        .args(["build", "--offline", "--skip", "test", "--skip", "script"])
        .current_dir(root)
        .output()
        .map_err(|e| format!("cannot run {}: {e}; run `just setup`", forge.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("the Solidity does not compile (`forge build` in contracts/):\n{stdout}\n{stderr}"))
}

fn read_artifact(path: &Path) -> Result<Value, String> {
    let failed = |what: String| format!("{}: {what}; delete contracts/out and build again", path.display());
    let text = fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    let artifact: Value = serde_json::from_str(&text).map_err(|e| failed(e.to_string()))?;
    let (abi, code) = (&artifact["abi"], &artifact["bytecode"]["object"]);
    if !abi.is_array() || !code.is_string() {
        return Err(failed("no ABI or no bytecode in it".into()));
    }
    Ok(artifact)
}

/// ABI and creation code of an artifact, without the rest, which would only slow the macro down.
fn for_binding(artifact: &Value) -> Value {
    json!({ "abi": artifact["abi"], "bytecode": { "object": artifact["bytecode"]["object"] } })
}

/// The code on chain, and for each immutable the ranges of bytes where its value stands.
fn runtime_code(name: &str, deployed: &Value) -> Result<Value, String> {
    let code = &deployed["object"];
    if !code.is_string() {
        return Err(format!("{name} has no deployedBytecode; delete contracts/out and build again"));
    }
    let references = deployed["immutableReferences"].as_object().into_iter().flatten();
    let immutables: Vec<Vec<Value>> = references.map(|(_, places)| ranges(places)).collect();
    Ok(json!({ "code": code, "immutables": immutables }))
}

/// In the form in which serde reads a `Range`.
fn ranges(places: &Value) -> Vec<Value> {
    let number = |place: &Value, field: &str| place[field].as_u64().unwrap_or_default();
    let range = |place| {
        let start = number(place, "start");
        json!({ "start": start, "end": start + number(place, "length") })
    };
    places.as_array().into_iter().flatten().map(range).collect()
}

/// A module for each contract, because each ABI brings its own copy of the types that it uses.
fn binding(name: &str, path: &Path) -> String {
    let module = snake_case(name);
    format!(
        "/// The contract `{name}` and the types of its interface.\n\
         pub mod {module} {{\n    \
             alloy::sol!(#[sol(rpc, all_derives)] {name}, {path:?});\n\
         }}\n\
         pub use {module}::{name};\n"
    )
}

fn snake_case(name: &str) -> String {
    let mut out = String::new();
    let mut previous = '_';
    for c in name.chars() {
        if c.is_uppercase() && previous.is_lowercase() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
        previous = c;
    }
    out
}

fn collect_errors(abi: &Value, errors: &mut BTreeMap<String, Value>) {
    for item in abi.as_array().into_iter().flatten().filter(|item| item["type"] == "error") {
        errors.insert(format!("{}{}", item["name"], item["inputs"]), item.clone());
    }
}

/// Leaves an unchanged file alone, so that nothing is compiled again for it.
fn write_if_changed(path: &Path, text: &str) -> Result<(), String> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}
