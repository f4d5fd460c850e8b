//! Deploying: once, twice, interrupted.

use crate::chain::Chain;

#[tokio::test]
async fn deploys_and_a_second_run_does_nothing() {
    let chain = Chain::start();
    let started = std::time::Instant::now();
    let first = chain.deploy().await.unwrap();
    eprintln!("{:?}", started.elapsed());
    eprintln!("{first:#?}");
}
