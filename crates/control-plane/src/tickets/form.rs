//! A form with files, as a browser sends it.

use std::collections::BTreeMap;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest as _, Multipart, Request};

use super::attachments::{Bundle, LARGEST};
use crate::error::{AppError, refused};

/// A whole form, in bytes: all files together, and what stands around them.
pub(crate) const LARGEST_FORM: usize = super::attachments::ALL_TOGETHER + (2 << 20);
/// What one field holds that is no file, in bytes.
const LARGEST_FIELD: usize = 256 << 10;
/// More fields are in no form of ours.
const MOST_FIELDS: usize = 40;
const AS_IT_IS: &str = "Send the form of the page as it is.";

/// What was entered, and which files were chosen.
#[derive(Debug, Default)]
pub(crate) struct Form {
    fields: BTreeMap<String, String>,
    pub files: Bundle,
    /// Why a file was not taken, in a sentence.
    pub trouble: Option<String>,
}

impl Form {
    /// Reads all of it.
    pub(crate) async fn read(request: Request) -> Result<Self, AppError> {
        let body = Multipart::from_request(request, &()).await;
        let mut body = body.map_err(|error| refused(error.status().as_u16(), &error.body_text(), AS_IT_IS))?;
        let mut form = Self::default();
        let mut number = 0;
        while let Some(field) = body.next_field().await.map_err(unreadable)? {
            number += 1;
            if number > MOST_FIELDS {
                return Err(refused(422, "The form has too many fields", AS_IT_IS));
            }
            form.take(field).await?;
        }
        Ok(form)
    }

    async fn take(&mut self, mut field: Field<'_>) -> Result<(), AppError> {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        // A file that is too large is read to its end, so that what was written beside it is not lost.
        let most = if file.is_some() { LARGEST + 1 } else { LARGEST_FIELD };
        let mut content = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(unreadable)? {
            let room = most.saturating_sub(content.len()).min(chunk.len());
            content.extend_from_slice(chunk.get(..room).unwrap_or_default());
        }
        match file {
            // Browsers send an empty one where none was chosen.
            Some(file) if file.is_empty() && content.is_empty() => {}
            Some(file) => {
                if let Err(error) = self.files.add(&file, content) {
                    self.trouble.get_or_insert(format!("A file was not taken: {error}."));
                }
            }
            None => {
                self.fields.insert(name, String::from_utf8_lossy(&content).into_owned());
            }
        }
        Ok(())
    }

    /// What was entered into a field; nothing when there is no such field.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

fn unreadable(error: MultipartError) -> AppError {
    let next = "Attach at most 10 MB in all, and send the form of the page as it is.";
    refused(error.status().as_u16(), "The form could not be read", next)
}
