//! What is new, and what machines read of the site: the feed, the map, who may look where, and whom to tell of a weakness.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::SignedDuration;
use pages::{Area, LegalText, News, NewsEntry, NewsFeed, Sitemap};

use super::{PageError, documents, shell};
use crate::app::App;
use crate::person::Person;
use crate::releases;

const MOST_SHOWN: u32 = 50;
/// RFC 9116 wants a date after which nobody relies on the file, less than a year ahead.
const CONTACT_HOLDS: SignedDuration = SignedDuration::from_hours(180 * 24);

/// What visitors and search engines may find.
const PUBLIC: [&str; 7] = ["/", "/pricing", "/security", "/getting-started", "/news", "/status", "/signup"];
/// What has nothing for them.
const PRIVATE: [&str; 6] = ["/portal", "/admin", "/api", "/signup/", "/mailbox", "/cdn-cgi"];

pub(crate) async fn page(State(app): State<App>, person: Option<Person>) -> Result<Html<String>, PageError> {
    let shell = shell(&app, Area::Site, "What is new", person.as_ref());
    Ok(Html(News { shell, entries: entries(&app).await? }.render()))
}

pub(crate) async fn feed(State(app): State<App>) -> Result<Response, PageError> {
    let entries = entries(&app).await?;
    let feed = NewsFeed {
        product: app.settings.product.clone(),
        url: app.site_url("/news"),
        updated_at: entries.iter().map(|entry| entry.at).max().unwrap_or(app.started_at),
        entries,
    };
    Ok(([(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")], feed.render()).into_response())
}

async fn entries(app: &App) -> Result<Vec<NewsEntry>, PageError> {
    let told = releases::store::told_of(&app.db, MOST_SHOWN).await?;
    Ok(told.into_iter().map(|(version, notes, at)| NewsEntry { version: version.to_string(), at, notes }).collect())
}

pub(crate) async fn sitemap(State(app): State<App>) -> Response {
    let texts = LegalText::ALL.map(LegalText::path);
    let documents = documents::addresses().map(|address| format!("/docs/{address}").trim_end_matches('/').to_owned());
    let paths = PUBLIC.into_iter().chain(texts).map(str::to_owned).chain(documents);
    let map = Sitemap { urls: paths.map(|path| app.site_url(&path)).collect() };
    ([(header::CONTENT_TYPE, "application/xml; charset=utf-8")], map.render()).into_response()
}

pub(crate) async fn robots(State(app): State<App>) -> String {
    let closed: String = PRIVATE.iter().map(|path| format!("Disallow: {path}\n")).collect();
    format!("User-agent: *\n{closed}\nSitemap: {}\n", app.site_url("/sitemap.xml"))
}

/// Whom to tell of a weakness (RFC 9116); nobody where the operator named nobody.
pub(crate) async fn security_contact(State(app): State<App>) -> Response {
    let Some(contact) = &app.settings.brand.contact else { return StatusCode::NOT_FOUND.into_response() };
    let expires = (app.clock.now() + CONTACT_HOLDS).strftime("%Y-%m-%dT00:00:00Z");
    let (policy, own) = (app.site_url("/security#report"), app.site_url("/.well-known/security.txt"));
    format!(
        "Contact: mailto:{contact}\nExpires: {expires}\nPolicy: {policy}\nCanonical: {own}\nPreferred-Languages: en\n"
    )
    .into_response()
}
