//! What others may give of a signing protection, and the disk, for `just fuzz`.

use super::interchange::Interchange;
use super::protection::Protection;
use crate::ports::Write;

/// What keeps an operator from signing twice: the key and the value of each record, on a line of their own.
pub(crate) fn protection(data: &[u8]) {
    let lines: Vec<Vec<u8>> = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let records = lines.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
    let _ = Protection::load(records.collect(), 0);
}

/// An operator's signing protection from elsewhere. What is written of it is read as the same, and a store that takes it over
/// knows all that it says.
pub(crate) fn interchange(data: &[u8]) {
    let read = match Interchange::parse(data) {
        Ok(read) => read,
        Err(error) => return drop(error.to_string()),
    };
    assert_eq!(Interchange::parse(read.to_json().as_bytes()).ok().as_ref(), Some(&read));
    assert_eq!(read.clone().merge(read.clone()).ok().as_ref(), Some(&read));
    let records = read.writes(&Protection::default()).into_iter().filter_map(|write| match write {
        Write::Put { key, value, .. } => Some((key, value)),
        Write::Delete { .. } => None,
    });
    let Ok(protection) = Protection::load(records.collect(), 0) else {
        unreachable!("it was written just now")
    };
    assert_eq!(protection.floor(), read.floor());
    assert_eq!(protection.records().len(), read.len());
}
