//! A file that somebody sends, written to the disk as it comes: as a field of a form, or as it is.

use std::io;
use std::path::Path;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header;
use futures_util::StreamExt as _;
use memchr::memmem;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

/// The longest description of a field, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;
/// The longest mark between fields.
const LONGEST_MARK: usize = 200;

/// Why a file did not come whole.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// No file was chosen.
    #[error("No file was chosen. Choose one, and send it again.")]
    Empty,
    /// It is too large.
    #[error("The file is larger than {} MiB, which is the most.", .0 >> 20)]
    TooLarge(u64),
    /// It ended too early, or cannot be understood.
    #[error("The file did not arrive whole. Check the connection, and send it again.")]
    Cut,
    /// The disk failed or is full.
    #[error("The file cannot be kept ({0}). Make room on the disk and try again.")]
    Disk(#[from] io::Error),
}

/// Receives the file in the first field of a form, or the whole body where it is no form.
///
/// # Errors
/// [`UploadError`]; what came until then is in the file.
pub async fn receive(request: Request, to: &Path, most: u64) -> Result<(), UploadError> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let mark = match kind.strip_prefix("multipart/form-data") {
        Some(rest) => Some(mark_in(rest).ok_or(UploadError::Cut)?),
        None => None,
    };
    let kept = Kept { file: File::create(to).await?, length: 0, most };
    let pieces = request.into_body().into_data_stream();
    let length = match mark {
        Some(mark) => Field { mark, kept }.receive(pieces).await?,
        None => whole(pieces, kept).await?,
    };
    if length == 0 { Err(UploadError::Empty) } else { Ok(()) }
}

struct Kept {
    file: File,
    length: u64,
    most: u64,
}

impl Kept {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), UploadError> {
        self.length += bytes.len() as u64;
        if self.length > self.most {
            return Err(UploadError::TooLarge(self.most));
        }
        Ok(self.file.write_all(bytes).await?)
    }

    async fn end(mut self) -> Result<u64, UploadError> {
        self.file.flush().await?;
        Ok(self.length)
    }
}

type Pieces = axum::body::BodyDataStream;

async fn whole(mut pieces: Pieces, mut kept: Kept) -> Result<u64, UploadError> {
    while let Some(piece) = pieces.next().await {
        kept.write(&piece.map_err(|_| UploadError::Cut)?).await?;
    }
    kept.end().await
}

struct Field {
    /// What stands before and behind the field, with the line break before it.
    mark: Vec<u8>,
    kept: Kept,
}

impl Field {
    async fn receive(mut self, mut pieces: Pieces) -> Result<u64, UploadError> {
        // The first mark has no line break before it.
        let mut held = b"\r\n".to_vec();
        let begin = loop {
            if let Some(begin) = self.begin(&held) {
                break begin;
            }
            if held.len() > LONGEST_HEAD {
                return Err(UploadError::Cut);
            }
            held.extend_from_slice(&next(&mut pieces).await?);
        };
        held.drain(..begin);
        loop {
            if let Some(end) = memmem::find(&held, &self.mark) {
                self.kept.write(held.get(..end).unwrap_or_default()).await?;
                break;
            }
            // The end of what is here may be the beginning of the mark.
            let sure = held.len().saturating_sub(self.mark.len());
            self.kept.write(held.get(..sure).unwrap_or_default()).await?;
            held.drain(..sure);
            held.extend_from_slice(&next(&mut pieces).await?);
        }
        // The rest is taken, so that the answer can be heard.
        while let Some(Ok(_)) = pieces.next().await {}
        self.kept.end().await
    }

    /// Where the field's content begins, once all of its head is there.
    fn begin(&self, held: &[u8]) -> Option<usize> {
        let mark = memmem::find(held, &self.mark)?;
        Some(memmem::find(held.get(mark..)?, b"\r\n\r\n")? + mark + 4)
    }
}

async fn next(pieces: &mut Pieces) -> Result<Bytes, UploadError> {
    pieces.next().await.and_then(Result::ok).ok_or(UploadError::Cut)
}

fn mark_in(parameters: &str) -> Option<Vec<u8>> {
    let value = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    let value = value.trim_matches('"');
    let is_mark = !value.is_empty() && value.len() <= LONGEST_MARK;
    is_mark.then(|| format!("\r\n--{value}").into_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::body::Body;

    use super::*;

    async fn sent(kind: &str, pieces: Vec<&'static [u8]>, most: u64) -> Result<Vec<u8>, String> {
        let home = tempfile::tempdir().unwrap();
        let stream = futures_util::stream::iter(pieces.into_iter().map(Ok::<_, io::Error>));
        let request = Request::post("/").header("content-type", kind).body(Body::from_stream(stream)).unwrap();
        let file = home.path().join("file");
        receive(request, &file, most).await.map_err(|error| error.to_string())?;
        Ok(std::fs::read(file).unwrap())
    }

    const FORM: &str = "multipart/form-data; boundary=\"xyz\"";
    const HEAD: &[u8] = b"--xyz\r\nContent-Disposition: form-data; name=\"archive\"; filename=\"a\"\r\n\r\n";

    #[tokio::test]
    async fn a_file_comes_out_of_a_form_however_it_is_cut_into_pieces() {
        let body = [HEAD, b"one\r\n--xytwo\r\n--xyz--\r\n"].concat();
        for size in 1..body.len() {
            let pieces = body.chunks(size).map(|piece| &*Box::leak(piece.to_vec().into_boxed_slice())).collect();
            assert_eq!(sent(FORM, pieces, 100).await.unwrap(), b"one\r\n--xytwo", "{size}");
        }
        assert_eq!(sent("application/x-tar", vec![b"one", b"two"], 6).await.unwrap(), b"onetwo");
    }

    #[tokio::test]
    async fn what_is_cut_too_large_or_nothing_is_refused() {
        for (kind, pieces, why) in [
            (FORM, vec![HEAD, b"one"], "did not arrive whole"),
            (FORM, vec![b"--xyz\r\nno head".as_slice()], "did not arrive whole"),
            (FORM, vec![HEAD, b"\r\n--xyz--"], "No file was chosen"),
            (FORM, vec![HEAD, b"0123456789abcdef\r\n--xyz--"], "larger than"),
            ("application/x-tar", vec![b"0123456789abcdef".as_slice()], "larger than"),
            ("application/x-tar", vec![], "No file was chosen"),
            ("multipart/form-data", vec![HEAD], "did not arrive whole"),
        ] {
            let refused = sent(kind, pieces, 10).await.unwrap_err();
            assert!(refused.contains(why), "{kind}: {refused}");
        }
    }
}
