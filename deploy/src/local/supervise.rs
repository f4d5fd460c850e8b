//! The network's processes together: who ends by itself is started again.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};

use super::{
    LocalError,
    folder::tail,
    nats,
    process::{End, Program, Running},
    restarts::Restarts,
    run::{is_chain, is_operator},
};

/// What a log's end is.
const TAIL: usize = 20;

/// A process that is running, or will be again.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) name: String,
    pub(super) pid: u32,
    log: PathBuf,
    stop: oneshot::Sender<()>,
    supervisor: JoinHandle<()>,
}

impl Process {
    /// Has it stop; the result is ready when it is gone.
    fn stop(self) -> JoinHandle<()> {
        // It may have ended already.
        let _ = self.stop.send(());
        self.supervisor
    }
}

/// What happened to a process by itself.
#[derive(Debug)]
pub(super) enum Event {
    /// It has ended.
    Ended(Ended),
    /// It has been started again.
    Started {
        /// Which.
        name: String,
        /// Its new process id.
        pid: u32,
    },
    /// It is ready; where it has been started again, once more.
    Ready {
        /// Which.
        name: String,
    },
}

/// A process has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) name: String,
    pub(super) log: PathBuf,
    pub(super) how: String,
    /// True where it will be started again.
    pub(super) returns: bool,
    /// How often it has failed in a row, soon after each start.
    pub(super) failures: usize,
}

impl Ended {
    /// The end of a process that the network cannot do without.
    pub(super) fn into_error(self) -> LocalError {
        let tail = tail(&self.log, TAIL);
        let Self { name, log, how, failures, .. } = self;
        if failures > 1 {
            return LocalError::GivenUp { name, failures, how, log, tail };
        }
        LocalError::Ended { name, how, log, tail }
    }
}

/// All processes of this network that were started here.
#[derive(Debug)]
pub(super) struct Processes {
    all: Vec<Process>,
    /// Whether who ends by itself is started again.
    restart: bool,
    events: (mpsc::UnboundedSender<Event>, mpsc::UnboundedReceiver<Event>),
}

impl Processes {
    pub(super) fn new(restart: bool) -> Self {
        Self { all: Vec::new(), restart, events: mpsc::unbounded_channel() }
    }

    /// Starts a process and looks after it. The chain is never started again: it keeps nothing.
    pub(super) fn start(&mut self, program: Program) -> Result<u32, LocalError> {
        let running = program.start()?;
        let restarts = (self.restart && !is_chain(&program.name)).then(Restarts::new);
        let (name, log, pid) = (program.name.clone(), program.log.clone(), running.pid);
        let (stop, stopped) = oneshot::channel();
        let supervisor = Supervisor { program, restarts, stopped, events: self.events.0.clone() };
        let supervisor = tokio::spawn(supervisor.run(running));
        self.all.push(Process { name, pid, log, stop, supervisor });
        Ok(pid)
    }

    pub(super) fn all(&self) -> &[Process] {
        &self.all
    }

    /// What happens next to any of them.
    pub(super) async fn next(&mut self) -> Event {
        let Some(event) = self.events.1.recv().await else {
            // Not while this has a sender.
            return std::future::pending().await;
        };
        match &event {
            Event::Ended(ended) if !ended.returns => self.all.retain(|process| process.name != ended.name),
            Event::Started { name, pid } => {
                self.all.iter_mut().filter(|process| process.name == *name).for_each(|one| one.pid = *pid);
            }
            _ => {}
        }
        event
    }

    /// The next one to end.
    pub(super) async fn next_ended(&mut self) -> Ended {
        loop {
            if let Event::Ended(ended) = self.next().await {
                return ended;
            }
        }
    }

    /// Returns when all of these are ready. One that ends now never was: that is an error.
    pub(super) async fn ready(&mut self, names: &[&str], patience: Duration) -> Result<(), LocalError> {
        let mut awaited: BTreeSet<&str> = names.iter().copied().collect();
        let deadline = Instant::now() + patience;
        while let Some(first) = awaited.first() {
            match tokio::time::timeout_at(deadline, self.next()).await {
                Ok(Event::Ended(ended)) => return Err(ended.into_error()),
                Ok(Event::Ready { name }) => drop(awaited.remove(name.as_str())),
                Ok(Event::Started { .. }) => {}
                Err(_) => return Err(self.not_ready(first, patience)),
            }
        }
        Ok(())
    }

    fn not_ready(&self, name: &str, patience: Duration) -> LocalError {
        let process = self.all.iter().find(|process| process.name == name);
        let log = process.map(|process| process.log.clone()).unwrap_or_default();
        let (name, seconds) = (name.to_owned(), patience.as_secs());
        LocalError::NotReady { name, seconds, tail: tail(&log, TAIL), log }
    }

    /// Stops all and returns when they are gone: the operators first, the chain and the bus last, so that nobody misses
    /// anybody.
    pub(super) async fn stop(mut self) {
        let is_ground = |process: &Process| is_chain(&process.name) || process.name == nats::NAME;
        let ground = self.all.extract_if(.., |process| is_ground(process)).collect();
        let operators = self.all.extract_if(.., |process| is_operator(&process.name).is_some()).collect();
        for group in [operators, self.all, ground] {
            let stopping: Vec<_> = Vec::into_iter(group).map(Process::stop).collect();
            for supervisor in stopping {
                // A supervisor does not panic, and is not aborted.
                let _ = supervisor.await;
            }
        }
    }
}

/// Looks after one process.
struct Supervisor {
    program: Program,
    /// Nothing where it is not started again.
    restarts: Option<Restarts>,
    stopped: oneshot::Receiver<()>,
    events: mpsc::UnboundedSender<Event>,
}

impl Supervisor {
    async fn run(mut self, mut running: Running) {
        loop {
            let started = Instant::now();
            let Some(end) = self.until_end(&mut running).await else { return running.stop().await };
            let pause = self.pause(&end, started.elapsed());
            let failures = self.restarts.as_ref().map_or(0, Restarts::failures);
            self.ended(end.to_string(), pause.is_some(), failures);
            let Some(pause) = pause else { return };
            tokio::select! {
                _ = &mut self.stopped => return,
                () = tokio::time::sleep(pause) => {}
            }
            running = match self.program.start() {
                Ok(running) => running,
                Err(error) => return self.ended(error.to_string(), false, failures),
            };
            self.tell(Event::Started { name: self.program.name.clone(), pid: running.pid });
        }
    }

    /// Returns how it ended by itself; nothing where it is to be stopped.
    async fn until_end(&mut self, running: &mut Running) -> Option<End> {
        let name = &self.program.name;
        let mut ready = std::pin::pin!(self.program.ready(running.logged));
        let mut starting = true;
        loop {
            tokio::select! {
                end = running.end() => return Some(end),
                _ = &mut self.stopped => return None,
                () = &mut ready, if starting => {
                    starting = false;
                    let _ = self.events.send(Event::Ready { name: name.clone() });
                }
            }
        }
    }

    fn pause(&mut self, end: &End, lasted: Duration) -> Option<Duration> {
        self.restarts.as_mut()?.after(end.is_failure(), lasted)
    }

    fn ended(&self, how: String, returns: bool, failures: usize) {
        let (name, log) = (self.program.name.clone(), self.program.log.clone());
        self.tell(Event::Ended(Ended { name, log, how, returns, failures }));
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more while the network stops.
        let _ = self.events.send(event);
    }
}
