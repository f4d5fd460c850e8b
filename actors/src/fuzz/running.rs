//! Futures that need a runtime: nothing that targets run waits for anything but its own input.

use std::cell::OnceCell;

use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: OnceCell<Option<Runtime>> = const { OnceCell::new() };
}

/// Runs a future to its end.
pub(crate) fn finish<F: Future>(future: F) -> Option<F::Output> {
    RUNTIME.with(|runtime| {
        let runtime = runtime.get_or_init(|| Builder::new_current_thread().enable_time().build().ok());
        Some(runtime.as_ref()?.block_on(future))
    })
}
