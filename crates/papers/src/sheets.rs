//! Pages that fill from top to bottom. Everything is placed first, so that each page can say how many there are, and
//! written to the file after that.

use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, SpanTag};
use krilla::{Document, SerializeSettings};

use crate::PaperError;
use crate::letters::{Ink, Letters, Run, Style, Weight};
use crate::tags::{Kind, Leaf, Tags};

/// A4, in points.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
/// What is written on lies between these.
pub(crate) const LEFT: f32 = 56.7;
pub(crate) const RIGHT: f32 = WIDTH - 56.7;
const TOP: f32 = 62.0;
const BOTTOM: f32 = HEIGHT - 76.0;
/// Where the last line of each page stands.
const FOOT: f32 = HEIGHT - 42.0;

const FOOT_STYLE: Style = Style::new(8.0, Weight::Regular, Ink::Soft);

/// What is drawn on a page.
enum Mark {
    Text { run: Run, x: f32, baseline: f32, leaf: Option<Leaf> },
    Block { left: f32, top: f32, right: f32, bottom: f32, ink: Ink },
}

/// What the file says of itself.
pub(crate) struct About {
    pub title: String,
    pub author: String,
    pub date: DateTime,
    /// Stands at the foot of each page, before its number.
    pub foot: String,
}

/// The pages so far.
pub(crate) struct Sheets {
    pub letters: Letters,
    pub tags: Tags,
    pages: Vec<Vec<Mark>>,
    /// How far the present page is filled.
    pub y: f32,
    headings: Vec<(String, usize, f32)>,
}

impl Sheets {
    pub fn new() -> Result<Self, PaperError> {
        let pages = vec![Vec::new()];
        Ok(Self { letters: Letters::new()?, tags: Tags::default(), pages, y: TOP, headings: Vec::new() })
    }

    /// Whether so much height is left on the page.
    pub fn fits(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    /// Goes on with a new page where so much height is not left. Says whether it did.
    pub fn need(&mut self, height: f32) -> bool {
        let turns = !self.fits(height) && self.y > TOP;
        if turns {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
        turns
    }

    /// A line of text that begins at `x`, its baseline as far below the filled part as its style wants.
    pub fn place(&mut self, run: Run, x: f32, leaf: Option<Leaf>) {
        let baseline = self.y + run.style.size * 1.05;
        self.draw(Mark::Text { run, x, baseline, leaf });
    }

    /// A line of text that ends at `x`.
    pub fn place_ending(&mut self, run: Run, x: f32, leaf: Option<Leaf>) {
        let width = run.width;
        self.place(run, x - width, leaf);
    }

    /// A line across.
    pub fn rule(&mut self, left: f32, right: f32, weight: f32, ink: Ink) {
        let top = self.y;
        self.draw(Mark::Block { left, top, right, bottom: top + weight, ink });
    }

    /// A coloured ground from here on, for what is placed on it afterwards.
    pub fn ground(&mut self, left: f32, right: f32, height: f32) {
        let top = self.y;
        self.draw(Mark::Block { left, top, right, bottom: top + height, ink: Ink::Tint });
    }

    /// Text as wide as asked, line by line, over as many pages as it takes.
    pub fn paragraph(&mut self, text: &str, style: Style, left: f32, width: f32) {
        let leaf = self.tags.only(Kind::Paragraph);
        for line in self.letters.wrap(text, style, width) {
            self.need(style.leading());
            self.place(line, left, Some(leaf));
            self.y += style.leading();
        }
    }

    /// A heading that does not stand alone at the end of a page.
    pub fn heading(&mut self, text: &str, kind: Kind, style: Style) {
        self.need(style.leading() + 56.0);
        self.headings.push((text.to_owned(), self.pages.len() - 1, self.y));
        let leaf = self.tags.only(kind);
        let line = self.letters.run(text, style);
        self.place(line, LEFT, Some(leaf));
        self.y += style.leading();
    }

    /// The file.
    pub fn write(mut self, about: About) -> Result<Vec<u8>, PaperError> {
        self.number_pages(&about.foot);
        let standards = ConfigurationBuilder::new()
            .with_archival_validator(Archival::A2_A)
            .with_accessibility_validator(Accessibility::UA1)
            .finish()
            .map_err(|error| PaperError::Format(format!("{error:?}")))?;
        let mut document =
            Document::new_with(SerializeSettings { configuration: standards, ..SerializeSettings::default() });
        let mut drawn = Vec::new();
        for marks in &self.pages {
            let settings = PageSettings::from_wh(WIDTH, HEIGHT).unwrap_or_default();
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            for mark in marks {
                mark.draw(&mut surface, &self.letters, &mut drawn);
            }
            surface.finish();
            page.finish();
        }
        let mut outline = Outline::new();
        for (text, page, y) in self.headings {
            outline.push_child(OutlineNode::new(text, XyzDestination::new(page, Point::from_xy(LEFT, y))));
        }
        document.set_outline(outline);
        document.set_tag_tree(self.tags.tree(&drawn));
        document.set_metadata(
            Metadata::new()
                .title(about.title.clone())
                .authors(vec![about.author])
                .language("en".to_owned())
                .creation_date(about.date)
                .document_id(about.title),
        );
        document.finish().map_err(|error| PaperError::Format(format!("{error:?}")))
    }

    fn number_pages(&mut self, foot: &str) {
        let count = self.pages.len();
        let widest = self.letters.run(&format!("Page {count} of {count}"), FOOT_STYLE).width;
        let foot = self.letters.wrap(foot, FOOT_STYLE, RIGHT - LEFT - widest - 24.0).swap_remove(0);
        for (index, page) in self.pages.iter_mut().enumerate() {
            let number = self.letters.run(&format!("Page {} of {count}", index + 1), FOOT_STYLE);
            let x = RIGHT - number.width;
            page.push(Mark::Block { left: LEFT, top: FOOT - 14.0, right: RIGHT, bottom: FOOT - 13.4, ink: Ink::Line });
            page.push(Mark::Text { run: foot.clone(), x: LEFT, baseline: FOOT, leaf: None });
            page.push(Mark::Text { run: number, x, baseline: FOOT, leaf: None });
        }
    }

    fn draw(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }
}

impl Mark {
    fn draw(&self, surface: &mut Surface<'_>, letters: &Letters, drawn: &mut Vec<(Leaf, Identifier)>) {
        match self {
            Self::Text { run, .. } if run.text.is_empty() => {}
            Self::Text { run, x, baseline, leaf } => {
                let tag = leaf.map_or(ornament(ArtifactType::Footer), |_| ContentTag::Span(SpanTag::empty()));
                let identifier = surface.start_tagged(tag);
                drawn.extend(leaf.map(|leaf| (leaf, identifier)));
                surface.set_fill(Some(fill(run.style.ink)));
                let at = Point::from_xy(*x, *baseline);
                surface.draw_glyphs(at, &run.glyphs, letters.font(run.style.weight), &run.text, run.style.size, false);
                surface.end_tagged();
            }
            Self::Block { left, top, right, bottom, ink } => {
                let mut path = PathBuilder::new();
                if let Some(rect) = Rect::from_ltrb(*left, *top, *right, *bottom) {
                    path.push_rect(rect);
                }
                if let Some(path) = path.finish() {
                    surface.start_tagged(ornament(ArtifactType::Layout));
                    surface.set_fill(Some(fill(*ink)));
                    surface.draw_path(&path);
                    surface.end_tagged();
                }
            }
        }
    }
}

const fn ornament(kind: ArtifactType) -> ContentTag<'static> {
    ContentTag::Artifact(Artifact { kind, bbox: None })
}

fn fill(ink: Ink) -> Fill {
    let colour = match ink {
        Ink::Full => rgb::Color::new(0x17, 0x21, 0x1d),
        Ink::Soft => rgb::Color::new(0x55, 0x62, 0x5c),
        Ink::Accent => rgb::Color::new(0x0c, 0x5c, 0x4c),
        Ink::Line => rgb::Color::new(0xd9, 0xdf, 0xd9),
        Ink::Tint => rgb::Color::new(0xee, 0xf4, 0xf0),
    };
    Fill { paint: colour.into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}
