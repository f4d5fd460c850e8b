//! The reading half of a connection: messages, as fast and as many as the other end is allowed.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout_at};

use super::bucket::Bucket;
use super::budget::{Budget, Waiting, take};
use super::connection::End;
use super::frames::{Frame, Frames};
use super::json_rpc::{Service, Work};
use super::limits::{Allowances, Limits, REPLY_BYTES};

/// How much is read at once, or somewhat more.
const READ_BYTES: usize = 4 * 1024;
/// The bytes that count as one call where calls are read at a pace.
const PACED_BYTES: usize = 1024;

/// The content of the last ping that is to be answered.
pub(super) type Pings = watch::Sender<Option<Vec<u8>>>;

/// What a message holds until it is answered: places for its calls, and bytes.
#[derive(Debug, Default)]
pub(super) struct Held {
    calls: Option<OwnedSemaphorePermit>,
    bytes: Option<Waiting>,
}

/// The reading half.
pub(super) struct Reading<R, V> {
    socket: R,
    frames: Frames,
    service: V,
    limits: Limits,
    calls: Arc<Semaphore>,
    budget: Option<Budget>,
    pings: Pings,
    pace: Bucket,
    /// Bytes that were read and are less than a call.
    unpaid: usize,
    is_known: bool,
    started: Instant,
}

impl<R: AsyncRead + Unpin, V: Service + Clone + 'static> Reading<R, V> {
    pub(super) fn new(socket: R, service: V, limits: &Limits, pings: Pings) -> Self {
        let most_bytes = limits.known.most_waiting_bytes;
        Self {
            socket,
            frames: Frames::default(),
            service,
            limits: limits.clone(),
            calls: Arc::new(Semaphore::new(limits.known.most_in_flight)),
            budget: most_bytes.map(|most| Budget::new(most, limits.common.as_ref())),
            pings,
            pace: Bucket::full(),
            unpaid: 0,
            is_known: false,
            started: Instant::now(),
        }
    }

    /// The next message's work, once there is room for it.
    pub(super) async fn next(&mut self) -> Result<(Work, Held), End> {
        let mut held = Held { calls: Some(self.first_place().await?), bytes: None };
        let message = self.receive().await?;
        let (batch, longest_call) = (self.allowances().most_batch, self.limits.longest_call);
        let work = Work::read(&message, batch, longest_call, &self.service);
        if let Some(budget) = &self.budget {
            let bytes = message.len().saturating_add(work.calls.saturating_mul(REPLY_BYTES));
            held.bytes = Some(budget.take(bytes).await?);
        }
        if let Some(calls) = held.calls.as_mut().filter(|_| work.calls > 1) {
            // A batch has no more calls than may be under way, and a stranger holds all places already.
            let missing = work.calls.saturating_sub(calls.num_permits());
            calls.merge(take(&self.calls, missing).await?);
        }
        self.pay(work.calls.saturating_sub(message.len() / PACED_BYTES)).await;
        Ok((work, held))
    }

    fn allowances(&self) -> &Allowances {
        if self.is_known { &self.limits.known } else { &self.limits.stranger }
    }

    /// A place for one call. A stranger takes all: what it asked before has been answered, and written.
    async fn first_place(&mut self) -> Result<OwnedSemaphorePermit, End> {
        if self.is_known {
            return take(&self.calls, 1).await;
        }
        let mut places = take(&self.calls, self.limits.known.most_in_flight).await?;
        if self.service.is_known() {
            (self.is_known, self.pace) = (true, Bucket::full());
            // What it asked last was for its session. From here on it is as the others.
            drop(places.split(places.num_permits() - 1));
        }
        Ok(places)
    }

    /// The next message. It must arrive whole within the longest silence, whatever comes between its parts.
    async fn receive(&mut self) -> Result<Vec<u8>, End> {
        let silence = self.limits.longest_silence;
        let mut deadline = Instant::now() + silence;
        let mut was_within = self.frames.is_within_message();
        loop {
            let most = self.allowances().most_message_bytes;
            let waited = match self.frames.next(most)? {
                None => {
                    let read = timeout_at(deadline, self.read_some()).await;
                    let read = read.map_err(|_| End::Silent(silence))??;
                    self.pay_bytes(read).await
                }
                Some(Frame::Message(message)) => return Ok(message),
                Some(Frame::Close) => return Err(End::Closed),
                Some(frame) => {
                    if let Frame::Ping(content) = frame {
                        self.pings.send_replace(Some(content));
                    }
                    if !self.frames.is_within_message() {
                        deadline = Instant::now() + silence;
                    }
                    self.pay(1).await
                }
            };
            let is_within = self.frames.is_within_message();
            // The time that it is not read from is not the other end's.
            deadline = if is_within && !was_within { Instant::now() + silence } else { deadline + waited };
            was_within = is_within;
        }
    }

    /// Feeds the next bytes, and says how many they were.
    async fn read_some(&mut self) -> Result<usize, End> {
        let read = self.socket.read_buf(self.frames.fed(READ_BYTES)).await;
        let read = read.map_err(|error| End::Broken(error.to_string()))?;
        if read == 0 { Err(End::Closed) } else { Ok(read) }
    }

    async fn pay_bytes(&mut self, bytes: usize) -> Duration {
        self.unpaid += bytes;
        let due = self.unpaid / PACED_BYTES;
        self.unpaid %= PACED_BYTES;
        self.pay(due).await
    }

    /// Waits until as many calls may be read, and says how long that was.
    async fn pay(&mut self, calls: usize) -> Duration {
        let Some(pace) = self.allowances().pace.filter(|_| calls > 0) else { return Duration::ZERO };
        let (calls, start) = (u32::try_from(calls).unwrap_or(u32::MAX), Instant::now());
        while let Err(wait) = self.pace.take(pace, calls, self.started.elapsed()) {
            sleep(wait).await;
        }
        start.elapsed()
    }
}
