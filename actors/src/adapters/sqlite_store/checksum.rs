//! What tells that a record is not what was written: CRC-32C (Castagnoli), as file systems and databases use it.

use crc32c::crc32c_append;

fn with_length(sum: u32, bytes: &[u8]) -> u32 {
    crc32c_append(crc32c_append(sum, &(bytes.len() as u64).to_le_bytes()), bytes)
}

/// The checksum of a record: of its space and its key too, so that a record that has come to another place is found.
pub(super) fn of_record(space: &str, key: &[u8], value: &[u8]) -> u32 {
    with_length(with_length(with_length(0, space.as_bytes()), key), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another value would make every record that is on a disk a damaged one.
    #[test]
    fn it_is_what_stores_have_on_disk() {
        assert_eq!(of_record("space", b"key", b"value"), 0x0cf5_35af);
    }

    #[test]
    fn every_part_counts_and_where_it_begins() {
        let sum = of_record("space", b"key", b"value");
        for other in [
            of_record("spacf", b"key", b"value"),
            of_record("space", b"kez", b"value"),
            of_record("space", b"key", b"valuf"),
            of_record("spacek", b"ey", b"value"),
            of_record("space", b"keyv", b"alue"),
        ] {
            assert_ne!(sum, other);
        }
    }
}
