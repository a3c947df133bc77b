//! How a product that is sold here looks, and what its pages say of it.

mod colours;
mod front;

pub use colours::{Colour, Colours, ColoursError};
pub use front::{Figure, Front, Point};

use crate::assets::{self, Asset};
use crate::legal::LegalText;

/// Everything by which a product is recognised, beside its name. The default is that of the AI-DIY workspace.
#[derive(Debug, Clone, Default)]
pub struct Brand {
    /// What the front page says; `None` where the product is the AI-DIY workspace, or nobody wrote anything.
    pub front: Option<Front>,
    /// Where customers and those who found a weakness write to.
    pub contact: Option<String>,
    texts: Vec<OwnText>,
    sheet: Option<Asset>,
    mark: Option<Asset>,
    picture: Option<Asset>,
}

/// A text that customers agree to, in the operator's own words.
#[derive(Debug, Clone)]
pub struct OwnText {
    /// Which of them it replaces.
    pub text: LegalText,
    /// Recorded with each agreement: another text needs another version.
    pub version: String,
    /// As HTML that was made from Markdown without any HTML of its own.
    pub html: String,
}

/// A file of the operator's that pages show.
#[derive(Debug, Clone)]
pub struct Picture {
    /// How it begins and ends: `svg`, `png`, `webp` or `jpg`.
    pub kind: PictureKind,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// Drawn from lines.
    Svg,
    /// A drawing of dots.
    Png,
    /// The same, smaller.
    Webp,
    /// A photograph.
    Jpeg,
}

impl PictureKind {
    /// By the end of a file's name.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "svg" => Some(Self::Svg),
            "png" => Some(Self::Png),
            "webp" => Some(Self::Webp),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            _ => None,
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Jpeg => "jpg",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Jpeg => "image/jpeg",
        }
    }
}

impl Brand {
    /// With words of its own.
    #[must_use]
    pub fn speaking(self, front: Front) -> Self {
        Self { front: Some(front), ..self }
    }

    /// With an address to write to.
    #[must_use]
    pub fn reached_at(self, contact: impl Into<String>) -> Self {
        Self { contact: Some(contact.into()), ..self }
    }

    /// With colours of its own.
    #[must_use]
    pub fn coloured(self, colours: &Colours) -> Self {
        Self { sheet: Some(assets::sheet_of("brand", &colours.sheet())), ..self }
    }

    /// With a mark of its own, beside its name and on the browser's tab.
    #[must_use]
    pub fn marked(self, mark: Picture) -> Self {
        Self { mark: Some(file("brand-mark", mark)), ..self }
    }

    /// With a picture of the product on its front page.
    #[must_use]
    pub fn pictured(self, picture: Picture) -> Self {
        Self { picture: Some(file("brand-picture", picture)), ..self }
    }

    /// With texts of its own to agree to.
    #[must_use]
    pub fn agreeing_to(self, texts: Vec<OwnText>) -> Self {
        Self { texts, ..self }
    }

    /// The asset at a request's path: one of the brand's own, or of all pages.
    pub fn asset(&self, path: &str) -> Option<&Asset> {
        let own = [&self.sheet, &self.mark, &self.picture].into_iter().flatten();
        assets::among(own, path).or_else(|| assets::asset(path))
    }

    /// The version of a text that is in force, recorded with each agreement to it.
    pub fn version_of(&self, text: LegalText) -> &str {
        self.own_text(text).map_or(LegalText::VERSION, |own| &own.version)
    }

    pub(crate) fn own_text(&self, text: LegalText) -> Option<&OwnText> {
        self.texts.iter().find(|own| own.text == text)
    }

    pub(crate) const fn sheet(&self) -> Option<&Asset> {
        self.sheet.as_ref()
    }

    pub(crate) const fn mark(&self) -> Option<&Asset> {
        self.mark.as_ref()
    }

    pub(crate) const fn picture(&self) -> Option<&Asset> {
        self.picture.as_ref()
    }
}

fn file(stem: &str, picture: Picture) -> Asset {
    assets::hashed(stem, picture.kind.extension(), picture.kind.content_type(), picture.bytes.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_brand_brings_is_served_beside_what_all_pages_share() {
        let green = Colour::parse("#0c5c4c").unwrap();
        let colours = Colours::new(green, Colour::parse("#7ad1b4").unwrap(), None).unwrap();
        let mark = Picture { kind: PictureKind::Svg, bytes: b"<svg/>".to_vec() };
        let brand = Brand::default().coloured(&colours).marked(mark);
        let (sheet, mark) = (brand.sheet().unwrap().path.clone(), brand.mark().unwrap().path.clone());
        assert_eq!(brand.asset(&mark).unwrap().content_type, "image/svg+xml");
        assert!(brand.asset(&sheet.replacen("/assets/", "/cdn-cgi/access/assets/", 1)).is_some());
        let shared = &assets::assets()[0].path;
        assert_eq!(&brand.asset(shared).unwrap().path, shared);
        assert!(Brand::default().asset(&sheet).is_none());
    }

    #[test]
    fn a_text_of_ones_own_has_its_own_version_and_the_others_keep_theirs() {
        let text = |text| OwnText { text, version: "2027-01".to_owned(), html: String::new() };
        let brand = Brand::default().agreeing_to(vec![text(LegalText::Terms)]);
        assert_eq!(brand.version_of(LegalText::Terms), "2027-01");
        assert_eq!(brand.version_of(LegalText::Privacy), LegalText::VERSION);
    }
}
