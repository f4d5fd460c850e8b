//! One target of `anzen_actors::fuzz` under libFuzzer: `ANZEN_FUZZ_TARGET` names it. `run.sh` builds and runs this.
#![no_main]

mod memory;

use std::sync::OnceLock;

use anzen_actors::fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: memory::Counting = memory::Counting::new();

/// What an input may take for each of its bytes.
const MOST_PER_BYTE: usize = 64;

fn target() -> &'static Target {
    static TARGET: OnceLock<&'static Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        let name = std::env::var("ANZEN_FUZZ_TARGET").unwrap_or_default();
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        let found = TARGETS.iter().find(|target| target.name == name);
        found.unwrap_or_else(|| panic!("ANZEN_FUZZ_TARGET is {name:?}, and may be one of {names:?}"))
    })
}

/// The most memory that an input takes at a time, in bytes.
fn taken_by(input: &[u8]) -> usize {
    let before = MEMORY.restart();
    (target().run)(input);
    MEMORY.most().saturating_sub(before)
}

fuzz_target!(|input: &[u8]| {
    let target = target();
    let input = &input[..input.len().min(target.most_bytes)];
    let most = target.most_kib * 1024 + MOST_PER_BYTE * input.len();
    // The first input of a kind may fill tables that stay; the second time, only the input counts.
    if taken_by(input) > most {
        let again = taken_by(input);
        assert!(
            again <= most,
            "{} bytes of input take {again} bytes of memory, and may take {most}",
            input.len()
        );
    }
});
