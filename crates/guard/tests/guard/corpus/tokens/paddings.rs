//! PKCS#1 padding. Bleichenbacher showed in 2006, and others again and again since, that whoever
//! parses it instead of comparing it can be given signatures that nobody made.

use access::Refusal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA512, digest};
use num_bigint::BigUint;
use serde_json::json;

use super::{adas_claims, header_with};
use crate::corpus::rsa::{Rsa, SHA256_INFO, WIDTH, block, sha256, wide};
use crate::corpus::scene::Scene;
use crate::corpus::table::{Group, Verdict};
use crate::support::Forge;
use crate::support::forge::encoded;

const SIGNATURE: [u8; 2] = [0, 1];

pub fn groups(scene: &Scene) -> Vec<Group> {
    let rsa = Rsa::of(scene.forge().pkcs8());
    vec![honest(scene, &rsa), frames(scene.forge(), &rsa), contents(scene.forge(), &rsa), cube_roots(scene)]
}

/// That these blocks are built and signed rightly is what makes the others worth refusing.
fn honest(scene: &Scene, rsa: &Rsa) -> Group {
    let (forge, three) = (scene.forge(), &scene.keys.three);
    let [ours, cubed] = [forge.kid(), "three"].map(|kid| signed_under(forge, kid));
    let with = |signed: &str, key: &Rsa| sealed(signed, key, &block(SIGNATURE, &[&SHA256_INFO, &sha256(signed)]));
    Group::new("a block as PKCS#1 has it").all(
        Verdict::Admitted,
        [("by our key", with(&ours, rsa)), ("by the key with exponent 3", with(&cubed, &scene.keys.three))]
            .into_iter()
            .inspect(|_| assert_eq!(three.e, BigUint::from(3_u8))),
    )
}

fn frames(forge: &Forge, rsa: &Rsa) -> Group {
    let signed = signed_under(forge, forge.kid());
    let hash = sha256(&signed);
    let good = block(SIGNATURE, &[&SHA256_INFO, &hash]);
    let rest = [&SHA256_INFO[..], &hash].concat();
    let separator = WIDTH - rest.len() - 1;
    let changed = |at: usize, byte: u8| {
        let mut block = good.clone();
        block[at] = byte;
        block
    };
    let filled = |count: usize| {
        [&SIGNATURE[..], &vec![0xff; count], &[0], &rest, &vec![0; WIDTH - 3 - count - rest.len()]].concat()
    };
    let without_start = [&good[1..], &[0]].concat();
    let mut no_fill = block(SIGNATURE, &[&rest]);
    no_fill[2..separator].fill(0);
    let blocks: [(&str, Vec<u8>); 15] = [
        ("a block for encryption", changed(1, 2)),
        ("a block of type 0", changed(1, 0)),
        ("a block that does not begin with zero", changed(0, 1)),
        ("moved by a byte", without_start),
        ("no padding", no_fill),
        ("a first padding byte that is no FF", changed(2, 0xfe)),
        ("a last padding byte that is no FF", changed(separator - 1, 0xfe)),
        ("a zero within the padding", changed(100, 0)),
        ("a padding byte in its middle changed", changed(100, 0x7f)),
        ("no zero after the padding", changed(separator, 0xff)),
        ("two zeros after the padding", changed(separator - 1, 0)),
        ("eight bytes of padding and zeros at the end", filled(8)),
        ("one byte of padding", filled(1)),
        ("no byte of padding at all", filled(0)),
        ("nothing but the hash", [vec![0; WIDTH - 32], hash.clone()].concat()),
    ];
    Group::new("around the hash stands exactly one frame: 00 01, FF to the full width, 00")
        .refused(Refusal::Signature, blocks.map(|(what, block)| (what, sealed(&signed, rsa, &block))))
}

fn contents(forge: &Forge, rsa: &Rsa) -> Group {
    let signed = signed_under(forge, forge.kid());
    let (hash, other) = (sha256(&signed), sha256("something else"));
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, signed.as_bytes());
    let sha512 = digest(&SHA512, signed.as_bytes());
    let mut info = SHA256_INFO;
    info[14] = 3;
    let blocks: [(&str, Vec<u8>); 15] = [
        ("the hash of another text", block(SIGNATURE, &[&SHA256_INFO, &other])),
        ("the hash without saying which", block(SIGNATURE, &[&hash])),
        ("the NULL of its parameters left out", block(SIGNATURE, &[&WITHOUT_NULL, &hash])),
        ("called SHA-512", block(SIGNATURE, &[&info, &hash])),
        ("SHA-1, and called so", block(SIGNATURE, &[&SHA1_INFO, sha1.as_ref()])),
        ("SHA-512, and called so", block(SIGNATURE, &[&SHA512_INFO, sha512.as_ref()])),
        ("the first half of SHA-512, called SHA-256", block(SIGNATURE, &[&SHA256_INFO, &sha512.as_ref()[..32]])),
        ("a hash cut short", block(SIGNATURE, &[&SHORT_INFO, &hash[..31]])),
        ("an empty hash", block(SIGNATURE, &[&EMPTY_INFO])),
        ("a byte after the hash", block(SIGNATURE, &[&SHA256_INFO, &hash, &[0]])),
        ("much after the hash", block(SIGNATURE, &[&SHA256_INFO, &hash, &[0xa5; 100]])),
        ("much in the place of the NULL", stuffed(&hash)),
        ("lengths written the long way", block(SIGNATURE, &[&LONG_INFO, &hash])),
        ("the hash of the hash", block(SIGNATURE, &[&SHA256_INFO, &hash_of(&hash)])),
        ("the text itself", block(SIGNATURE, &[&signed.as_bytes()[..64]])),
    ];
    Group::new("within the frame stands exactly one text: this hash, called by its name in DER")
        .refused(Refusal::Signature, blocks.map(|(what, block)| (what, sealed(&signed, rsa, &block))))
}

/// With exponent 3 nobody needs the private key for a number whose cube begins as a block does; what
/// follows is garbage, and must be looked at.
fn cube_roots(scene: &Scene) -> Group {
    let signed = signed_under(scene.forge(), "three");
    let hash = sha256(&signed);
    let root_of = |start: &[u8]| {
        let cube = [start, &vec![0xff; WIDTH - start.len()]].concat();
        let root = BigUint::from_bytes_be(&cube).nth_root(3);
        assert!(root.pow(3).to_bytes_be().starts_with(&start[1..]), "the cube begins as it must");
        format!("{signed}.{}", encoded(wide(&root)))
    };
    let framed = |fill: usize| [&SIGNATURE[..], &vec![0xff; fill], &[0], &SHA256_INFO, &hash].concat();
    let stuffing = [&SIGNATURE[..], &[0xff; 8], &[0, 0x30, 0x81, 0xc0, 0x30, 0x81, 0x9d], &SHA256_INFO[4..15]].concat();
    Group::new("a cube that begins as a block does is not one").refused(
        Refusal::Signature,
        [
            ("garbage after the hash", root_of(&framed(8))),
            ("garbage after the hash, and no padding", root_of(&framed(0))),
            ("garbage after the name of the hash", root_of(&[&SIGNATURE[..], &[0xff; 8], &[0], &SHA256_INFO].concat())),
            ("garbage in the parameters", root_of(&stuffing)),
            ("nothing but the beginning", root_of(&[&SIGNATURE[..], &[0xff; 20]].concat())),
        ],
    )
}

/// DER names of hashes (RFC 8017, 9.2) and what is made of them.
const SHA1_INFO: [u8; 15] = [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
const SHA512_INFO: [u8; 19] =
    [0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40];
const WITHOUT_NULL: [u8; 17] =
    [0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20];
const SHORT_INFO: [u8; 19] =
    [0x30, 0x30, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x1f];
const EMPTY_INFO: [u8; 19] =
    [0x30, 0x11, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x00];
const LONG_INFO: [u8; 20] = [
    0x30, 0x81, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
    0x20,
];

/// Parameters of 100 bytes where a NULL of two belongs: well-formed DER, and room for anything.
fn stuffed(hash: &[u8]) -> Vec<u8> {
    let parameters = [&[0x04, 98][..], &[0xa5; 98]].concat();
    let algorithm = [&[0x30, 0x6f][..], &SHA256_INFO[4..15], &parameters].concat();
    let content = [&algorithm[..], &[0x04, 0x20], hash].concat();
    block(SIGNATURE, &[&[0x30, 0x81, u8::try_from(content.len()).unwrap()], &content])
}

fn hash_of(bytes: &[u8]) -> Vec<u8> {
    digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().to_vec()
}

fn signed_under(forge: &Forge, kid: &str) -> String {
    format!("{}.{}", encoded(header_with(forge, "kid", json!(kid)).to_string()), adas_claims(forge))
}

/// Signs a block as it is.
fn sealed(signed: &str, key: &Rsa, block: &[u8]) -> String {
    assert_eq!(block.len(), WIDTH);
    format!("{signed}.{}", encoded(key.power(block)))
}
