//! Frames, without I/O.

use proptest::prelude::*;

use super::*;

/// A frame under a mask.
fn masked(opcode: OpCode, is_last: bool, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new(opcode);
    header.set_payload_len(content.len()).set_fin(is_last).set_masked(true).set_mask(0x0102_fffe);
    let mut frame = Codec::new().encode_header(&header).to_vec();
    let mut content = content.to_vec();
    Codec::apply_mask(&header, &mut content);
    frame.extend(content);
    frame
}

fn read_all(frames: &mut Frames, most: usize) -> Result<Vec<Frame>, FrameError> {
    std::iter::from_fn(|| frames.next(most).transpose()).collect()
}

fn read(bytes: &[u8], most: usize) -> Result<Vec<Frame>, FrameError> {
    let mut frames = Frames::default();
    frames.fed(0).extend_from_slice(bytes);
    read_all(&mut frames, most)
}

#[test]
fn a_message_in_parts_is_one_whatever_comes_between() {
    let frames = [
        masked(OpCode::Text, false, b"one "),
        masked(OpCode::Pong, true, b""),
        masked(OpCode::Continue, false, b""),
        masked(OpCode::Ping, true, b"there?"),
        masked(OpCode::Continue, true, b"message"),
        masked(OpCode::Binary, true, b"two"),
        masked(OpCode::Close, true, b""),
    ];
    let expected = vec![
        Frame::Part,
        Frame::Pong,
        Frame::Part,
        Frame::Ping(b"there?".into()),
        Frame::Message(b"one message".into()),
        Frame::Message(b"two".into()),
        Frame::Close,
    ];
    assert_eq!(read(&frames.concat(), 11), Ok(expected));
    assert_eq!(read(&frames.concat(), 10), Err(FrameError::TooLarge));
}

#[test]
fn what_is_too_large_is_thrown_away_and_what_is_far_too_large_not_read() {
    let mut frames = Frames::default();
    let large = masked(OpCode::Text, true, &[b'x'; 40]);
    frames.fed(0).extend_from_slice(&large[..20]);
    assert_eq!(frames.next(10), Ok(None));
    assert!(frames.message.is_empty() && frames.is_within_message());
    frames.fed(0).extend_from_slice(&large[20..]);
    assert_eq!(frames.next(10), Err(FrameError::TooLarge));
    let mut frames = Frames::default();
    frames.fed(0).extend_from_slice(&masked(OpCode::Text, true, &[b'x'; 41])[..6]);
    assert_eq!(frames.next(10), Err(FrameError::TooLarge));
}

#[test]
fn a_message_within_another_and_a_part_of_none_are_refused() {
    let within = [masked(OpCode::Text, false, b"a"), masked(OpCode::Text, true, b"b")].concat();
    assert!(matches!(read(&within, 10), Err(FrameError::Broken(_))));
    assert!(matches!(read(&masked(OpCode::Continue, true, b"a"), 10), Err(FrameError::Broken(_))));
}

proptest! {
    /// However the bytes are cut, the frames are the same.
    #[test]
    fn cuts_do_not_matter(contents in prop::collection::vec((0..3u8, prop::collection::vec(any::<u8>(), 0..300)), 0..6),
                          cut in 1..50usize) {
        let frame = |(kind, content): &(u8, Vec<u8>)| match kind {
            0 => masked(OpCode::Binary, true, content),
            1 => masked(OpCode::Ping, true, &content[..content.len().min(125)]),
            _ => [masked(OpCode::Text, false, content), masked(OpCode::Continue, true, content)].concat(),
        };
        let bytes: Vec<u8> = contents.iter().flat_map(frame).collect();
        let mut frames = Frames::default();
        let mut all = Vec::new();
        for piece in bytes.chunks(cut) {
            frames.fed(0).extend_from_slice(piece);
            all.extend(read_all(&mut frames, 600).unwrap());
            prop_assert!(frames.fed.len() - frames.at <= 14);
        }
        prop_assert_eq!(all, read(&bytes, 600).unwrap());
        prop_assert!(!frames.is_within_message());
    }

    #[test]
    fn no_bytes_panic_or_fill_the_memory(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut frames = Frames::default();
        for piece in bytes.chunks(7) {
            frames.fed(0).extend_from_slice(piece);
            if read_all(&mut frames, 100).is_err() {
                break;
            }
            prop_assert!(frames.message.len() <= 100);
        }
    }
}
