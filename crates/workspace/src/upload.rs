//! A form with a file in it, as browsers send it (RFC 7578). It is small, so all of it is held at once.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;

/// The largest file, in bytes.
pub const LARGEST: usize = 10 * 1024 * 1024;

/// What a form may carry beside its file, in bytes.
const REST: usize = 64 * 1024;

/// A browser hears why its file is refused only once all of it was sent; this many bytes are read for that.
const MOST_HEARD: usize = 128 * 1024 * 1024;

/// A form with a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// The name that the file had, as the browser told it; empty where no file was chosen.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// The other fields.
    pub fields: Vec<(String, String)>,
}

/// Why a form is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UploadError {
    /// More than [`LARGEST`].
    #[error("the file is larger than 10 MB")]
    TooLarge,
    /// It is no such form, or was cut.
    #[error("the form cannot be read")]
    Unreadable,
}

impl Form {
    /// Reads a form that is being sent.
    ///
    /// # Errors
    /// [`UploadError`].
    pub async fn read(headers: &HeaderMap, body: Body) -> Result<Self, UploadError> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let boundary = kind.and_then(boundary).ok_or(UploadError::Unreadable)?;
        let mut pieces = body.into_data_stream();
        let mut bytes = Vec::new();
        let mut heard = 0;
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| UploadError::Unreadable)?;
            heard += piece.len();
            if heard > MOST_HEARD {
                break;
            }
            if heard <= LARGEST + REST {
                bytes.extend_from_slice(&piece);
            } else {
                bytes = Vec::new();
            }
        }
        if heard > LARGEST + REST {
            return Err(UploadError::TooLarge);
        }
        let form = Self::parse(&boundary, &bytes).ok_or(UploadError::Unreadable)?;
        if form.bytes.len() > LARGEST { Err(UploadError::TooLarge) } else { Ok(form) }
    }

    fn parse(boundary: &str, bytes: &[u8]) -> Option<Self> {
        let between = format!("\r\n--{boundary}");
        let (_, mut rest) = cut(bytes, &between.as_bytes()[2..])?;
        let mut form = Self::default();
        while !rest.starts_with(b"--") {
            let (head, behind) = cut(rest.strip_prefix(b"\r\n")?, b"\r\n\r\n")?;
            let (content, behind) = cut(behind, between.as_bytes())?;
            rest = behind;
            let head = String::from_utf8_lossy(head);
            let disposition = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-disposition").then_some(value)
            })?;
            match parameter(disposition, "filename") {
                Some(name) => (form.name, form.bytes) = (name, content.to_vec()),
                None => {
                    let text = String::from_utf8_lossy(content).into_owned();
                    form.fields.push((parameter(disposition, "name")?, text));
                }
            }
        }
        Some(form)
    }

    /// What a field holds; nothing where there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }
}

fn boundary(kind: &str) -> Option<String> {
    let (kind, parameters) = kind.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(&format!(";{parameters}"), "boundary")?;
    (!boundary.is_empty() && boundary.len() <= 70).then_some(boundary)
}

/// A parameter of a header, such as `filename="a.png"`. Browsers write a `"` in it as `%22`.
fn parameter(header: &str, name: &str) -> Option<String> {
    let lower = header.to_ascii_lowercase();
    let start = lower.match_indices(&format!("{name}=")).find(|(index, _)| {
        let before = lower.get(..*index).unwrap_or_default().trim_end_matches(' ');
        before.ends_with(';')
    });
    let value = header.get(start?.0 + name.len() + 1..)?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split(';').next()?.trim(),
    };
    Some(value.replace("%22", "\"").replace("%0D", " ").replace("%0A", " "))
}

fn cut<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let first = *mark.first()?;
    let mut from = 0;
    loop {
        let index = from + bytes.get(from..)?.iter().position(|byte| *byte == first)?;
        if bytes.get(index..)?.starts_with(mark) {
            return Some((bytes.get(..index)?, bytes.get(index + mark.len()..)?));
        }
        from = index + 1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const KIND: &str = "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxk";

    async fn read(kind: &str, body: Vec<u8>) -> Result<Form, UploadError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        Form::read(&headers, Body::from(body)).await
    }

    fn sent(name: &str, content: &[u8]) -> Vec<u8> {
        let head = format!(
            "------WebKitFormBoundary7MA4YWxk\r\nContent-Disposition: form-data; name=\"about\"\r\n\r\nwhat it shows\r\n------WebKitFormBoundary7MA4YWxk\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: image/png\r\n\r\n"
        );
        [head.as_bytes(), content, b"\r\n------WebKitFormBoundary7MA4YWxk--\r\n"].concat()
    }

    #[tokio::test]
    async fn a_form_is_read_as_a_browser_sends_it() {
        let content = b"\x89PNG\r\n\r\n--\r\n------WebKitFormBoundary7MA4\0";
        let form = read(KIND, sent("a %22b%22.png", content)).await.unwrap();
        assert_eq!((form.name.as_str(), form.bytes.as_slice()), ("a \"b\".png", content.as_slice()));
        assert_eq!((form.field("about"), form.field("none")), ("what it shows", ""));
        let quoted = KIND.replace("boundary=", "boundary=\"") + "\"; charset=utf-8";
        assert_eq!(read(&quoted, sent("", b"")).await.unwrap().name, "");
    }

    #[tokio::test]
    async fn what_is_cut_or_no_such_form_is_refused() {
        let whole = sent("a.png", b"abc");
        for length in [0, 10, 40, 120, whole.len() - 60, whole.len() - 5] {
            let cut = whole[..length].to_vec();
            assert_eq!(read(KIND, cut).await, Err(UploadError::Unreadable), "{length}");
        }
        for kind in
            ["text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=x"]
        {
            assert_eq!(read(kind, whole.clone()).await, Err(UploadError::Unreadable), "{kind}");
        }
    }

    #[tokio::test]
    async fn a_file_of_the_largest_size_passes_and_one_byte_more_does_not() {
        assert_eq!(read(KIND, sent("a", &vec![7; LARGEST])).await.unwrap().bytes.len(), LARGEST);
        assert_eq!(read(KIND, sent("a", &vec![7; LARGEST + 1])).await, Err(UploadError::TooLarge));
        assert_eq!(read(KIND, sent("a", &vec![7; LARGEST + 2 * REST])).await, Err(UploadError::TooLarge));
    }

    proptest! {
        #[test]
        fn every_content_comes_back(content in any::<Vec<u8>>(), name in "[^\"\\r\\n%]{0,20}") {
            let form = Form::parse("----WebKitFormBoundary7MA4YWxk", &sent(&name, &content)).unwrap();
            prop_assert_eq!((form.name, form.bytes), (name, content));
        }

        #[test]
        fn no_bytes_make_it_fail_in_another_way(bytes in any::<Vec<u8>>(), text in "(--x|\r\n|Content-Disposition: |name=|[a-z\";]){0,30}") {
            let _ = Form::parse("x", &bytes);
            let _ = Form::parse("x", text.as_bytes());
        }
    }
}
