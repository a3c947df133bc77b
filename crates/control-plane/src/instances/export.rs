//! Everything that an instance keeps, for its customer: as long as there is any of it, running or not. It passes through
//! here piece by piece, as fast as it is read, and nothing of it is kept.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use domain::InstanceState;
use futures_util::stream;

use super::Instance;
use crate::app::App;
use crate::audit;
use crate::error::{AppError, refused};

/// The archive as an answer. What breaks off in the middle ends without the end that a whole one has.
pub(crate) async fn download(app: &App, instance: &Instance, by: &str) -> Result<Response, AppError> {
    if !matches!(instance.state, InstanceState::Active | InstanceState::Suspended) {
        let what = format!("{} has nothing to be downloaded", instance.subdomain);
        return Err(refused(409, &what, "It is not ready yet, or on its way out."));
    }
    let compute = &app.drivers.compute;
    if let Err(instead) = compute.exports() {
        let what = format!("Everything in {} can't be downloaded at once", instance.subdomain);
        return Err(refused(409, &what, instead));
    }
    let archive = compute.export(&instance.project, instance.id).await?;
    let mut tx = app.db.begin().await?;
    audit::record(&mut tx, app, by, "instance.exported", &instance.id.to_string(), "").await?;
    tx.commit().await?;
    let pieces = stream::unfold(archive, |mut archive| async {
        let piece = archive.next().await?;
        if let Err(error) = &piece {
            tracing::warn!("An archive was broken off: {error}");
        }
        Some((piece, archive))
    });
    let name = format!("attachment; filename=\"{}.tar.gz\"", instance.subdomain);
    let headers = [(header::CONTENT_TYPE, "application/gzip".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(pieces)).into_response())
}
