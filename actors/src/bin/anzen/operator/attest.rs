//! `anzen operator attest`: the operator's own answer, on chain.

use std::error::Error;

use anzen_actors::{keys::load_bls, operator_signer::protection::Protection};
use anzen_messages::{
    Task,
    bls::SecretKey,
    evidence::{OperatorKeys, SignedAnswer},
    task::SigningDomain,
};

use super::protection;
use crate::{
    chain::Site,
    outcome::Outcome,
    output::Output,
    sending::{Sending, send},
    task::TaskName,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The task, by its index or its hash.
    #[arg(long, value_name = "INDEX|HASH")]
    task: TaskName,
    #[command(flatten)]
    sending: Sending,
}

pub(crate) async fn run(arguments: &Arguments, output: Output) -> Outcome {
    let site = Site::reach(&arguments.sending.settings).await?;
    let disputes = site.disputes();
    let hash = match arguments.task {
        TaskName::Hash(hash) => hash,
        TaskName::Index(index) => disputes.task_hash_at(index).await?,
    };
    let task = disputes.task(hash).await?;
    let key = load_bls(&site.config.keys.bls)?;
    let public = key.public_key();
    disputes.check_attestable(&task, public.operator_id()).await?;
    let domain = SigningDomain::new(site.addresses.chain_id, site.addresses.task_manager);
    let answer = signed_again(&mut protection::own(&site.config).await?, &key, &task.task, &domain)?;
    let request = disputes.attesting(&task.task, answer, OperatorKeys::from(&public));
    send(&site, &[request], "", arguments.sending.dry_run, output).await
}

/// The answer that is on record, and no other.
fn signed_again(
    protection: &mut Protection,
    key: &SecretKey,
    task: &Task,
    domain: &SigningDomain,
) -> Result<SignedAnswer, Box<dyn Error>> {
    let permit = protection.sign_again(task, domain)?;
    let signature = key.sign(&permit.message()).to_bytes();
    Ok(SignedAnswer { safety_factor: permit.response().safety_factor, signature })
}
