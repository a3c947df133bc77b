//! What an application keeps, as one stream: packed, sealed, opened and unpacked again, by whoever can read the volume
//! that it is on. Whatever an application made of its folder, nothing of it is followed, waited for, or read twice.
//!
//! - a backup goes through `pack.rs` and `seal.rs`, and comes back through `seal.rs` and `unpack.rs`
//! - a customer's download: `export.rs`
//! - how a folder is read: `tree.rs`; how one is removed: `removal.rs`
//! - bytes on their way between threads: `stream.rs`; between machines: `frames.rs`

mod export;
mod frames;
mod pack;
mod removal;
mod seal;
mod stream;
mod tree;
mod unpack;
mod volume;

pub use export::export;
pub use frames::{FrameError, Frames, LONGEST_FRAME, Piece, broken, end, frame};
pub use pack::{Contents, pack};
pub use removal::remove_tree;
pub use seal::{Identity, Kept, KeyError, Recipient, Trouble, disclose, enclose, open, seal};
pub use stream::{Archive, Pieces};
pub use unpack::unpack;
pub use volume::Volume;
