//! `anzen dispute veto`, `rule` and `rule-absence`: what the committee decides. Its account usually is a multisig, so without
//! `--send` these only tell what it is to send.

use std::{collections::BTreeSet, fmt, process::ExitCode};

use alloy::primitives::Address;
use anzen_deploy::{
    chain::{Request, revert_of},
    disputes::remedy,
    preview::{TransactionPreview, explained},
};
use serde::Serialize;

use super::name::{OperatorName, hash_of};
use crate::{
    chain::Site,
    outcome::{NOT_SO, Outcome},
    output::{Output, Report},
    sending::send,
    settings::Settings,
    task::TaskName,
};

/// What every command of the committee takes.
#[derive(Debug, clap::Args)]
struct Deciding {
    #[command(flatten)]
    settings: Settings,
    /// Send it with the key in [keys.ecdsa], which has to be the committee's; else only say what the committee is to send.
    #[arg(long)]
    send: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Veto {
    /// The fault, by its id; or the task whose answer was withdrawn, by its index or its hash.
    #[arg(value_name = "FAULT|TASK")]
    fault: TaskName,
    /// Except this operator only, by its account or its id.
    #[arg(long, value_name = "OPERATOR")]
    operator: Option<OperatorName>,
    #[command(flatten)]
    deciding: Deciding,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rule {
    /// The task, by its index or its hash.
    #[arg(value_name = "TASK")]
    task: TaskName,
    #[command(flatten)]
    ruling: Ruling,
    #[command(flatten)]
    deciding: Deciding,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Ruling {
    /// The answer is wrong: it is withdrawn, and its signers can be frozen and slashed at once.
    #[arg(long)]
    uphold: bool,
    /// The answer stands, and the challenger loses the bond.
    #[arg(long)]
    reject: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RuleAbsence {
    /// The operator, by its account or its id.
    #[arg(value_name = "OPERATOR")]
    operator: OperatorName,
    #[command(flatten)]
    deciding: Deciding,
}

impl Veto {
    pub(super) async fn run(&self, output: Output) -> Outcome {
        let site = Site::reach(&self.deciding.settings).await?;
        let disputes = site.disputes();
        let fault = disputes.fault_named(hash_of(self.fault, &disputes).await?).await?;
        let operator = match self.operator {
            Some(operator) => Some(operator.account(&disputes).await?),
            None => None,
        };
        self.deciding.decide(&site, disputes.veto(&fault, operator), output).await
    }
}

impl Rule {
    pub(super) async fn run(&self, output: Output) -> Outcome {
        let site = Site::reach(&self.deciding.settings).await?;
        let disputes = site.disputes();
        let task = disputes.task(hash_of(self.task, &disputes).await?).await?;
        self.deciding.decide(&site, disputes.ruling(&task, self.ruling.uphold)?, output).await
    }
}

impl RuleAbsence {
    pub(super) async fn run(&self, output: Output) -> Outcome {
        let site = Site::reach(&self.deciding.settings).await?;
        let disputes = site.disputes();
        let operator = self.operator.id(&disputes).await?;
        self.deciding.decide(&site, disputes.ruling_absence(operator), output).await
    }
}

impl Deciding {
    async fn decide(&self, site: &Site, request: Request, output: Output) -> Outcome {
        if self.send {
            return send(site, &[request], "", false, output).await;
        }
        let committee = site.addresses.governance.committee.clone();
        let mut transaction = TransactionPreview::new(&request, false);
        if let Some(first) = committee.first() {
            let reason = revert_of(&site.provider, *first, &request).await?;
            transaction.revert = reason.map(|reason| explained(&reason, remedy));
        }
        let would_fail = transaction.revert.is_some();
        output.print(&Decision { committee, transaction })?;
        Ok(if would_fail { ExitCode::from(NOT_SO) } else { ExitCode::SUCCESS })
    }
}

/// What the committee is to send.
#[derive(Debug, Serialize)]
struct Decision {
    /// Who may.
    committee: BTreeSet<Address>,
    #[serde(flatten)]
    transaction: TransactionPreview,
}

impl Report for Decision {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let TransactionPreview { what, to, call, data, revert, .. } = &self.transaction;
        let committee: Vec<String> = self.committee.iter().map(ToString::to_string).collect();
        writeln!(f, "{what}")?;
        writeln!(f, "call  {call}")?;
        match revert {
            Some(revert) => writeln!(f, "would revert now: {revert}")?,
            None => writeln!(f, "would succeed now")?,
        }
        writeln!(f, "\nthe committee ({}) sends to {to}\n{data}", committee.join(" or "))?;
        writeln!(f, "\nNothing was sent.")
    }
}
