//! What an answer must be, and what proves it.
//!
//! Both follow from the same answers of one endpoint. What it proves is verified here; of what it cannot prove, stakes and feeds,
//! the evaluator's contract is asked: the witness has to lead it to the same outcome.

use alloy::sol_types::SolValue;
use anzen_contracts::ModelEvaluator::{evaluateCall, evaluateReturn, isReadableCall};
use anzen_contracts::model_evaluator::IModelEvaluator::Witness;
use anzen_messages::model::{Model, NoAnswer};
use anzen_messages::{SafetyFactor, Task};

use super::super::AlloyChain;
use super::super::failure::Failure;
use super::super::models::Questions;
use super::super::rpc::At;
use crate::ports::{ChainError, Recomputed};

type Outcome = Result<SafetyFactor, NoAnswer>;

impl AlloyChain {
    pub(super) async fn recomputed(&self, task: &Task) -> Result<Recomputed, ChainError> {
        let at = task.reference_block_hash;
        let model = &*self.model(task.model_hash, at).await?;
        let questions = &Questions::of([model]);
        let vote = |endpoint| async move { vec![self.recomputed_by(endpoint, task, model, questions).await] };
        let missing = || Err(ChainError::Nonsense("it was not asked".into()));
        self.agreed(1, at, vote).await.pop().unwrap_or_else(missing)
    }

    async fn recomputed_by(
        &self,
        endpoint: usize,
        task: &Task,
        model: &Model,
        questions: &Questions,
    ) -> Result<Recomputed, ChainError> {
        let answers = self.ask(questions, endpoint, task.reference_block_hash).await?;
        let outcome = answers.outcome(model)?;
        let witness = answers.into_witness(model);
        let encoded = witness.abi_encode().into();
        let is_proof = self.proves(endpoint, task, witness, outcome).await?;
        Ok(Recomputed { outcome, witness: is_proof.then_some(encoded) })
    }

    /// Whether a witness proves the outcome to the evaluator as it is now; it does not where a source cannot be read on chain. Sources
    /// behind the one that decides do not matter: so the evaluator is asked for an outcome first, then for whether it can read.
    async fn proves(
        &self,
        endpoint: usize,
        task: &Task,
        witness: Witness,
        outcome: Outcome,
    ) -> Result<bool, ChainError> {
        let (evaluator, model) = (self.addresses.model_evaluator, task.model_hash);
        let evaluate = evaluateCall { modelHash: model, blockHash: task.reference_block_hash, witness };
        let mut batch = self.rpc.batch_of(endpoint);
        let said = batch.view(evaluator, &evaluate, At::Latest);
        let readable = batch.view(evaluator, &isReadableCall { modelHash: model }, At::Latest);
        batch.send().await?;
        match said.get().await {
            Ok(said) if is(&said, outcome) => Ok(true),
            Ok(said) => {
                let name = self.rpc.name_of(endpoint);
                let evaluateReturn { outcome: number, safetyFactor: value } = said;
                Err(ChainError::Nonsense(format!(
                    "by what {name} says of task {}, {outcome:?} follows, and by the evaluator at {evaluator} outcome \
                     {number} with {value}",
                    task.index
                )))
            }
            Err(Failure::Reverts(_)) if !readable.get().await? => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }
}

/// Whether the evaluator says the same.
fn is(said: &evaluateReturn, outcome: Outcome) -> bool {
    match outcome {
        Ok(value) => said.outcome == 0 && said.safetyFactor == value.0,
        Err(reason) => said.outcome == reason.outcome(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::I256;

    fn said(outcome: u8, value: i64) -> evaluateReturn {
        evaluateReturn { outcome, safetyFactor: I256::try_from(value).unwrap() }
    }

    #[test]
    fn another_value_or_another_reason_is_another_outcome() {
        let five = Ok(SafetyFactor(I256::try_from(5).unwrap()));
        assert!(is(&said(0, 5), five) && !is(&said(0, 6), five) && !is(&said(1, 5), five));
        let stale = Err(NoAnswer::StaleFeed);
        assert!(is(&said(2, 0), stale) && !is(&said(1, 0), stale) && !is(&said(0, 0), stale));
    }
}
