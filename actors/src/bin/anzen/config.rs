//! `anzen config`: what a process would be told, and whether it would start.

use std::{fmt, process::ExitCode};

use anzen_actors::node::NodeConfig;
use anzen_actors::node::config::{ConfigError, Loaded, Setting, check_chain};
use anzen_messages::wire::ActorName;
use clap::ValueEnum;
use serde::Serialize;
use tokio::runtime::Builder;

use crate::{
    outcome::Outcome,
    output::{Output, Report, table},
    settings::Settings,
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show every setting, its value and who says so: default, file and line, variable or flag.
    ///
    /// Of URLs, only scheme, host and port are shown: the rest may be a key.
    Show(ShowArguments),
    /// Check a configuration: every setting, the files that it names, what each role needs. Exits with 1 if anything is wrong.
    Check(CheckArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArguments {
    #[command(flatten)]
    settings: Settings,
    /// Leave out what has its default value from nobody.
    #[arg(long)]
    changed: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    settings: Settings,
    /// The command that the configuration is for, where it names no roles [default: operator where it names aggregators to
    /// submit to, else aggregator].
    #[arg(long = "for", value_name = "COMMAND")]
    command: Option<RunCommand>,
    /// Ask the chain too: its id, and whether the contracts are there.
    #[arg(long)]
    online: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RunCommand {
    Aggregator,
    Operator,
    Challenger,
}

impl RunCommand {
    /// The command whose roles are meant, where none are named.
    fn of(config: &NodeConfig) -> Self {
        if config.aggregators.is_empty() { Self::Aggregator } else { Self::Operator }
    }

    fn name_and_roles(self, config: &NodeConfig) -> (&'static str, Vec<ActorName>) {
        match self {
            Self::Aggregator => ("aggregator", ActorName::AGGREGATOR.to_vec()),
            Self::Operator => ("operator", ActorName::OPERATOR.to_vec()),
            Self::Challenger => ("challenger", config.challenger_roles()),
        }
    }
}

pub(crate) fn run(command: Command, output: Output) -> Outcome {
    match command {
        Command::Show(arguments) => show(&arguments, output),
        Command::Check(arguments) => check(&arguments, output),
    }
}

#[derive(Debug, Serialize)]
struct Shown {
    settings: Vec<Setting>,
}

impl Report for Shown {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let row = |one: &Setting| vec![one.key.to_string(), text(&one.value), one.from.to_string()];
        let table = table(&["SETTING", "VALUE", "FROM"], self.settings.iter().map(row));
        table.to_string().lines().try_for_each(|line| writeln!(f, "{}", line.trim_end()))
    }
}

fn text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "-".into(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn show(arguments: &ShowArguments, output: Output) -> Outcome {
    let mut settings = arguments.settings.load_with_origins()?.settings();
    if arguments.changed {
        settings.retain(Setting::is_said);
    }
    output.print(&Shown { settings })?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
struct Checked {
    ok: bool,
    problems: Vec<String>,
}

impl Report for Checked {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if self.ok {
            return writeln!(f, "The configuration is fine.");
        }
        self.problems.iter().try_for_each(|problem| writeln!(f, "wrong: {problem}"))
    }
}

fn check(arguments: &CheckArguments, output: Output) -> Outcome {
    let problems = match arguments.settings.load_with_origins() {
        Ok(loaded) => check_loaded(loaded, arguments)?,
        Err(ConfigError { problems }) => problems.iter().map(ToString::to_string).collect(),
    };
    let checked = Checked { ok: problems.is_empty(), problems };
    output.print(&checked)?;
    Ok(if checked.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check_loaded(mut loaded: Loaded, arguments: &CheckArguments) -> std::io::Result<Vec<String>> {
    let mut problems = Vec::new();
    let guess = || loaded.config.roles.is_empty().then(|| RunCommand::of(&loaded.config));
    if let Some(command) = arguments.command.or_else(guess) {
        let (name, roles) = command.name_and_roles(&loaded.config);
        problems.extend(loaded.config.run_as(name, &roles).err().map(|error| error.to_string()));
    }
    problems.extend(loaded.check().iter().map(ToString::to_string));
    if arguments.online {
        let asking = check_chain(&loaded.config);
        let wrong = Builder::new_current_thread().enable_all().build()?.block_on(asking);
        problems.extend(wrong.iter().map(ToString::to_string));
    }
    Ok(problems)
}
