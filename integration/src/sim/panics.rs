//! Panics of actors. The runtime catches them, and the rest goes on; in the product the process ends.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    /// The first panic of this thread's run. Each run has a thread of its own.
    static NOTED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Notes panics of this thread from now on, and forgets those before.
pub(super) fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            note(panic.to_string());
            before(panic);
        }));
    });
    NOTED.with_borrow_mut(|noted| *noted = None);
}

/// Keeps the first. A thread that is ending has no run any more.
fn note(panic: String) {
    let _ = NOTED.try_with(|noted| {
        let mut noted = noted.borrow_mut();
        if noted.is_none() {
            *noted = Some(panic);
        }
    });
}

/// The first panic since [`watch`], with its place, if there was one.
pub(super) fn noted() -> Option<String> {
    NOTED.with_borrow(Clone::clone)
}

#[cfg(test)]
mod tests {
    use tokio::task::LocalSet;

    use super::*;

    fn fall() {
        panic!("an actor falls");
    }

    #[test]
    fn a_panic_that_the_runtime_catches_is_noted() {
        watch();
        assert_eq!(noted(), None);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let set = LocalSet::new();
        let task = set.spawn_local(async { fall() });
        assert!(runtime.block_on(set.run_until(task)).is_err());
        let panic = noted().unwrap();
        assert!(panic.contains("an actor falls") && panic.contains("panics.rs"), "{panic}");
        watch();
        assert_eq!(noted(), None);
    }
}
