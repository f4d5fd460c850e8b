//! The sources and their order; what is refused, and in which words.
#![allow(clippy::result_large_err, reason = "figment's error, in a closure that figment asks for")]

use std::path::{Path, PathBuf};

use figment::Jail;
use proptest::prelude::*;

use super::known::{nearest, settings};
use super::variables::{Stranger, stranger};
use super::*;

fn flag(key: &str, value: &str) -> Flag {
    Flag { name: "--set".into(), key: key.into(), value: value.into() }
}

/// A configuration from a file with this text, and the file's folder.
fn load_text(name: &str, text: &str) -> (PathBuf, Result<Loaded, ConfigError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    (folder.path().to_owned(), Sources { file: Some(path), ..Default::default() }.load())
}

/// What is wrong with it, the file without its folder.
fn mistakes(name: &str, text: &str) -> Vec<String> {
    let (folder, loaded) = load_text(name, text);
    let folder = format!("{}/", folder.display());
    loaded.unwrap_err().problems.iter().map(|problem| problem.to_string().replace(&folder, "")).collect()
}

fn with_variables(variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Sources { variables, ..Default::default() }.load()
}

#[test]
fn each_source_goes_over_those_before_it() {
    Jail::expect_with(|jail| {
        jail.create_file(
            "node.toml",
            "name = \"file\"\nroles = [\"chain-watcher\"]\n[chain]\nrpc_url = \"http://127.0.0.1:1\"\ntimeout_ms = 7",
        )?;
        jail.set_env("ANZEN_CONFIG", "node.toml");
        jail.set_env("ANZEN_CHAIN__RPC_URL", "http://127.0.0.1:2");
        jail.set_env("ANZEN_NAME", "variable");
        jail.set_env("ANZEN_ROLES", "tx-sender, aggregator");
        let flags = vec![flag("name", "flag")];
        let loaded = Sources::of_process(Some("node.toml".into()), flags).load().unwrap();
        let from = |key: &str| loaded.origin(&Key::dotted(key)).to_string();
        assert_eq!((loaded.config.name.as_str(), from("name")), ("flag", "--set".into()));
        assert_eq!(loaded.config.roles, [ActorName::TxSender, ActorName::Aggregator]);
        assert_eq!(from("roles"), "ANZEN_ROLES");
        assert_eq!(loaded.config.chain.rpc_url.to_string(), "http://127.0.0.1:2");
        assert_eq!(from("chain.rpc_url"), "ANZEN_CHAIN__RPC_URL");
        assert_eq!((loaded.config.chain.timeout_ms, from("chain.timeout_ms")), (7, "node.toml:5".into()));
        assert_eq!((loaded.config.chain.batch, from("chain.batch")), (100, "default".into()));
        Ok(())
    });
}

#[test]
fn a_file_may_be_yaml() {
    let text = "# an operator\nname: one\nchain:\n  ws_url: ws://h:1\naggregators:\n  - server_name: a\n    url: ws://h:2\n";
    let loaded = load_text("operator.yaml", text).1.unwrap();
    assert_eq!(loaded.config.name, "one");
    assert_eq!(loaded.config.aggregators[0].url, "ws://h:2");
    let origin = loaded.origin(&Key::dotted("chain.ws_url")).to_string();
    assert!(origin.ends_with("/operator.yaml:4"), "{origin}");
    assert!(load_text("empty.yml", "# nothing\n").1.is_ok());
}

#[test]
fn a_setting_that_there_is_not_is_refused_with_the_nearest() {
    let text = "nmae = \"x\"\n[chain]\nrpc_ulr = \"http://127.0.0.1:1\"\n[[aggregators]]\nserver_nam = \"a\"\nurl = \"b\"";
    let told = [
        "unknown setting aggregators[0].server_nam in operator.toml:5; did you mean aggregators[0].server_name?",
        "unknown setting chain.rpc_ulr in operator.toml:3; did you mean chain.rpc_url?",
        "unknown setting nmae in operator.toml:1; did you mean name?",
        "aggregators[0].server_name is missing in operator.toml:4",
    ];
    assert_eq!(mistakes("operator.toml", text), told);
    let yaml = "links:\n  to:\n    tx-sendr: x\n";
    let told = ["unknown setting links.to.tx-sendr in node.yml:3; did you mean links.to.tx-sender?"];
    assert_eq!(mistakes("node.yml", yaml), told);
    let nothing_like_it = mistakes("node.toml", "[metrics]\ncolour = 1");
    assert_eq!(nothing_like_it, ["unknown setting metrics.colour in node.toml:2; metrics has listen"]);
}

#[test]
fn all_wrong_values_are_told_at_once_with_what_was_expected() {
    let text = "roles = [\"watcher\"]\ndata_dir = 3\n[chain]\nrpc_url = \"node/v2/SECRET\"\ntimeout_ms = \"soon\"\nbatch = 0\n\
                [metrics]\nlisten = \"9000\"\n[stake_updater]\nquorums = [300]\n[edge]\nserver_name = \"x\"\nlisten = {}\n";
    let told = mistakes("a.toml", text);
    let any = |text: &str| assert!(told.iter().any(|problem| problem.starts_with(text)), "{text}\n{told:#?}");
    any("roles[0] in a.toml:1 should be one of chain-watcher, ");
    any("data_dir in a.toml:2 should be a path, and is 3");
    any("chain.rpc_url in a.toml:4 cannot be used: not the URL of a node");
    any(
        "chain.timeout_ms in a.toml:5 should be a whole number that is not negative, and is the text \"soon\"",
    );
    any("chain.batch in a.toml:6 should be 1 or more, and is 0");
    any(
        "metrics.listen in a.toml:8 cannot be used: it should be an address with a port, such as 127.0.0.1:9000",
    );
    any("stake_updater.quorums[0] in a.toml:10 should be a whole number from 0 to 255, and is 300");
    any("edge.listen in a.toml:13 should be an address with a port");
    assert_eq!(told.len(), 8, "{told:#?}");
    assert!(told.iter().all(|problem| !problem.contains("SECRET")), "{told:#?}");
}

#[test]
fn a_file_that_is_none_is_told_with_its_line_and_not_with_its_text() {
    let told = mistakes("a.toml", "name = \"x\"\nrpc = \"https://h/SECRET");
    assert!(told[0].starts_with("a.toml:2 is not TOML: ") && !told[0].contains("SECRET"), "{told:?}");
    let told = mistakes("a.yaml", "name: x\nrpc: [https://h/SECRET");
    assert!(told[0].starts_with("a.yaml:2 is not YAML: ") && !told[0].contains("SECRET"), "{told:?}");
    assert!(mistakes("a.yaml", "- x")[0].starts_with("a.yaml:1 is not YAML: it should be settings"));
    assert!(mistakes("a.yaml", "name: a\nname: b")[0].starts_with("a.yaml:2 is not YAML: "));
    assert!(mistakes("a.json", "{}")[0].starts_with("a.json does not end in .toml, .yaml or .yml"));
    let missing = Sources { file: Some("nowhere.toml".into()), ..Default::default() }.load().unwrap_err();
    assert!(missing.to_string().starts_with("there is no configuration file nowhere.toml"), "{missing}");
}

#[test]
fn aliases_of_yaml_that_multiply_are_refused() {
    let nine = |of: &str| [of; 9].join(",");
    let text = format!(
        "a: &a [{}]\nb: &b [{}]\nc: &c [{}]\nd: [{}]\n",
        nine("x"),
        nine("*a"),
        nine("*b"),
        nine("*c")
    );
    let many = mistakes("node.yaml", &text);
    assert!(
        matches!(many.as_slice(), [one] if one.contains("is not YAML") && one.contains("alias")),
        "{many:?}"
    );
    let few = mistakes("node.yaml", "roles: &all [nobody]\nunknown: *all\n");
    assert!(!few.is_empty() && few.iter().all(|mistake| !mistake.contains("alias")), "{few:?}");
}

#[test]
fn a_variable_that_is_misspelt_is_refused() {
    let told = |name| with_variables(&[(name, "x")]).unwrap_err().to_string();
    for (name, meant) in [
        ("ANZEN_CHAIN__RPC_ULR", "ANZEN_CHAIN__RPC_URL"),
        ("ANZEN_CHIAN__RPC_URL", "ANZEN_CHAIN__RPC_URL"),
        ("ANZEN_CHAIN_RPC_URL", "ANZEN_CHAIN__RPC_URL"),
        ("ANZEN_RPC_URL", "ANZEN_CHAIN__RPC_URL"),
        ("ANZEN_NAEM", "ANZEN_NAME"),
        ("ANZEN_CONFG", "ANZEN_CONFIG"),
    ] {
        assert_eq!(told(name), format!("unknown variable {name}; did you mean {meant}?"));
    }
    assert!(told("ANZEN_X__Y").contains("two underscores"));
}

#[test]
fn variables_of_others_and_the_programs_own_are_left_alone() {
    // What Kubernetes sets for services that are called anzen and anzen-aggregator.
    let others = [
        "PORT",
        "SERVICE_HOST",
        "PORT_9000_TCP_ADDR",
        "AGGREGATOR_PORT",
        "AGGREGATOR_SERVICE_PORT",
        "OPERATOR_PORT",
    ];
    for name in others {
        assert_eq!(stranger(&format!("ANZEN_{name}")), Stranger::NotOurs, "{name}");
    }
    with_variables(&own_variables().map(|name| (name, "x")).collect::<Vec<_>>()).unwrap();
    with_variables(&[("ANZEN_PORT", "tcp://10.0.0.1:9000"), ("ANZEN_CHAIN__WS_URL", ""), ("PATH", "x")])
        .unwrap();
}

#[test]
fn variables_are_read_as_what_the_setting_is() {
    let config = with_variables(&[
        ("ANZEN_NAME", "7"),
        ("ANZEN_STAKE_UPDATER__QUORUMS", "0,1"),
        ("ANZEN_LINKS__TO__TX_SENDER", "/run/tx.sock"),
        ("ANZEN_AGGREGATORS", "[{server_name=a,url=\"ws://h:1\"}]"),
        ("ANZEN_METRICS__LISTEN", "127.0.0.1:9000"),
    ]);
    let config = config.unwrap().config;
    assert_eq!(config.name, "7");
    assert_eq!(config.stake_updater.quorums, [0, 1]);
    assert_eq!(config.links.to[&ActorName::TxSender], Path::new("/run/tx.sock"));
    assert_eq!(config.aggregators[0].url, "ws://h:1");
    assert_eq!(config.metrics.listen, Some(([127, 0, 0, 1], 9000).into()));
}

#[test]
fn a_path_starts_in_the_folder_of_the_file_that_says_it() {
    Jail::expect_with(|jail| {
        jail.create_dir("etc")?;
        jail.create_file(
            "etc/node.toml",
            "data_dir = \"data\"\n[links]\nlisten = \"/run/a.sock\"\n[links.to]\ntx-sender = \"../b\"",
        )?;
        jail.set_env("ANZEN_KEYS__BLS__KEYSTORE", "bls");
        let loaded = Sources::of_process(Some("etc/node.toml".into()), Vec::new()).load().unwrap().config;
        assert_eq!(loaded.data_dir, Path::new("etc/data"));
        assert_eq!(loaded.addresses, Path::new("etc/addresses.json"));
        assert_eq!(loaded.links.listen, Some(PathBuf::from("/run/a.sock")));
        assert_eq!(loaded.links.to[&ActorName::TxSender], Path::new("etc/../b"));
        assert_eq!(loaded.keys.bls.keystore, Some(PathBuf::from("bls")));
        Ok(())
    });
}

#[test]
fn what_is_shown_has_no_secrets_and_every_setting() {
    let loaded =
        load_text("a.toml", "[chain]\nrpc_url = \"https://user:SECRET@h:1/v2/SECRET?k=SECRET\"").1.unwrap();
    let shown = serde_json::to_string(&loaded.settings()).unwrap();
    assert!(!shown.contains("SECRET") && shown.contains("https://h:1/..."), "{shown}");
    // One that is not set by default, in a section that is not there by default.
    assert!(shown.contains("\"rpc_gateway.tls.certificate\""), "{shown}");
    assert!(!format!("{:?}", loaded.config).contains("SECRET"));
}

#[test]
fn every_setting_of_the_defaults_is_known() {
    fn leaves(value: &serde_json::Value, at: &Key, all: &mut Vec<Key>) {
        match value.as_object().filter(|object| !object.is_empty()) {
            Some(object) => object.iter().for_each(|(name, value)| leaves(value, &at.join(name), all)),
            None => all.push(at.clone()),
        }
    }
    let mut all = Vec::new();
    leaves(&serde_json::to_value(NodeConfig::default()).unwrap(), &Key::default(), &mut all);
    assert!(all.len() > 50);
    for key in all {
        assert!(known::lookup(&key).is_some(), "{key}");
    }
}

#[test]
fn a_command_runs_its_own_roles() {
    let mut config = NodeConfig::default();
    config.run_as("operator", &ActorName::OPERATOR).unwrap();
    assert_eq!(config.roles, ActorName::OPERATOR);
    let told = config.run_as("aggregator", &ActorName::AGGREGATOR).unwrap_err().to_string();
    assert!(told.contains("the configuration names chain-watcher, operator-signer"), "{told}");
}

#[test]
fn a_check_tells_all_that_is_missing() {
    let text = "roles = [\"operator-signer\", \"rpc-gateway\"]\n[keys.bls]\nprivate_key_file = \"none.key\"\n\
                [edge]\nlisten = \"0.0.0.0:9000\"\n[metrics]\nlisten = \"127.0.0.1:9000\"";
    let loaded = load_text("a.toml", text).1.unwrap();
    let told: Vec<String> = loaded.check().iter().map(ToString::to_string).collect();
    for part in [
        "the role operator-signer needs chain-watcher, which this process does not run",
        "the role rpc-gateway needs signature-collector",
        "the role operator-signer needs aggregators, which is not set",
        "there is no file of addresses at",
        "none.key cannot be read",
        "edge.listen and metrics.listen are both 0.0.0.0:9000",
    ] {
        assert!(told.iter().any(|problem| problem.contains(part)), "{part}\n{told:#?}");
    }
}

/// A setting with one mistake of a typist: a letter lost, doubled, changed, or two swapped.
#[test]
fn more_agreement_than_there_are_nodes_and_protocols_without_tasks_are_told() {
    let told = |text: &str| -> String {
        let loaded = load_text("a.toml", &format!("roles = [\"task-generator\"]\n{text}")).1.unwrap();
        loaded.check().iter().map(|wrong| format!("{wrong}\n")).collect()
    };
    let two = "[chain]\nrpc_url = \"http://a\"\nrpc_urls = [\"http://b\", \"http://a\"]";
    assert!(told(&format!("{two}\nagree = 3")).contains("chain.agree is 3"), "one is named twice");
    assert!(!told(&format!("{two}\nagree = 2")).contains("chain.agree"));
    let generator = "[task_generator]\ninterval_blocks = 0\n";
    assert!(told(generator).contains("every protocol would get no tasks"));
    assert!(!told(&format!("{generator}heartbeat_blocks = 100")).contains("no tasks"));
    let named = "protocols = [{ oracle_index = 7, interval = 0 }, { oracle_index = 8, interval = 0, deviation_bps = 50 }]";
    let told = told(&format!("{generator}{named}"));
    assert!(told.contains("protocol 7 would get no tasks") && !told.contains("protocol 8"), "{told}");
}

fn misspelt() -> impl Strategy<Value = (Key, Key)> {
    let all = settings();
    let part = (0..all.len(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4, "[a-z_]");
    part.prop_filter_map("a mistake that changes nothing", move |(which, part, place, kind, letter)| {
        let key = all[which].clone();
        let part = part.index(key.0.len());
        let mut letters: Vec<char> = key.0[part].chars().collect();
        let at = place.index(letters.len());
        match kind {
            0 => drop(letters.remove(at)),
            1 => letters.insert(at, letter.chars().next()?),
            2 => letters[at] = letter.chars().next()?,
            _ => {
                let last = letters.len() - 1;
                letters.swap(at, (at + 1).min(last));
            }
        }
        let mut wrong = key.clone();
        wrong.0[part] = letters.into_iter().collect();
        // `rpc_url_` is nearer to `rpc_url` than to `rpc_urls`, whatever was meant; so is `aggregator_` to the section.
        let is_anothers = known::every_name()
            .iter()
            .any(|other| *other != key && known::letters(other) == known::letters(&wrong));
        (known::lookup(&wrong).is_none() && !is_anothers).then_some((key, wrong))
    })
}

proptest! {
    #[test]
    fn any_setting_with_one_mistake_in_it_is_refused_and_the_right_one_is_named((right, wrong) in misspelt()) {
        let meant = nearest(&wrong);
        prop_assert!(meant.contains(&right), "{wrong}: {meant:?}");
        let flags = vec![flag(&wrong.0.join("."), "1")];
        let error = Sources { flags, ..Default::default() }.load().unwrap_err().to_string();
        prop_assert!(error.starts_with(&format!("unknown setting {wrong} in --set; did you mean")), "{error}");
        prop_assert!(error.contains(&right.to_string()), "{error}");
    }

    #[test]
    fn a_variable_with_one_mistake_in_it_is_refused_and_the_right_one_is_named((right, wrong) in misspelt()) {
        prop_assume!(Key::of_variable(&wrong.0.join("__")) == wrong);
        let name = wrong.variable();
        match stranger(&name) {
            Stranger::Misspelt(meant) => prop_assert!(meant.contains(&right.variable()), "{name}: {meant:?}"),
            Stranger::NotOurs => prop_assert!(false, "{name}"),
        }
    }
}
