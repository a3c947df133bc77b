//! Reads the text of our own files back, by the way that every program which copies or speaks text goes: from the
//! glyphs that a page draws, through the font's table, to letters.

use std::collections::BTreeMap;
use std::io::Read;

/// The lines that each page draws.
pub fn pages(pdf: &[u8]) -> Vec<Vec<String>> {
    let objects = objects(pdf);
    let tree = objects.values().find(|object| object.dictionary.contains("/Type/Pages")).unwrap();
    let kids = tree.dictionary.split_once("/Kids[").unwrap().1.split_once(']').unwrap().0;
    let kids = kids.split(" 0 R").filter_map(|number| number.trim().parse::<u32>().ok());
    kids.map(|number| lines(&objects, &objects[&number])).collect()
}

struct Object {
    dictionary: String,
    stream: Vec<u8>,
}

fn objects(pdf: &[u8]) -> BTreeMap<u32, Object> {
    let mut found = BTreeMap::new();
    let mut rest = pdf;
    while let Some(at) = position(rest, b" 0 obj\n") {
        let digits = rest[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&rest[at - digits..at]).unwrap().parse().unwrap();
        rest = &rest[at + 7..];
        let end = position(rest, b"\nendobj").unwrap();
        let head = position(&rest[..end], b"\nstream\n");
        let dictionary = String::from_utf8_lossy(&rest[..head.unwrap_or(end)]).into_owned();
        let stream = head.map(|head| {
            let length: usize = value(&dictionary, "/Length ").unwrap().try_into().unwrap();
            let bytes = &rest[head + 8..head + 8 + length];
            let mut plain = Vec::new();
            match dictionary.contains("/FlateDecode") {
                true => drop(flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut plain).unwrap()),
                false => plain.extend_from_slice(bytes),
            }
            rest = &rest[head + 8 + length..];
            plain
        });
        found.insert(number, Object { dictionary, stream: stream.unwrap_or_default() });
    }
    found
}

fn lines(objects: &BTreeMap<u32, Object>, page: &Object) -> Vec<String> {
    let object = |dictionary: &str, key: &str| &objects[&value(dictionary, key).unwrap()];
    let resources = &object(&page.dictionary, "/Resources ").dictionary;
    let content: String = object(&page.dictionary, "/Contents ").stream.iter().copied().map(char::from).collect();
    let mut found = Vec::new();
    for drawn in content.split("BT ").skip(1) {
        let (drawn, _) = drawn.split_once("\nET").unwrap();
        let font = drawn.split_once("Tr/").unwrap().1.split_once(' ').unwrap().0;
        let font = object(resources, &format!("/{font} "));
        let letters = letters(&object(&font.dictionary, "/ToUnicode ").stream);
        let (_, shown) = drawn.split_once("Tm").unwrap();
        found.push(glyphs(shown).iter().map(|glyph| letters[glyph].as_str()).collect());
    }
    found
}

/// Glyph numbers, two bytes each, in literal strings.
fn glyphs(shown: &str) -> Vec<u16> {
    let (mut bytes, mut depth) = (Vec::new(), 0);
    let mut characters = shown.chars().map(|byte| u8::try_from(byte).unwrap());
    while let Some(byte) = characters.next() {
        match (depth, byte) {
            (0, b'(') | (1, b')') => depth = 1 - depth,
            (0, _) => {}
            (_, b'\\') => match characters.next().unwrap() {
                octal @ b'0'..=b'7' => {
                    let rest = [characters.next().unwrap(), characters.next().unwrap()];
                    let digits = [octal, rest[0], rest[1]].map(|digit| u16::from(digit - b'0'));
                    bytes.push(u8::try_from(digits[0] * 64 + digits[1] * 8 + digits[2]).unwrap());
                }
                b'n' => bytes.push(b'\n'),
                b'r' => bytes.push(b'\r'),
                b't' => bytes.push(b'\t'),
                b'b' => bytes.push(8),
                b'f' => bytes.push(12),
                other => bytes.push(other),
            },
            (_, other) => {
                depth += i32::from(other == b'(') - i32::from(other == b')');
                bytes.push(other);
            }
        }
    }
    bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

/// Which letters each glyph stands for.
fn letters(table: &[u8]) -> BTreeMap<u16, String> {
    let table = String::from_utf8_lossy(table);
    let pairs = table.lines().filter_map(|line| line.strip_prefix('<')?.strip_suffix('>')?.split_once("> <"));
    let pairs = pairs.filter(|(glyph, text)| glyph.len() == 4 && !text.contains(' '));
    pairs
        .map(|(glyph, text)| {
            let units = text.as_bytes().chunks(4);
            let units: Vec<u16> =
                units.map(|unit| u16::from_str_radix(std::str::from_utf8(unit).unwrap(), 16).unwrap()).collect();
            (u16::from_str_radix(glyph, 16).unwrap(), String::from_utf16(&units).unwrap())
        })
        .collect()
}

fn value(dictionary: &str, key: &str) -> Option<u32> {
    dictionary.split_once(key)?.1.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
