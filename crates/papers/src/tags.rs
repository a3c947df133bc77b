//! What a piece of the paper is, for those who hear it read: headings, paragraphs, tables. Built beside the drawing,
//! and filled with the places of what was drawn once the pages are written.

use std::num::NonZeroU16;

use krilla::tagging::{Identifier, Node, TableHeaderScope, Tag, TagGroup, TagKind, TagTree};

/// A place in the reading order that drawn text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leaf(usize);

/// What a group of text is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Title(String),
    Heading(String),
    Paragraph,
    Table,
    Head,
    Body,
    Row,
    ColumnName,
    RowName,
    Cell,
}

#[derive(Debug)]
enum Part {
    Group(Kind, Vec<Part>),
    Leaf(Leaf),
}

/// The reading order so far.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    done: Vec<Part>,
    open: Vec<(Kind, Vec<Part>)>,
    leaves: usize,
}

impl Tags {
    pub fn open(&mut self, kind: Kind) {
        self.open.push((kind, Vec::new()));
    }

    pub fn close(&mut self) {
        if let Some((kind, parts)) = self.open.pop() {
            self.siblings().push(Part::Group(kind, parts));
        }
    }

    /// A place for text in what is open.
    pub fn leaf(&mut self) -> Leaf {
        let leaf = Leaf(self.leaves);
        self.leaves += 1;
        self.siblings().push(Part::Leaf(leaf));
        leaf
    }

    /// A group that holds nothing but one place for text.
    pub fn only(&mut self, kind: Kind) -> Leaf {
        self.open(kind);
        let leaf = self.leaf();
        self.close();
        leaf
    }

    /// The tree, with what was drawn for each place.
    pub fn tree(self, drawn: &[(Leaf, Identifier)]) -> TagTree {
        let mut places = vec![Vec::new(); self.leaves];
        for (leaf, identifier) in drawn {
            if let Some(place) = places.get_mut(leaf.0) {
                place.push(*identifier);
            }
        }
        let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
        for node in self.done.into_iter().flat_map(|part| nodes(part, &places)) {
            tree.push(node);
        }
        tree
    }

    fn siblings(&mut self) -> &mut Vec<Part> {
        self.open.last_mut().map_or(&mut self.done, |(_, parts)| parts)
    }
}

fn nodes(part: Part, places: &[Vec<Identifier>]) -> Vec<Node> {
    match part {
        Part::Leaf(leaf) => places.get(leaf.0).into_iter().flatten().cloned().map(Node::from).collect(),
        Part::Group(kind, parts) => {
            let children = parts.into_iter().flat_map(|part| nodes(part, places)).collect();
            vec![TagGroup::with_children(tag(kind), children).into()]
        }
    }
}

fn tag(kind: Kind) -> TagKind {
    match kind {
        Kind::Title(text) => Tag::Hn(NonZeroU16::MIN, Some(text)).into(),
        Kind::Heading(text) => Tag::Hn(NonZeroU16::MIN.saturating_add(1), Some(text)).into(),
        Kind::Paragraph => Tag::P.into(),
        Kind::Table => Tag::Table.into(),
        Kind::Head => Tag::THead.into(),
        Kind::Body => Tag::TBody.into(),
        Kind::Row => Tag::TR.into(),
        Kind::ColumnName => Tag::TH(TableHeaderScope::Column).into(),
        Kind::RowName => Tag::TH(TableHeaderScope::Row).into(),
        Kind::Cell => Tag::TD.into(),
    }
}
