//! What the server's end answers instead of a result, and how the other end reads it.

use anzen_messages::OperatorId;
use anzen_messages::wire::DecodeError;
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::types::error::{
    INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE, INVALID_REQUEST_CODE, METHOD_NOT_FOUND_CODE, PARSE_ERROR_CODE,
};

use crate::bus::{DeliveryError, DispatchError};

/// The most bytes of words that came from the other end. Those of a refusal are fewer by themselves.
pub(super) const MOST_WORDS: usize = 384;

/// A refusal, as a JSON-RPC error. `docs/wire.md` says of each code what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// Not JSON.
    #[error("this is not JSON")]
    Parse,
    /// JSON, but no JSON-RPC 2.0 request.
    #[error("this is no JSON-RPC 2.0 request: {0}")]
    InvalidRequest(String),
    /// Nobody here takes messages of that name.
    #[error("no actor of this process takes {0:?}")]
    UnknownMethod(String),
    /// The parameters are not those of the method.
    #[error("{0}")]
    Malformed(String),
    /// A fault of the server, which its own log explains.
    #[error("{0}")]
    Internal(String),
    /// The message is of a version that is not spoken here.
    #[error("{0}")]
    Version(String),
    /// The message is larger than it may be, or the batch has more calls.
    #[error("{0}")]
    TooLarge(String),
    /// There is no session on this connection.
    #[error("there is no session on this connection: call session_hello, then session_open")]
    NoSession,
    /// The session's time is over.
    #[error("session expired: open a new one")]
    SessionExpired,
    /// The message names another operator than the session.
    #[error("this session is of operator {session}, and the message of {message}: send only your own")]
    NotYourId {
        /// Who opened the session.
        session: OperatorId,
        /// Whom the message names.
        message: OperatorId,
    },
    /// The session was signed for another aggregator.
    #[error("this is {here:?}, and the session is for {there:?}: check the configured server name")]
    WrongServer {
        /// This aggregator.
        here: String,
        /// The one that was meant.
        there: String,
    },
    /// The nonce is not the one that this connection was given, or was used already.
    #[error("the nonce is not this connection's, or was used before: call session_hello for a new one")]
    WrongNonce,
    /// The session would end before it starts, or last too long.
    #[error("the expiry {expiry} must be after now ({now} here) and at most {longest} s ahead")]
    WrongExpiry {
        /// What was asked for.
        expiry: u64,
        /// The server's clock.
        now: u64,
        /// The longest session.
        longest: u64,
    },
    /// No such key is registered on chain.
    #[error("operator {0} is not registered on chain")]
    NotRegistered(OperatorId),
    /// The signature is not the operator's over this session.
    #[error("the signature is not operator {0}'s over this session; check chain id, task manager and key")]
    WrongSignature(OperatorId),
    /// The operator has a session elsewhere, and that one is alive.
    #[error("operator {0} has a live session on another connection; it ends when that connection does")]
    SecondSession(OperatorId),
    /// Too many sessions were tried from this address.
    #[error("too many attempts from this address; try again in {retry_after_ms} ms")]
    TooManyAttempts {
        /// When the next attempt is allowed, in milliseconds.
        retry_after_ms: u64,
    },
    /// The receiver has as much to do as it takes on.
    #[error("{0} is full; send again after a pause")]
    Full(String),
    /// The receiver cannot be reached or did not answer.
    #[error("{0}; send again after a pause")]
    Unavailable(String),
}

impl RpcError {
    pub(super) const VERSION: i32 = -32001;
    pub(super) const TOO_LARGE: i32 = -32002;
    pub(super) const NO_SESSION: i32 = -32010;
    pub(super) const SESSION_EXPIRED: i32 = -32011;
    pub(super) const NOT_YOUR_ID: i32 = -32012;
    pub(super) const WRONG_SERVER: i32 = -32020;
    pub(super) const WRONG_NONCE: i32 = -32021;
    pub(super) const WRONG_EXPIRY: i32 = -32022;
    pub(super) const NOT_REGISTERED: i32 = -32023;
    pub(super) const WRONG_SIGNATURE: i32 = -32024;
    pub(super) const SECOND_SESSION: i32 = -32025;
    pub(super) const TOO_MANY_ATTEMPTS: i32 = -32026;
    pub(super) const FULL: i32 = -32030;
    pub(super) const UNAVAILABLE: i32 = -32031;

    /// All names under which refusals are counted.
    pub(super) const REASONS: [&str; 19] = [
        "parse",
        "invalid_request",
        "unknown_method",
        "malformed",
        "internal",
        "version",
        "too_large",
        "no_session",
        "session_expired",
        "not_your_id",
        "wrong_server",
        "wrong_nonce",
        "wrong_expiry",
        "not_registered",
        "wrong_signature",
        "second_session",
        "too_many_attempts",
        "full",
        "unavailable",
    ];

    /// The code and the name under which refusals are counted.
    pub(super) fn kind(&self) -> (i32, &'static str) {
        match self {
            Self::Parse => (PARSE_ERROR_CODE, "parse"),
            Self::InvalidRequest(_) => (INVALID_REQUEST_CODE, "invalid_request"),
            Self::UnknownMethod(_) => (METHOD_NOT_FOUND_CODE, "unknown_method"),
            Self::Malformed(_) => (INVALID_PARAMS_CODE, "malformed"),
            Self::Internal(_) => (INTERNAL_ERROR_CODE, "internal"),
            Self::Version(_) => (Self::VERSION, "version"),
            Self::TooLarge(_) => (Self::TOO_LARGE, "too_large"),
            Self::NoSession => (Self::NO_SESSION, "no_session"),
            Self::SessionExpired => (Self::SESSION_EXPIRED, "session_expired"),
            Self::NotYourId { .. } => (Self::NOT_YOUR_ID, "not_your_id"),
            Self::WrongServer { .. } => (Self::WRONG_SERVER, "wrong_server"),
            Self::WrongNonce => (Self::WRONG_NONCE, "wrong_nonce"),
            Self::WrongExpiry { .. } => (Self::WRONG_EXPIRY, "wrong_expiry"),
            Self::NotRegistered(_) => (Self::NOT_REGISTERED, "not_registered"),
            Self::WrongSignature(_) => (Self::WRONG_SIGNATURE, "wrong_signature"),
            Self::SecondSession(_) => (Self::SECOND_SESSION, "second_session"),
            Self::TooManyAttempts { .. } => (Self::TOO_MANY_ATTEMPTS, "too_many_attempts"),
            Self::Full(_) => (Self::FULL, "full"),
            Self::Unavailable(_) => (Self::UNAVAILABLE, "unavailable"),
        }
    }
}

/// Words that came from the other end, or may repeat what did: as much as tells something, on one line.
pub(super) fn short(text: &str) -> String {
    let end = if text.len() > MOST_WORDS { text.floor_char_boundary(MOST_WORDS) } else { text.len() };
    let mut words: String = text[..end].chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if end < text.len() {
        words.push('…');
    }
    words
}

impl From<&RpcError> for ErrorObjectOwned {
    fn from(error: &RpcError) -> Self {
        ErrorObjectOwned::owned(error.kind().0, short(&error.to_string()), None::<()>)
    }
}

impl From<DecodeError> for RpcError {
    fn from(error: DecodeError) -> Self {
        let text = error.to_string();
        match error {
            DecodeError::TooLarge { .. } => Self::TooLarge(text),
            DecodeError::Version { .. } => Self::Version(text),
            DecodeError::Malformed { .. } => Self::Malformed(text),
        }
    }
}

impl From<DeliveryError> for RpcError {
    fn from(error: DeliveryError) -> Self {
        match error {
            DeliveryError::Full(who) => Self::Full(who),
            DeliveryError::Closed(_) | DeliveryError::Transport(_) => Self::Unavailable(error.to_string()),
            DeliveryError::Codec(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<DispatchError> for RpcError {
    fn from(error: DispatchError) -> Self {
        match error {
            DispatchError::Unknown(name) => Self::UnknownMethod(name),
            DispatchError::Unreadable(error) => error.into(),
            DispatchError::Reply(_) => Self::Internal(error.to_string()),
            DispatchError::Delivery(error) => error.into(),
        }
    }
}
