//! `[brand]`: a folder that says how the product looks, and what its pages say of it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::Email;
use pages::{Brand, Colour, Colours, Figure, Front, LegalText, OwnText, Picture, PictureKind, Point};
use serde::Deserialize;

/// The file in the folder that names all others.
const FILE: &str = "brand.toml";
/// A picture on a front page that visitors wait for.
const LARGEST_PICTURE: u64 = 200_000;
const LARGEST_MARK: u64 = 20_000;
const LARGEST_TEXT: u64 = 500_000;

/// `[brand]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrandSettings {
    /// Where `brand.toml` is; a relative path counts from the data folder. Without it pages look as they come.
    pub folder: Option<PathBuf>,
}

/// `brand.toml`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    contact: Option<String>,
    mark: Option<PathBuf>,
    colours: Option<ColoursTable>,
    front: Option<FrontTable>,
    texts: Option<TextsTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColoursTable {
    accent: String,
    accent_dark: String,
    highlight: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontTable {
    headline: String,
    lead: String,
    picture: Option<PictureTable>,
    #[serde(default)]
    steps: Vec<PointTable>,
    #[serde(default)]
    audience: Vec<PointTable>,
    #[serde(default)]
    questions: Vec<PointTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PictureTable {
    file: PathBuf,
    alt: String,
    #[serde(default)]
    caption: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PointTable {
    title: String,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextsTable {
    version: String,
    terms: Option<PathBuf>,
    privacy: Option<PathBuf>,
    acceptable_use: Option<PathBuf>,
    billing_agreement: Option<PathBuf>,
}

impl BrandSettings {
    /// Reads the folder, with all that it names.
    ///
    /// # Errors
    /// When something of it can't be read, or can't be meant: which file, and what to do.
    pub fn read(&self, data: &Path) -> anyhow::Result<Brand> {
        let Some(folder) = &self.folder else { return Ok(Brand::default()) };
        let folder = data.join(folder);
        let path = folder.join(FILE);
        let file: File = config::Config::builder()
            .add_source(config::File::from(path.clone()).format(config::FileFormat::Toml))
            .build()
            .and_then(config::Config::try_deserialize)
            .with_context(|| format!("reading the brand ({})", path.display()))?;
        file.brand(&folder).with_context(|| format!("reading the brand ({})", path.display()))
    }
}

impl File {
    fn brand(self, folder: &Path) -> anyhow::Result<Brand> {
        let mut brand = Brand::default();
        if let Some(address) = self.contact {
            Email::parse(&address).with_context(|| format!("contact says {address:?}"))?;
            brand = brand.reached_at(address);
        }
        if let Some(colours) = self.colours {
            brand = brand.coloured(&colours.read().context("[colours]")?);
        }
        if let Some(mark) = &self.mark {
            brand = brand.marked(picture(folder, mark, LARGEST_MARK).context("mark")?);
        }
        if let Some(front) = self.front {
            if let Some(shown) = &front.picture {
                let shown = picture(folder, &shown.file, LARGEST_PICTURE).context("[front.picture] file")?;
                brand = brand.pictured(shown);
            }
            brand = brand.speaking(front.words());
        }
        let texts = self.texts.map(|texts| texts.read(folder)).transpose().context("[texts]")?;
        Ok(brand.agreeing_to(texts.unwrap_or_default()))
    }
}

impl ColoursTable {
    fn read(&self) -> anyhow::Result<Colours> {
        let highlight = self.highlight.as_deref().map(Colour::parse).transpose().context("highlight")?;
        let accent = Colour::parse(&self.accent).context("accent")?;
        let accent_dark = Colour::parse(&self.accent_dark).context("accent_dark")?;
        Ok(Colours::new(accent, accent_dark, highlight)?)
    }
}

impl FrontTable {
    fn words(self) -> Front {
        let points = |all: Vec<PointTable>| {
            all.into_iter().map(|PointTable { title, text }| Point { title, text }).collect::<Vec<_>>()
        };
        Front {
            headline: self.headline,
            lead: self.lead,
            figure: self.picture.map(|picture| Figure { alt: picture.alt, caption: picture.caption }),
            steps: points(self.steps),
            audience: points(self.audience),
            questions: points(self.questions),
        }
    }
}

impl TextsTable {
    fn read(&self, folder: &Path) -> anyhow::Result<Vec<OwnText>> {
        let version = self.version.trim();
        anyhow::ensure!(
            !version.is_empty() && version.chars().count() <= 40,
            "version is recorded with each agreement: give it up to 40 characters, such as the date of the texts"
        );
        let files = [
            (LegalText::Terms, &self.terms),
            (LegalText::Privacy, &self.privacy),
            (LegalText::AcceptableUse, &self.acceptable_use),
            (LegalText::BillingAgreement, &self.billing_agreement),
        ];
        let mut texts = Vec::new();
        for (text, file) in files {
            let Some(file) = file else { continue };
            let bytes = content(folder, file, LARGEST_TEXT)?;
            let markdown = String::from_utf8(bytes).with_context(|| format!("{} is no UTF-8", file.display()))?;
            texts.push(OwnText { text, version: version.to_owned(), html: html(&markdown)? });
        }
        Ok(texts)
    }
}

fn picture(folder: &Path, file: &Path, most: u64) -> anyhow::Result<Picture> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let kind = PictureKind::of_extension(&extension.to_ascii_lowercase())
        .with_context(|| format!("{} is no picture that pages can show; use svg, png, webp or jpg", file.display()))?;
    Ok(Picture { kind, bytes: content(folder, file, most)? })
}

fn content(folder: &Path, file: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(file);
    let reading = || format!("reading {}", path.display());
    let size = std::fs::metadata(&path).with_context(reading)?.len();
    anyhow::ensure!(
        size <= most,
        "{} has {size} bytes, and everybody who comes waits for them: at most {most} are good",
        path.display()
    );
    std::fs::read(&path).with_context(reading)
}

/// A page has a heading already, so those of the text begin one lower. HTML within the Markdown is shown as it is
/// written, and does nothing.
fn html(markdown: &str) -> anyhow::Result<String> {
    let mut options = comrak::Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.render.escape = true;
    let arena = comrak::Arena::new();
    let root = comrak::parse_document(&arena, markdown, &options);
    for node in root.descendants() {
        if let comrak::nodes::NodeValue::Heading(heading) = &mut node.data.borrow_mut().value {
            heading.level = (heading.level + 1).min(6);
        }
    }
    let mut html = String::new();
    comrak::html::format_document(root, &options, &mut html)?;
    Ok(html)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const WHOLE: &str = r##"
        contact = "security@notebooks.example"
        mark = "mark.svg"
        [colours]
        accent = "#1b2a80"
        accent_dark = "#ffd400"
        [front]
        headline = "Notebooks for your team"
        lead = "A notebook server of your own."
        picture = { file = "shot.png", alt = "A page with a chart" }
        steps = [{ title = "Write", text = "Text and code side by side." }]
        [texts]
        version = "2027-01-15"
        terms = "terms.md"
    "##;

    fn read(toml: &str) -> anyhow::Result<Brand> {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("brand");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(FILE), toml).unwrap();
        std::fs::write(folder.join("mark.svg"), "<svg/>").unwrap();
        std::fs::write(folder.join("shot.png"), [0_u8; 100]).unwrap();
        std::fs::write(folder.join("large.png"), vec![0_u8; 300_000]).unwrap();
        std::fs::write(folder.join("terms.md"), "# We\n\n<script>alert(1)</script>\n\n| a |\n|---|\n| 1 |\n").unwrap();
        BrandSettings { folder: Some("brand".into()) }.read(data.path())
    }

    #[test]
    fn a_folder_says_all_of_a_brand_and_none_leaves_pages_as_they_come() {
        let brand = read(WHOLE).unwrap();
        assert_eq!(brand.contact.as_deref(), Some("security@notebooks.example"));
        assert_eq!(brand.front.as_ref().unwrap().steps[0].title, "Write");
        assert_eq!(brand.version_of(LegalText::Terms), "2027-01-15");
        assert_eq!(brand.version_of(LegalText::Privacy), LegalText::VERSION);
        let none = BrandSettings::default().read(Path::new("/nowhere")).unwrap();
        assert!(none.front.is_none() && none.contact.is_none());
    }

    #[test]
    fn a_text_keeps_its_headings_below_the_pages_and_runs_nothing() {
        let html = html("# We\n\nSee <script>alert(1)</script>\n\n###### Small\n").unwrap();
        assert!(html.contains("<h2>We</h2>") && html.contains("<h6>Small</h6>"), "{html}");
        assert!(!html.contains("<script>"), "{html}");
    }

    #[test]
    fn what_can_not_be_meant_is_refused_with_its_place() {
        for (from, to, told) in [
            ("#1b2a80", "#ffd400", "choose a darker one"),
            ("#1b2a80", "blue", "is no colour"),
            ("shot.png", "large.png", "at most 200000 are good"),
            ("shot.png", "shot.gif", "use svg, png, webp or jpg"),
            ("terms.md", "missing.md", "missing.md"),
            ("2027-01-15", " ", "recorded with each agreement"),
            ("security@notebooks.example", "nobody", "contact says"),
            ("headline", "headlin", "headlin"),
        ] {
            let error = format!("{:#}", read(&WHOLE.replacen(from, to, 1)).unwrap_err());
            assert!(error.contains(told) && error.contains(FILE), "{to}: {error}");
        }
    }
}
