//! How a person names a task.

use std::str::FromStr;

use alloy::primitives::B256;

/// How a person names a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskName {
    Index(u32),
    Hash(B256),
}

impl FromStr for TaskName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let index = text.parse().map(Self::Index);
        let name = index.or_else(|_| text.parse().map(Self::Hash));
        name.map_err(|_| "neither a task's index nor its hash (0x and 64 hexadecimal digits)".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_named_by_its_index_or_its_hash() {
        assert_eq!("7".parse(), Ok(TaskName::Index(7)));
        let hash = B256::repeat_byte(7);
        assert_eq!(hash.to_string().parse(), Ok(TaskName::Hash(hash)));
        for text in ["", "-1", "0x12", "seven", "4294967296"] {
            assert!(text.parse::<TaskName>().unwrap_err().contains("64 hexadecimal digits"), "{text}");
        }
    }
}
