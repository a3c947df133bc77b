//! Which files are pictures: said by what is in them, never by what they are called.

use crate::wireframe;

/// A kind of picture that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// WebP.
    WebP,
    /// SVG.
    Svg,
    /// A wireframe in words, which is drawn when it is shown.
    Wireframe,
}

impl Picture {
    /// How many bytes of a file it takes to know.
    pub const HEAD: u64 = 1024;

    /// The kind of a file that begins with `head`. Words alone do not say that they are a wireframe; only
    /// their name does, and a file of that name that is no text is none.
    #[must_use]
    pub fn of(name: &str, head: &[u8]) -> Option<Self> {
        if head.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Some(Self::Png);
        }
        if head.starts_with(b"\xff\xd8\xff") {
            return Some(Self::Jpeg);
        }
        if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
            return Some(Self::Gif);
        }
        if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
            return Some(Self::WebP);
        }
        // The head may end in the middle of a letter.
        let text = match str::from_utf8(head) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() => str::from_utf8(&head[..error.valid_up_to()]).ok()?,
            Err(_) => return None,
        };
        if is_svg(text) {
            return Some(Self::Svg);
        }
        name.ends_with(wireframe::ENDING).then_some(Self::Wireframe)
    }

    /// As what a browser is told to take it.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Svg | Self::Wireframe => "image/svg+xml",
        }
    }
}

/// Whether the first element of a text is `<svg`.
fn is_svg(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<!") => ">",
            _ => break,
        };
        let Some((_, behind)) = rest.split_once(end) else { return false };
        rest = behind.trim_start();
    }
    let name = rest.strip_prefix('<').unwrap_or_default();
    name.starts_with("svg") && name[3..].starts_with(|c: char| c.is_whitespace() || c == '>' || c == '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_what_is_in_it() {
        for (name, head, kind) in [
            ("a.txt", b"\x89PNG\r\n\x1a\n\0".as_slice(), Some(Picture::Png)),
            ("a", b"\xff\xd8\xff\xe0", Some(Picture::Jpeg)),
            ("a", b"GIF89a", Some(Picture::Gif)),
            ("a", b"RIFF\x10\0\0\0WEBPVP8 ", Some(Picture::WebP)),
            ("a.png", b"RIFF\x10\0\0\0WAVE", None),
            ("a.png", b"<html><svg>", None),
            ("a.svg", b"hello", None),
            ("a.svg", b"<svgx>", None),
            ("a", b"<svg/>", Some(Picture::Svg)),
            (
                "a",
                b"\xef\xbb\xbf <?xml version='1.0'?>\n<!-- <b> --><!DOCTYPE svg>\n<svg\nwidth='1'>",
                Some(Picture::Svg),
            ),
            ("a", b"<!-- never ends", None),
            ("a.wireframe", b"# List\n[ Add ]\n\xc3", Some(Picture::Wireframe)),
            ("a.wireframe", b"\0\xff\xff", None),
            ("a.png", b"", None),
        ] {
            assert_eq!(Picture::of(name, head), kind, "{name} {head:?}");
        }
    }
}
