//! The frames of a WebSocket (RFC 6455), put together to messages. No I/O.
//!
//! soketto reads and writes their headers. Its own receiver is not used: a pong between two fragments makes it forget how
//! long the message is already, so that a message may grow without end; and its limits cannot change, while a stranger's
//! are smaller than an operator's.

use soketto::Parsing;
use soketto::base::{Codec, Error, Header, OpCode};

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The last of a message, which is this.
    Message(Vec<u8>),
    /// A part of a message.
    Part,
    /// To be answered with a pong of the same content.
    Ping(Vec<u8>),
    /// The answer to a ping.
    Pong,
    /// The other end closes the connection.
    Close,
}

/// Why nothing more can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("the message is larger than it may be")]
    TooLarge,
    #[error("{0}")]
    Broken(String),
}

impl From<Error> for FrameError {
    fn from(error: Error) -> Self {
        match error {
            Error::PayloadTooLarge { .. } => Self::TooLarge,
            other => Self::Broken(other.to_string()),
        }
    }
}

/// The frame whose content is being read.
#[derive(Debug)]
struct Inside {
    header: Header,
    /// How much of it has been read.
    done: usize,
    /// A control frame's content; a message's is in `Frames::message`.
    control: Vec<u8>,
    /// It is too large: its content is thrown away, so that the sender gets to see the reason.
    skipped: bool,
}

/// Reads frames. What is held is at most the bytes that were fed and not read, and a message of the size that is allowed.
#[derive(Debug, Default)]
pub(super) struct Frames {
    codec: Codec,
    fed: Vec<u8>,
    /// Where in `fed` the unread bytes start.
    at: usize,
    inside: Option<Inside>,
    message: Vec<u8>,
    is_started: bool,
}

impl Frames {
    /// Where bytes are added as they come, with room for `more`. All earlier ones should have been read:
    /// [`Frames::next`] has returned nothing.
    pub(super) fn fed(&mut self, more: usize) -> &mut Vec<u8> {
        self.fed.drain(..self.at);
        self.at = 0;
        self.fed.reserve(more);
        &mut self.fed
    }

    /// True from the first byte of a message's first frame to the last of its last.
    pub(super) fn is_within_message(&self) -> bool {
        self.is_started || self.inside.as_ref().is_some_and(|inside| !inside.header.opcode().is_control())
    }

    /// The next frame, if all of it was fed. `most` is how many bytes a message may have.
    ///
    /// # Errors
    /// Where the bytes are no frames, or a message is larger. Nothing can be read after that.
    pub(super) fn next(&mut self, most: usize) -> Result<Option<Frame>, FrameError> {
        if self.inside.is_none() {
            let Parsing::Done { value: header, offset } = self.codec.decode_header(&self.fed[self.at..])?
            else {
                return Ok(None);
            };
            self.at += offset;
            self.inside = Some(self.enter(header, most)?);
        }
        if !self.read_content() {
            return Ok(None);
        }
        let Some(inside) = self.inside.take() else { return Ok(None) };
        self.leave(inside).map(Some)
    }

    /// Decides about a frame by its header.
    fn enter(&self, header: Header, most: usize) -> Result<Inside, FrameError> {
        let broken = |what: &str| Err(FrameError::Broken(what.into()));
        let mut inside = Inside { done: 0, control: Vec::new(), skipped: false, header };
        let header = &inside.header;
        if header.opcode().is_control() {
            return Ok(inside);
        }
        match (header.opcode() == OpCode::Continue, self.is_started) {
            (true, false) => return broken("a fragment came that continues nothing"),
            (false, true) => return broken("a message began within another"),
            _ => {}
        }
        if self.message.len().saturating_add(header.payload_len()) > most {
            if header.payload_len() > most.saturating_mul(4) {
                return Err(FrameError::TooLarge);
            }
            inside.skipped = true;
        }
        Ok(inside)
    }

    /// Takes what was fed of the frame's content; true once it is whole.
    fn read_content(&mut self) -> bool {
        let Some(inside) = &mut self.inside else { return false };
        let left = inside.header.payload_len() - inside.done;
        let taken = left.min(self.fed.len() - self.at);
        let bytes = &self.fed[self.at..self.at + taken];
        let target =
            if inside.header.opcode().is_control() { &mut inside.control } else { &mut self.message };
        if !inside.skipped {
            let start = target.len();
            target.extend_from_slice(bytes);
            unmask(&inside.header, inside.done, &mut target[start..]);
        }
        self.at += taken;
        inside.done += taken;
        taken == left
    }

    fn leave(&mut self, inside: Inside) -> Result<Frame, FrameError> {
        if inside.skipped {
            return Err(FrameError::TooLarge);
        }
        match inside.header.opcode() {
            OpCode::Ping => return Ok(Frame::Ping(inside.control)),
            OpCode::Pong => return Ok(Frame::Pong),
            OpCode::Close => return Ok(Frame::Close),
            _ => {}
        }
        self.is_started = !inside.header.is_fin();
        if self.is_started {
            return Ok(Frame::Part);
        }
        Ok(Frame::Message(std::mem::take(&mut self.message)))
    }
}

/// Takes the mask off bytes that stand at `offset` in a frame's content.
fn unmask(header: &Header, offset: usize, bytes: &mut [u8]) {
    if header.is_masked() {
        let mask = header.mask().to_be_bytes();
        for (byte, key) in bytes.iter_mut().zip(mask.iter().cycle().skip(offset % 4)) {
            *byte ^= key;
        }
    }
}

/// Adds a frame, unmasked as a server's are, to what will be written.
pub(super) fn put_frame(opcode: OpCode, content: &[u8], written: &mut Vec<u8>) {
    let mut header = Header::new(opcode);
    header.set_payload_len(content.len());
    written.extend_from_slice(Codec::new().encode_header(&header));
    written.extend_from_slice(content);
}

#[cfg(test)]
#[path = "tests/frames.rs"]
mod tests;
