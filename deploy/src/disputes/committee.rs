//! What the committee decides.

use alloy::primitives::{Address, B256};
use anzen_contracts::{AnzenDisputes, AnzenServiceManager};

use super::{DisputeError, Disputes, FaultRecord, anyone::Answered};
use crate::{chain::Request, tasks::TaskRecord};

impl Disputes {
    /// Lets nobody be slashed for a fault, or not one operator.
    pub fn veto(&self, fault: &FaultRecord, operator: Option<Address>) -> Request {
        let (to, id) = (self.addresses.service_manager, fault.id);
        match operator {
            None => {
                let what = format!("vetoing fault {id}: nobody is slashed for it");
                Request::call(what, to, &AnzenServiceManager::vetoFaultCall { faultId: id })
            }
            Some(operator) => {
                let what = format!("vetoing the slashing of {operator} for fault {id}");
                Request::call(what, to, &AnzenServiceManager::vetoSlashingCall { faultId: id, operator })
            }
        }
    }

    /// Rules on the answer to a task.
    ///
    /// # Errors
    /// Where it has none.
    pub fn ruling(&self, task: &TaskRecord, upheld: bool) -> Result<Request, DisputeError> {
        let (answered, _) = Answered::of(task)?;
        let Answered { response, metadata, .. } = answered;
        let call = AnzenDisputes::ruleCall { task: (&task.task).into(), response, metadata, upheld };
        let what = if upheld {
            format!(
                "ruling that the answer to task {} is wrong: it is withdrawn, its signers can be slashed",
                task.hash
            )
        } else {
            format!("ruling that the answer to task {} stands: the challenger loses the bond", task.hash)
        };
        Ok(Request::call(what, self.addresses.disputes, &call))
    }

    /// Makes a fault of the absence for which an operator was ejected.
    pub fn ruling_absence(&self, operator: B256) -> Request {
        let what = format!("ruling that the absence of operator {operator} is a fault: it can be slashed");
        let call = AnzenDisputes::ruleAbsenceCall { operatorId: operator };
        Request::call(what, self.addresses.disputes, &call)
    }
}
