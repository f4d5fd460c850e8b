//! What tells that a record is not what was written.

/// CRC-32C (Castagnoli), as file systems and databases use it.
const POLYNOMIAL: u32 = 0x82f6_3b78;
const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation, reason = "below 256")]
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            remainder = (remainder >> 1) ^ (if remainder & 1 == 1 { POLYNOMIAL } else { 0 });
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
}

fn update(remainder: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(remainder, |remainder, byte| {
        let [low, ..] = remainder.to_le_bytes();
        (remainder >> 8) ^ TABLE[usize::from(low ^ byte)]
    })
}

fn with_length(remainder: u32, bytes: &[u8]) -> u32 {
    update(update(remainder, &(bytes.len() as u64).to_le_bytes()), bytes)
}

/// The checksum of a record: of its space and its key too, so that a record that has come to another place is found.
pub(super) fn of_record(space: &str, key: &[u8], value: &[u8]) -> u32 {
    !with_length(with_length(with_length(!0, space.as_bytes()), key), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_crc_32c() {
        // The check value of the catalogue of CRCs.
        assert_eq!(!update(!0, b"123456789"), 0xe306_9283);
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
