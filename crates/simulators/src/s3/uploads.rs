use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;

use super::Refusal;

const UNKNOWN: Refusal = Refusal(StatusCode::NOT_FOUND, "NoSuchUpload");

/// Objects that come in parts.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    begun: u64,
    parts: BTreeMap<String, BTreeMap<u32, Bytes>>,
}

impl Uploads {
    pub(super) fn begin(&mut self) -> String {
        self.begun += 1;
        let id = format!("upload-{}", self.begun);
        self.parts.insert(id.clone(), BTreeMap::new());
        id
    }

    pub(super) fn add(&mut self, id: &str, number: u32, content: Bytes) -> Result<(), Refusal> {
        self.parts.get_mut(id).ok_or(UNKNOWN)?.insert(number, content);
        Ok(())
    }

    /// The whole, of the parts that the request names.
    pub(super) fn complete(&mut self, id: &str, request: &str) -> Result<Bytes, Refusal> {
        let parts = self.parts.get(id).ok_or(UNKNOWN)?;
        let named: Vec<u32> =
            request.split("<PartNumber>").skip(1).filter_map(|rest| rest.split_once('<')?.0.parse().ok()).collect();
        let mut whole = Vec::new();
        for number in &named {
            whole.extend_from_slice(parts.get(number).ok_or(Refusal(StatusCode::BAD_REQUEST, "InvalidPart"))?);
        }
        if named.is_empty() || !named.is_sorted() {
            return Err(Refusal(StatusCode::BAD_REQUEST, "InvalidPartOrder"));
        }
        self.parts.remove(id);
        Ok(whole.into())
    }

    pub(super) fn give_up(&mut self, id: &str) -> Result<(), Refusal> {
        self.parts.remove(id).map(drop).ok_or(UNKNOWN)
    }

    pub(super) fn under_way(&self) -> usize {
        self.parts.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.parts.values().flat_map(BTreeMap::values).map(Bytes::len).sum()
    }
}
