//! `anzen dispute`: faults and disputes, for anyone and for the committee.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `list.rs`, `show.rs` | what there is |
//! | `anyone.rs` | freezing, executing, counting an absence |
//! | `committee.rs` | vetoes and rulings |
//! | `name.rs` | how a person names a fault or an operator |
//! | `report.rs` | how a fault is told of |

mod anyone;
mod committee;
mod list;
mod name;
mod report;
mod show;

use crate::{chain::block_on, logging, outcome::Outcome, output::Output};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List faults, disputes before the committee, and operators that were ejected for absence.
    List(list::Arguments),
    /// Show all about one task or fault: what can be done until when, who signed, who was frozen and slashed.
    Show(show::Arguments),
    /// Freeze the signers of an answer that was withdrawn, as far as they are not.
    Freeze(anyone::Freeze),
    /// Slash all who were frozen for a fault and still owe. Anyone may, after the veto window.
    Execute(anyone::Execute),
    /// Count that an operator kept away from a task. Anyone may, once the answer is final.
    Absence(anyone::Absence),
    /// Have nobody slashed for a fault, or not one operator. The committee may, in the veto window.
    Veto(committee::Veto),
    /// Rule on an answer that cannot be recomputed on chain. The committee may.
    Rule(committee::Rule),
    /// Make a fault of the absence for which an operator was ejected. The committee may.
    RuleAbsence(committee::RuleAbsence),
}

pub(crate) fn run(command: &Command, output: Output) -> Outcome {
    logging::start("warn");
    block_on(async {
        match command {
            Command::List(arguments) => list::run(arguments, output).await,
            Command::Show(arguments) => show::run(arguments, output).await,
            Command::Freeze(arguments) => arguments.run(output).await,
            Command::Execute(arguments) => arguments.run(output).await,
            Command::Absence(arguments) => arguments.run(output).await,
            Command::Veto(arguments) => arguments.run(output).await,
            Command::Rule(arguments) => arguments.run(output).await,
            Command::RuleAbsence(arguments) => arguments.run(output).await,
        }
    })?
}
