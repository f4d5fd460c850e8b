//! `anzen model evaluate`.

use std::{error::Error, fmt, process::ExitCode, sync::Arc};

use alloy::primitives::{B256, U256};
use anzen_actors::{
    adapters::{AlloyChain, BlockingPool, OsRng, RpcMetrics},
    ports::ChainReader,
};
use anzen_messages::{
    SafetyFactor,
    model::{self, Model, NoAnswer, Reading, Source, Term},
};
use serde::Serialize;

use super::named::{InWords, Named, scale, side};
use crate::{
    chain::{Site, block_on},
    logging,
    outcome::{NOT_SO, Outcome},
    output::{Output, Report},
    settings::Settings,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The model: a file, or the hash of one that governance has added.
    #[arg(value_name = "FILE|HASH")]
    model: Named,
    /// The block [default: the newest].
    #[arg(long, value_name = "BLOCK")]
    at: Option<u64>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Evaluated {
    model_hash: B256,
    block: u64,
    block_hash: B256,
    terms: Vec<OfTerm>,
    /// The cost of corruption, and the profit from it.
    cost: Option<String>,
    profit: Option<String>,
    /// `Answer`, or why there is none, as in the contracts.
    outcome: &'static str,
    /// With 9 decimals.
    value: Option<String>,
    /// The same in the contract's unit.
    safety_factor: Option<SafetyFactor>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OfTerm {
    side: &'static str,
    amount: Read,
    price: Read,
    /// Amount x price x share / 10^decimals.
    value: Read,
    #[serde(skip)]
    words: [String; 3],
}

/// A number; or why there is none.
#[derive(Debug, Serialize)]
struct Read {
    /// `Answer`, or why there is none.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    logging::start("warn");
    let evaluated = block_on(evaluate(arguments))??;
    output.print(&evaluated)?;
    Ok(if evaluated.value.is_some() { ExitCode::SUCCESS } else { ExitCode::from(NOT_SO) })
}

async fn evaluate(arguments: &Arguments) -> Result<Evaluated, Box<dyn Error>> {
    let site = Site::reach(&arguments.settings).await?;
    let model = arguments.model.model(&site).await?;
    let cpu = Arc::new(BlockingPool::new(tokio::runtime::Handle::current()));
    let rng = Arc::new(OsRng::new()?);
    let addresses = (&site.addresses).into();
    let chain = AlloyChain::new(&site.config.chain, addresses, cpu, rng, RpcMetrics::default())?;
    let at = match arguments.at {
        None => chain.head().await?.at,
        Some(block) => {
            let header = chain.header(block).await?;
            header.ok_or_else(|| format!("the chain has no block {block} yet; give an earlier one"))?.at
        }
    };
    let mut read = chain.read_models(&[&model], at.hash).await;
    let terms = read.pop().ok_or("no answer to a question")??;
    Ok(Evaluated::new(&model, at.number, at.hash, &terms))
}

impl Evaluated {
    fn new(model: &Model, block: u64, block_hash: B256, terms: &[Term<Reading>]) -> Self {
        let sums = model::cost_and_profit(terms).ok();
        let sum = |pick: fn((U256, U256)) -> U256| sums.map(|sums| pick(sums).to_string());
        let answer = model::evaluate(terms);
        let of_term = |(sources, read): (&Term<Source>, &Term<Reading>)| OfTerm {
            side: side(read.side),
            amount: read.amount.into(),
            price: read.price.into(),
            value: model::value_of(read).into(),
            words: [scale(read), InWords(&sources.amount).to_string(), InWords(&sources.price).to_string()],
        };
        Self {
            model_hash: model.hash(),
            block,
            block_hash,
            terms: model.terms().iter().zip(terms).map(of_term).collect(),
            cost: sum(|(cost, _)| cost),
            profit: sum(|(_, profit)| profit),
            outcome: outcome(answer),
            value: answer.ok().map(|value| value.to_string()),
            safety_factor: answer.ok(),
        }
    }
}

fn outcome<T>(result: Result<T, NoAnswer>) -> &'static str {
    result.map_or_else(NoAnswer::name, |_| "Answer")
}

impl From<Reading> for Read {
    fn from(reading: Reading) -> Self {
        Self { outcome: outcome(reading), value: reading.ok().map(|value| value.to_string()) }
    }
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => f.write_str(value),
            None => write!(f, "none ({})", self.outcome),
        }
    }
}

impl Report for Evaluated {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "model {} at block {} ({})", self.model_hash, self.block, self.block_hash)?;
        for (number, term) in self.terms.iter().enumerate() {
            let [scale, amount, price] = &term.words;
            writeln!(f, "\nterm {number}: {scale} = {}", term.value)?;
            writeln!(f, "  amount  {:>30}  {amount}", term.amount.to_string())?;
            writeln!(f, "  price   {:>30}  {price}", term.price.to_string())?;
        }
        let or_none = |sum: &Option<String>| sum.clone().unwrap_or_else(|| "none".into());
        writeln!(f, "\ncost of corruption      {}", or_none(&self.cost))?;
        writeln!(f, "profit from corruption  {}", or_none(&self.profit))?;
        match &self.value {
            Some(value) => writeln!(f, "safety factor           {value}"),
            None => writeln!(f, "There is no answer: {}.", self.outcome),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anzen_messages::model::Side;
    use serde_json::json;

    fn evaluated(price: Reading) -> Evaluated {
        let source = Source::Constant { value: U256::from(7) };
        let term =
            Term { side: Side::Cost, amount: source.clone(), price: source, share_bps: 5_000, decimals: 0 };
        let model = Model::new(vec![term.clone()]).unwrap();
        let read = Term { amount: Ok(U256::from(8)), price, side: term.side, share_bps: 5_000, decimals: 0 };
        Evaluated::new(&model, 5, B256::ZERO, &[read])
    }

    #[test]
    fn every_step_is_told() {
        let told = serde_json::to_value(evaluated(Ok(U256::from(3)))).unwrap();
        assert_eq!(told["terms"][0]["amount"], json!({ "outcome": "Answer", "value": "8" }));
        assert_eq!(told["terms"][0]["value"], json!({ "outcome": "Answer", "value": "12" }));
        assert_eq!((&told["cost"], &told["profit"]), (&json!("12"), &json!("0")));
        assert_eq!((&told["outcome"], &told["value"]), (&json!("Answer"), &json!("1.000000000")));
    }

    #[test]
    fn where_there_is_no_answer_the_outcome_is_told() {
        let told = serde_json::to_value(evaluated(Err(NoAnswer::StaleFeed))).unwrap();
        assert_eq!(told["terms"][0]["price"], json!({ "outcome": "StaleFeed" }));
        assert_eq!(told["terms"][0]["value"], json!({ "outcome": "StaleFeed" }));
        assert_eq!((&told["outcome"], &told["safetyFactor"]), (&json!("StaleFeed"), &json!(null)));
    }
}
