//! JSON-RPC 2.0, the server's end: the calls in a message, and the text that answers it.

use std::fmt;
use std::time::Duration;

use anzen_messages::wire::Envelope;
use futures::future::{BoxFuture, FutureExt, join_all};
use jsonrpsee::types::{
    ErrorObjectOwned, Id, InvalidRequest, Notification, Request, Response, ResponsePayload,
};
use serde_json::value::RawValue;

use super::error::RpcError;

/// The most bytes of an id, which is sent back with the reply.
pub(super) const MOST_ID_BYTES: usize = 64;
/// The most bytes of a method's name: what is longer is nobody's, and is not repeated.
const MOST_METHOD_BYTES: usize = 64;

/// What a call yields.
pub(super) type Outcome = Result<Box<RawValue>, RpcError>;

/// Answers the calls of one connection.
pub(super) trait Service: Send + Sync {
    /// Reads a call and returns what will answer it. Nothing happens before that future is polled.
    fn call(&self, method: &str, params: Option<&RawValue>) -> BoxFuture<'static, Outcome>;

    /// True once the other end has said who it is. It stays so.
    fn is_known(&self) -> bool;

    /// Is told of each refusal before it is sent.
    fn refused(&self, error: &RpcError);
}

/// What a message from the other end asks for.
pub(super) struct Work {
    /// How many calls there are, notifications among them.
    pub(super) calls: usize,
    /// Carries them out, side by side, and yields the text that answers them: nothing where the message had only
    /// notifications, which are ignored.
    pub(super) reply: BoxFuture<'static, Option<String>>,
}

impl Work {
    fn refuse(service: &impl Service, error: &RpcError) -> Self {
        service.refused(error);
        Self { calls: 1, reply: std::future::ready(Some(failure(Id::Null, error))).boxed() }
    }

    /// Reads a message: a call, or a batch of at most `most_batch`. Each call is answered after `longest` at the latest.
    pub(super) fn read<S>(message: &[u8], most_batch: usize, longest: Duration, service: &S) -> Self
    where
        S: Service + Clone + 'static,
    {
        let Ok(text) = std::str::from_utf8(message) else {
            return Self::refuse(service, &RpcError::Parse);
        };
        if text.trim_start().starts_with('[') {
            Self::read_batch(text, most_batch, longest, service)
        } else {
            Self::one(entry(text, longest, service))
        }
    }

    fn one(reply: Option<BoxFuture<'static, String>>) -> Self {
        match reply {
            Some(reply) => Self { calls: 1, reply: reply.map(Some).boxed() },
            None => Self { calls: 1, reply: std::future::ready(None).boxed() },
        }
    }

    fn read_batch<S>(text: &str, most_batch: usize, longest: Duration, service: &S) -> Self
    where
        S: Service + Clone + 'static,
    {
        let Ok(entries) = serde_json::from_str::<Vec<&RawValue>>(text) else {
            return Self::refuse(service, &RpcError::Parse);
        };
        if entries.is_empty() {
            return Self::refuse(service, &RpcError::InvalidRequest("the batch is empty".into()));
        }
        if entries.len() > most_batch {
            let text = format!("the batch has {} calls and may have {most_batch}", entries.len());
            return Self::refuse(service, &RpcError::TooLarge(text));
        }
        let replies: Vec<_> = entries.iter().filter_map(|text| entry(text.get(), longest, service)).collect();
        let reply = match replies.is_empty() {
            true => std::future::ready(None).boxed(),
            false => join_all(replies).map(|replies| Some(array(&replies))).boxed(),
        };
        Self { calls: entries.len(), reply }
    }
}

fn array(replies: &[String]) -> String {
    format!("[{}]", replies.join(","))
}

/// Reads one call; nothing where it is a notification.
fn entry<S>(text: &str, longest: Duration, service: &S) -> Option<BoxFuture<'static, String>>
where
    S: Service + Clone + 'static,
{
    match serde_json::from_str::<Request<'_>>(text) {
        Ok(request) if is_long(&request.id) => {
            let error = RpcError::InvalidRequest(format!("an id has at most {MOST_ID_BYTES} bytes"));
            service.refused(&error);
            Some(std::future::ready(failure(Id::Null, &error)).boxed())
        }
        Ok(request) => {
            let call = match request.method.len() {
                0..=MOST_METHOD_BYTES => service.call(&request.method, request.params.as_deref()),
                _ => std::future::ready(Err(RpcError::UnknownMethod("of that length".into()))).boxed(),
            };
            let (id, service) = (request.id.into_owned(), service.clone());
            Some(async move { answer(id, in_time(call, longest).await, &service) }.boxed())
        }
        Err(error) => no_request(text, &error, service).map(|text| std::future::ready(text).boxed()),
    }
}

async fn in_time(call: BoxFuture<'static, Outcome>, longest: Duration) -> Outcome {
    let late = |_| Err(RpcError::Unavailable(format!("nothing answered within {longest:?}")));
    tokio::time::timeout(longest, call).await.unwrap_or_else(late)
}

/// Answers what is no request; nothing where it is a notification.
fn no_request(text: &str, error: &serde_json::Error, service: &impl Service) -> Option<String> {
    if error.is_syntax() || error.is_eof() {
        service.refused(&RpcError::Parse);
        return Some(failure(Id::Null, &RpcError::Parse));
    }
    if serde_json::from_str::<Notification<'_, Option<&RawValue>>>(text).is_ok() && !has_id(text) {
        return None;
    }
    let refusal = RpcError::InvalidRequest(error.to_string());
    service.refused(&refusal);
    let id = serde_json::from_str::<InvalidRequest<'_>>(text).map_or(Id::Null, |request| request.id);
    Some(failure(if is_long(&id) { Id::Null } else { id }, &refusal))
}

fn is_long(id: &Id<'_>) -> bool {
    matches!(id, Id::Str(id) if id.len() > MOST_ID_BYTES)
}

/// True where there is an id, whatever it is.
fn has_id(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Identified<'a> {
        #[serde(borrow)]
        #[expect(dead_code, reason = "only whether it is there matters")]
        id: &'a RawValue,
    }
    serde_json::from_str::<Identified<'_>>(text).is_ok()
}

fn answer(id: Id<'static>, outcome: Outcome, service: &impl Service) -> String {
    match outcome {
        Ok(result) => encode(ResponsePayload::success(result), id),
        Err(error) => {
            service.refused(&error);
            failure(id, &error)
        }
    }
}

pub(super) fn failure(id: Id<'_>, error: &RpcError) -> String {
    encode(ResponsePayload::error(ErrorObjectOwned::from(error)), id)
}

fn encode(payload: ResponsePayload<'_, Box<RawValue>>, id: Id<'_>) -> String {
    // Neither an id nor raw JSON nor an error object can fail to be written.
    serde_json::to_string(&Response::new(payload, id)).unwrap_or_default()
}

/// A call's only parameter: by position in an array of one, or by name, as the object itself.
pub(super) fn only_param<'a, T: serde::Deserialize<'a>>(params: Option<&'a RawValue>) -> Result<T, RpcError> {
    let malformed =
        |error: &dyn fmt::Display| RpcError::Malformed(format!("the parameters are not right: {error}"));
    let text = params.ok_or_else(|| malformed(&"there are none"))?.get();
    if text.starts_with('[') {
        serde_json::from_str::<(T,)>(text).map(|(param,)| param).map_err(|error| malformed(&error))
    } else {
        serde_json::from_str(text).map_err(|error| malformed(&error))
    }
}

/// The envelope among a call's parameters.
pub(super) fn envelope(params: Option<&RawValue>) -> Result<Envelope, RpcError> {
    only_param(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_may_come_by_position_or_by_name() {
        let read = |text: &str| {
            let params = RawValue::from_string(text.into()).unwrap();
            envelope(Some(&params)).map(|envelope| (envelope.version, envelope.body.get().to_owned()))
        };
        let expected = Ok((1, "{\"a\":2}".to_owned()));
        assert_eq!(read(r#"[{"version":1,"body":{"a":2}}]"#), expected);
        assert_eq!(read(r#"{"version":1,"body":{"a":2}}"#), expected);
        for wrong in
            ["[]", "null", "[{},{}]", r#"[{"version":1}]"#, r#"{"version":1,"body":1,"more":2}"#, "7"]
        {
            assert!(matches!(read(wrong), Err(RpcError::Malformed(_))), "{wrong}");
        }
        assert!(matches!(envelope(None), Err(RpcError::Malformed(_))));
    }
}
