//! Whatever bytes come, and however they are cut: a connection's framing is read the same way.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proxy::fuzzing::clear_bytes;

fuzz_target!(|bytes: &[u8]| {
    let Some((&cut, stream)) = bytes.split_first() else { return };
    let whole = clear_bytes([stream]);
    assert_eq!(clear_bytes(stream.chunks(1)), whole);
    assert_eq!(clear_bytes(stream.chunks(usize::from(cut).max(2))), whole);
});
