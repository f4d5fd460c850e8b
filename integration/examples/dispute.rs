//! `just dispute`: two thirds of the stake sign a false value on a local network, and a challenger has it withdrawn and them
//! slashed. Told step by step.

#![allow(clippy::print_stdout, reason = "it tells people")]

use std::collections::BTreeSet;

use alloy::primitives::Address;
use anzen_integration::e2e::abi::{AnswerWithdrawn, FaultRecorded, OperatorFrozen, OperatorSlashed};
use anzen_integration::e2e::chain::Chain;
use anzen_integration::e2e::colluders::Colluders;

#[tokio::main]
async fn main() {
    println!(
        "Starting a local network: a chain with EigenLayer, three operators of the same stake, a challenger ..."
    );
    let colluders = Colluders::of_new_network(&[]).await;
    let chain = &colluders.chain;
    let honest = colluders.account(1);
    let culprits: BTreeSet<Address> = [2, 3].map(|number| colluders.account(number)).into();
    println!("Operators 2 and 3 collude; operator 1, {honest}, is honest.\n");

    let posted = colluders.lie(0).await;
    let (task, block) = (posted.task.index, posted.metadata.respondedBlock);
    println!(
        "block {block}: task {task} is answered with {}, which is false, by two thirds of the stake",
        posted.response.safetyFactor
    );

    let of = |event: &AnswerWithdrawn| event.taskHash == posted.hash;
    let id = chain.event("the withdrawal", "disputes", of).await.faultId;
    println!(
        "block {}: the challenger has proved it wrong; round {} is withdrawn, fault {id} recorded",
        chain.head().await,
        posted.round
    );

    let of = |event: &OperatorFrozen| (event.faultId == id).then_some(event.operator);
    let frozen = chain.operators_of("who is frozen", culprits.len(), of).await;
    println!("block {}: frozen and ejected: {}", chain.head().await, list(&frozen));

    let fault: FaultRecorded =
        chain.event("the fault", "serviceManager", |event: &FaultRecorded| event.faultId == id).await;
    println!(
        "The committee can veto until block {}. It does not; the blocks until then are mined now.",
        fault.vetoEnd
    );
    tell(chain, "before", honest, &culprits).await;
    chain.mine_to(fault.vetoEnd.into()).await;

    let of = |event: &OperatorSlashed| (event.faultId == id).then_some(event.operator);
    let slashed = chain.operators_of("who is slashed", culprits.len(), of).await;
    println!("block {}: slashed: {}", chain.head().await, list(&slashed));
    tell(chain, "after", honest, &culprits).await;
}

async fn tell(chain: &Chain, when: &str, honest: Address, culprits: &BTreeSet<Address>) {
    for account in [honest].iter().chain(culprits) {
        let (_, shares) = chain.stake_of(*account).await;
        println!("  {when:<6} {account} has {shares} shares");
    }
}

fn list(accounts: &BTreeSet<Address>) -> String {
    accounts.iter().map(Address::to_string).collect::<Vec<_>>().join(", ")
}
