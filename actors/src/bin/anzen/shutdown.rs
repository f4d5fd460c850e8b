//! When a process is told to end.

use std::{future::Future, io};

use tokio::signal::unix::{SignalKind, signal};

/// Ready at the first SIGINT (Ctrl-C) or SIGTERM. Must be called within a runtime; the signals count from now on.
///
/// # Errors
/// Where the system does not let signals be handled.
pub(crate) fn signalled() -> io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ready when `wait`, which blocks, returns.
pub(crate) fn when(wait: impl FnOnce() + Send + 'static) -> impl Future<Output = ()> {
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    // A thread of its own: a runtime would wait at its end for a task that blocks.
    std::thread::spawn(move || {
        wait();
        drop(sender);
    });
    async move {
        // The sender is dropped when it is time.
        let _ = receiver.await;
    }
}
