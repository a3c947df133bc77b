//! Every mail that is written, as it looks, with made-up names and numbers in it.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse as _, Response};
use pages::MAIL_CONTENT_SECURITY_POLICY;
use pages::console::{ConsoleMailPreview, ConsoleMailPreviews, PreviewRow};
use pages::mail::{Preview, previews};

use super::console_shell;
use crate::app::App;
use crate::error::AppError;
use crate::person::Reader;
use crate::site::PageError;

const HERE: &str = "/admin/mail/previews";

pub(crate) async fn index(State(app): State<App>, Reader(person): Reader) -> Html<String> {
    let row = |preview: Preview| PreviewRow {
        url: format!("{HERE}/{}", preview.name),
        when: preview.when.to_owned(),
        subject: preview.written.subject,
        reader: preview.reader.in_words().to_owned(),
    };
    let shell = console_shell(&app, "Mails", &person);
    Html(ConsoleMailPreviews { shell, mails: all(&app).into_iter().map(row).collect() }.render())
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Path(name): Path<String>,
) -> Result<Html<String>, PageError> {
    let preview = find(&app, &name)?;
    let page = ConsoleMailPreview {
        shell: console_shell(&app, &preview.written.subject, &person),
        html_src: format!("{HERE}/{}/body", preview.name),
        when: preview.when.to_owned(),
        reader: preview.reader.in_words().to_owned(),
        subject: preview.written.subject,
        text: preview.written.text,
    };
    Ok(Html(page.render()))
}

/// The HTML of a mail, for the frame that shows it: nothing in it may run or load.
pub(crate) async fn body(State(app): State<App>, _: Reader, Path(name): Path<String>) -> Result<Response, PageError> {
    let policy = [(header::CONTENT_SECURITY_POLICY, MAIL_CONTENT_SECURITY_POLICY)];
    Ok((policy, Html(find(&app, &name)?.written.html)).into_response())
}

fn find(app: &App, name: &str) -> Result<Preview, AppError> {
    all(app).into_iter().find(|preview| preview.name == name).ok_or(AppError::NotFound)
}

fn all(app: &App) -> Vec<Preview> {
    previews(&app.settings.product, &app.settings.public_url, &app.shown_base_domain(), app.clock.now())
}
