//! `anzen dispute freeze`, `execute` and `absence`: what anyone does about a fault.

use crate::{
    chain::Site,
    outcome::Outcome,
    output::Output,
    sending::{Sending, send},
    task::TaskName,
};

use super::name::{OperatorName, hash_of};

#[derive(Debug, clap::Args)]
pub(crate) struct Freeze {
    /// The task, by its index or its hash.
    #[arg(value_name = "TASK")]
    task: TaskName,
    #[command(flatten)]
    sending: Sending,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Execute {
    /// The fault, by its id; or the task whose answer was withdrawn, by its index or its hash.
    #[arg(value_name = "FAULT|TASK")]
    fault: TaskName,
    #[command(flatten)]
    sending: Sending,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Absence {
    /// The task, by its index or its hash.
    #[arg(value_name = "TASK")]
    task: TaskName,
    /// The operator, by its account or its id.
    #[arg(value_name = "OPERATOR")]
    operator: OperatorName,
    #[command(flatten)]
    sending: Sending,
}

impl Freeze {
    pub(super) async fn run(&self, output: Output) -> Outcome {
        let site = Site::reach(&self.sending.settings).await?;
        let disputes = site.disputes();
        let case = disputes.case(hash_of(self.task, &disputes).await?).await?;
        let requests = disputes.freezing(&case).await?;
        send(&site, &requests, "all signers are frozen, or excepted", self.sending.dry_run, output).await
    }
}

impl Execute {
    pub(super) async fn run(&self, output: Output) -> Outcome {
        let site = Site::reach(&self.sending.settings).await?;
        let disputes = site.disputes();
        let fault = disputes.fault_named(hash_of(self.fault, &disputes).await?).await?;
        let requests = disputes.executing(&fault).await?;
        let nothing = if fault.operators.is_empty() {
            "nobody is frozen for the fault; `anzen dispute freeze` does that"
        } else {
            "nobody who is frozen for the fault owes anything"
        };
        send(&site, &requests, nothing, self.sending.dry_run, output).await
    }
}

impl Absence {
    pub(super) async fn run(&self, output: Output) -> Outcome {
        let site = Site::reach(&self.sending.settings).await?;
        let disputes = site.disputes();
        let task = disputes.task(hash_of(self.task, &disputes).await?).await?;
        let operator = self.operator.id(&disputes).await?;
        let request = disputes.recording_absence(&task, operator).await?;
        send(&site, &[request], "", self.sending.dry_run, output).await
    }
}
