//! Signatures that are missing, bent, or another number for the same thing.

use access::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use num_bigint::BigUint;

use crate::corpus::rsa::{Rsa, WIDTH, wide};
use crate::corpus::scene::Scene;
use crate::corpus::table::Group;
use crate::support::forge::encoded;
use crate::support::{ADA, Forge};

pub fn groups(scene: &Scene) -> Vec<Group> {
    vec![bent(scene.forge()), moved(scene.forge()), numbers(scene.forge()), same_number(scene.forge())]
}

fn bent(forge: &Forge) -> Group {
    let (signed, good) = parts(&forge.token(ADA));
    let with = |signature: &[u8]| format!("{signed}.{}", encoded(signature));
    let flipped = |byte: usize, bit: u8| {
        let mut bent = good.clone();
        bent[byte] ^= bit;
        with(&bent)
    };
    let mut reversed = good.clone();
    reversed.reverse();
    Group::new("every bit of a signature counts")
        .refused(Refusal::Malformed, [("none", signed.clone()), ("an empty one", format!("{signed}."))])
        .refused(
            Refusal::Signature,
            [
                ("its first bit flipped", flipped(0, 0x80)),
                ("its last bit flipped", flipped(WIDTH - 1, 1)),
                ("a bit in its middle flipped", flipped(100, 0x10)),
                ("without its last byte", with(&good[..WIDTH - 1])),
                ("without its first byte", with(&good[1..])),
                ("its first half", with(&good[..WIDTH / 2])),
                ("one byte", with(&[0])),
                ("a byte more", with(&[&good[..], &[0]].concat())),
                ("twice", with(&[&good[..], &good].concat())),
                ("backwards", with(&reversed)),
                ("as hexadecimal text", with(hex(&good).as_bytes())),
                ("as base64 text", with(STANDARD.encode(&good).as_bytes())),
                ("all ones", with(&[0xff; WIDTH])),
                ("very long", with(&[0xa5; 5_000])),
            ],
        )
}

fn moved(forge: &Forge) -> Group {
    let (adas, eves) = (forge.token(ADA), forge.token("eve@example.com"));
    let [ada_header, ada_claims, ada_signature] = three(&adas);
    let [_, eve_claims, eve_signature] = three(&eves);
    let other_header = encoded(format!("{} ", forge.header()));
    Group::new("a signature holds for the very bytes that were signed").refused(
        Refusal::Signature,
        [
            ("Ada's claims over Eve's signature", format!("{ada_header}.{ada_claims}.{eve_signature}")),
            ("Eve's claims over Ada's signature", format!("{ada_header}.{eve_claims}.{ada_signature}")),
            ("a space more in the header", format!("{other_header}.{ada_claims}.{ada_signature}")),
            (
                "claims with a space more",
                format!("{ada_header}.{}.{ada_signature}", encoded(format!("{} ", forge.claims(ADA)))),
            ),
            ("the claims as a signature", format!("{ada_header}.{ada_claims}.{ada_claims}")),
        ],
    )
}

fn numbers(forge: &Forge) -> Group {
    let (signed, _) = parts(&forge.token(ADA));
    let (n, one) = (Rsa::of(forge.pkcs8()).n, BigUint::from(1_u8));
    let with = |number: &BigUint| format!("{signed}.{}", encoded(wide(number)));
    Group::new("numbers that are their own power, and numbers no signature can be").refused(
        Refusal::Signature,
        [
            ("zero", with(&BigUint::ZERO)),
            ("one", with(&one)),
            ("the modulus less one", with(&(&n - &one))),
            ("the modulus", with(&n)),
            ("the modulus and one", with(&(&n + &one))),
        ],
    )
}

/// Two texts for one signature would be two tokens for one: whoever remembers or revokes one of them
/// by its bytes has missed the other.
fn same_number(forge: &Forge) -> Group {
    let n = Rsa::of(forge.pkcs8()).n;
    let tokens = |wanted: &dyn Fn(&BigUint) -> bool| {
        let many = (0..10_000).map(|nonce| parts(&forge.token_with_nonce(ADA, nonce)));
        many.map(|(signed, bytes)| (signed, BigUint::from_bytes_be(&bytes)))
            .find(|(_, number)| wanted(number))
            .expect("such a signature comes sooner or later")
    };
    let top = BigUint::from(1_u8) << (8 * WIDTH);
    let (signed, fits) = tokens(&|number| number + &n < top);
    let (short_signed, short) = tokens(&|number| number.bits() <= 8 * (WIDTH as u64 - 1));
    Group::new("the same number written otherwise is not the same signature").refused(
        Refusal::Signature,
        [
            ("the modulus added, in as many bytes", format!("{signed}.{}", encoded(wide(&(&fits + &n))))),
            (
                "the modulus added twice, in a byte more",
                format!("{signed}.{}", encoded((&fits + &n + &n).to_bytes_be())),
            ),
            ("taken from the modulus", format!("{signed}.{}", encoded(wide(&(&n - &fits))))),
            ("a zero before it", format!("{signed}.{}", encoded([&[0][..], &wide(&fits)].concat()))),
            ("the zero that it begins with left out", format!("{short_signed}.{}", encoded(short.to_bytes_be()))),
        ],
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn three(token: &str) -> [&str; 3] {
    let mut parts = token.split('.');
    std::array::from_fn(|_| parts.next().unwrap())
}

/// What is signed, and the signature's bytes.
fn parts(token: &str) -> (String, Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    (signed.to_owned(), URL_SAFE_NO_PAD.decode(signature).unwrap())
}
