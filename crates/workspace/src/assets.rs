//! The style sheet, the script and the icon, part of the program; their addresses change with their
//! content, so a browser asks for each only once.

use std::borrow::Cow;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets"]
struct Files;

struct Asset {
    name: &'static str,
    kind: &'static str,
    version: String,
    content: Cow<'static, [u8]>,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let kinds = [
        ("style.css", "text/css; charset=utf-8"),
        ("script.js", "text/javascript; charset=utf-8"),
        ("meeting.js", "text/javascript; charset=utf-8"),
        ("board.js", "text/javascript; charset=utf-8"),
        ("table.js", "text/javascript; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ];
    let files = kinds.into_iter().filter_map(|(name, kind)| {
        let file = Files::get(name)?;
        let version = file.metadata.sha256_hash().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Some(Asset { name, kind, version, content: file.data })
    });
    files.collect()
});

/// The address of the asset `name`.
#[must_use]
pub fn address(name: &str) -> String {
    let version = ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| &asset.version);
    format!("/assets/{version}/{name}")
}

/// `GET /assets/{version}/{name}`: an asset; an outdated version is answered with what there is now.
pub async fn show(Path((version, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let keep = if asset.version == version { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, keep)];
    (headers, asset.content.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_is_there_under_an_address_of_its_content() {
        for name in ["style.css", "script.js", "meeting.js", "board.js", "table.js", "app.js", "icon.svg"] {
            assert_eq!(address(name).len(), "/assets//".len() + 12 + name.len(), "{name}");
        }
    }
}
