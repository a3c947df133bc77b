//! A person's click makes a document of a proposal, and a record of who did so and when. A crash on
//! the way is mended by another click: what was done before is found and not done twice.

use crate::attachments::{Attachments, NewFile};
use crate::decision::Decision;
use crate::front_matter::{Problem, Sheet};
use crate::history::Signature;
use crate::item::Item;
use crate::library::{Document, Entry as Shelved, Library, LibraryError, Revision, Saved};
use crate::model::Role;
use crate::name::{Name, Shelf};
use crate::team::Team;
use crate::title::Title;
use crate::wireframe::ENDING;

use super::journal::{Entry, MeetingId, Minutes};
use super::meeting::{Meeting, Proposed, Verdict};
use super::proposal::Content;

/// What came of an approval.
pub struct Approved {
    /// What changed, in order: the document, then the record of the approval.
    pub changed: Vec<(Shelf, Name, Revision)>,
}

/// Why an approval came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// Somebody has decided already.
    #[error("somebody has decided about it already")]
    Decided,
    /// It cannot be written.
    #[error(transparent)]
    Library(#[from] LibraryError),
}

impl From<Problem> for ApprovalError {
    fn from(problem: Problem) -> Self {
        Self::Library(problem.into())
    }
}

impl From<std::io::Error> for ApprovalError {
    fn from(error: std::io::Error) -> Self {
        Self::Library(error.into())
    }
}

/// Approves a proposal. `seen` is the revision of the present document that the person saw it beside;
/// empty where there was none.
///
/// # Errors
/// [`ApprovalError`]; [`LibraryError::Stale`] when the document changed since the person looked.
pub fn approve(
    library: &Library,
    id: MeetingId,
    number: u32,
    seen: &str,
    by: &Signature,
) -> Result<Approved, ApprovalError> {
    let minutes = Minutes::of(library)?;
    let meeting = minutes.read(id)?;
    let proposal = meeting.proposal(number).ok_or(LibraryError::Missing)?;
    if proposal.verdict != Verdict::Open {
        return Err(ApprovalError::Decided);
    }
    let who = by.by.to_string();
    minutes.write(id, by.at, Entry::Approving { proposal: number, by: who.clone() })?;
    let mark = format!("{id}/{number}");
    let saved = put(library, &meeting, proposal, &mark, seen, by)?;
    let shelf = proposal.content.shelf();
    let document = format!("/{}/{}", shelf.folder(), saved.name.in_address());
    let mut changed = vec![(shelf, saved.name, saved.revision)];
    if !matches!(proposal.content, Content::Decision { .. }) {
        let record = sign_off(library, &meeting, proposal, &mark, &document, by)?;
        let signed = put_new(library, Shelf::Decisions, &record, &format!("{mark} sign-off"), by)?;
        changed.push((Shelf::Decisions, signed.name, signed.revision));
    }
    minutes.write(id, by.at, Entry::Approved { proposal: number, by: who, document })?;
    Ok(Approved { changed })
}

/// The document that a proposal would change, if it would change one.
///
/// # Errors
/// [`LibraryError::Missing`] when it names an item that is not there.
pub fn present_of(library: &Library, meeting: &Meeting, content: &Content) -> Result<Option<Document>, LibraryError> {
    match content {
        Content::Vision { .. } => match meeting.subject() {
            Some(name) => match library.read(Shelf::Visions, &name) {
                Ok(document) => Ok(Some(document)),
                // The vision was deleted meanwhile: the proposal makes a new one.
                Err(LibraryError::Missing) => Ok(None),
                Err(error) => Err(error),
            },
            None => Ok(None),
        },
        Content::Story(_) => match content.changed_item()? {
            Some(number) => Ok(Some(library.read(Shelf::Backlog, &library.item(number)?)?)),
            None => Ok(None),
        },
        Content::Decision { .. } => Ok(None),
        // It changes no text, but without its story there is nothing that it could belong to.
        Content::Wireframe { story, .. } => {
            if is_proposed(meeting, story) || story_of(library, story)?.is_some() {
                return Ok(None);
            }
            Err(LibraryError::Missing)
        }
    }
}

/// Whether a story of this title is among what nobody has decided about yet.
fn is_proposed(meeting: &Meeting, title: &str) -> bool {
    meeting.proposals.iter().any(|proposal| {
        proposal.verdict == Verdict::Open
            && matches!(proposal.content, Content::Story(_))
            && is_same(proposal.content.title(), title)
    })
}

/// The story of a number such as `B-3`, or of a title; of several with the same title, the newest.
fn story_of(library: &Library, story: &str) -> Result<Option<Document>, LibraryError> {
    if let Some(number) = story.trim().strip_prefix("B-").and_then(|digits| digits.parse().ok()) {
        return match library.item(number) {
            Ok(name) => Ok(Some(library.read(Shelf::Backlog, &name)?)),
            Err(LibraryError::Missing) => Ok(None),
            Err(error) => Err(error),
        };
    }
    let entries = library.list(Shelf::Backlog)?.into_iter();
    let documents = entries.filter_map(|entry| match entry {
        Shelved::Document(document) => Some(document),
        Shelved::Unreadable { .. } => None,
    });
    let named = documents.filter(|document| {
        let item = document.exact_text().and_then(|text| Item::parse(&document.name, text));
        item.is_ok_and(|item| is_same(item.title.as_str(), story))
    });
    Ok(named.max_by_key(|document| document.name.item_number()))
}

fn is_same(title: &str, other: &str) -> bool {
    title.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Keeps a wireframe as a file of its story, in its own words.
fn attach(
    library: &Library,
    story: &str,
    title: &str,
    text: &str,
    mark: &str,
    by: &Signature,
) -> Result<Saved, LibraryError> {
    let document = story_of(library, story)?.ok_or_else(|| {
        Problem(format!(
            "Its story, “{}”, is not in the backlog. Approve the story first, then the wireframe.",
            story.trim()
        ))
    })?;
    let name = format!("{}{ENDING}", title.replace(['.', '/', '\\'], " "));
    let new = NewFile { name: &name, bytes: text.as_bytes(), about: title, mark: Some(mark) };
    Attachments::add(library, Shelf::Backlog, &document.name, &new, by)?;
    Ok(Saved { revision: document.revision(), name: document.name, version: None })
}

fn put(
    library: &Library,
    meeting: &Meeting,
    proposal: &Proposed,
    mark: &str,
    seen: &str,
    by: &Signature,
) -> Result<Saved, ApprovalError> {
    let content = &proposal.content;
    let (shelf, vision) = (content.shelf(), meeting.subject());
    if let Content::Wireframe { story, title, text } = content {
        return Ok(attach(library, story, title, text, mark, by)?);
    }
    if let Some(saved) = done_before(library, shelf, mark)? {
        return Ok(saved);
    }
    if let Content::Decision { title, text } = content {
        let record = Decision { title: title_of(title)?, body: text.clone(), ..signed(library, meeting, by)? };
        return Ok(put_new(library, shelf, &record, mark, by)?);
    }
    match present_of(library, meeting, content)? {
        Some(present) => {
            let change = |former: &Document| Ok(content.written(former.exact_text()?, vision.as_ref(), Some(mark))?);
            Ok(library.edit(shelf, &present.name, Some(&Revision::sent(seen)), by, change)?)
        }
        None => {
            let text = content.written("", vision.as_ref(), Some(mark))?;
            Ok(library.create(shelf, content.title(), &text, by)?)
        }
    }
}

fn put_new(
    library: &Library,
    shelf: Shelf,
    record: &Decision,
    mark: &str,
    by: &Signature,
) -> Result<Saved, LibraryError> {
    if let Some(saved) = done_before(library, shelf, mark)? {
        return Ok(saved);
    }
    let name = format!("{} {}", by.at.strftime("%Y-%m-%d"), record.title.as_str());
    let record = Decision { proposal: Some(mark.to_owned()), ..record.clone() };
    library.create(shelf, &name, &record.to_text(), by)
}

/// What an approval that did not come to its end left on a shelf.
fn done_before(library: &Library, shelf: Shelf, mark: &str) -> Result<Option<Saved>, LibraryError> {
    let found = library.list(shelf)?.into_iter().find_map(|entry| match entry {
        Shelved::Document(document) => {
            let sheet = Sheet::parse(document.exact_text().ok()?).ok()?;
            (sheet.text("proposal").ok()??.as_str() == mark).then_some(document)
        }
        Shelved::Unreadable { .. } => None,
    });
    Ok(found.map(|document| Saved { revision: document.revision(), name: document.name, version: None }))
}

/// A record that says who decided, when and where, and who wrote it down.
fn signed(library: &Library, meeting: &Meeting, by: &Signature) -> Result<Decision, LibraryError> {
    let team = Team::read(&library.root()?)?;
    Ok(Decision {
        by: Some(by.by.to_string()),
        at: Some(by.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        scribe: Some(team.name_of(Role::Scribe).to_owned()),
        meeting: Some(meeting.id.to_string()),
        ..Decision::default()
    })
}

fn sign_off(
    library: &Library,
    meeting: &Meeting,
    proposal: &Proposed,
    mark: &str,
    document: &str,
    by: &Signature,
) -> Result<Decision, LibraryError> {
    let noun = match proposal.content {
        Content::Vision { .. } => "vision",
        Content::Story(_) => "story",
        Content::Decision { .. } => "decision",
        Content::Wireframe { .. } => "wireframe",
    };
    let title = proposal.content.title();
    let short: String = title.chars().take(150).collect();
    let body = format!(
        "{} approved the {noun} [{title}]({document}) in meeting [{id}](/meetings/{id}), as the {} proposed it (proposal {mark}).",
        by.by,
        proposal.role,
        id = meeting.id,
    );
    Ok(Decision {
        title: title_of(&format!("Approved the {noun} “{short}”"))?,
        about: Some(document.to_owned()),
        body,
        ..signed(library, meeting, by)?
    })
}

fn title_of(text: &str) -> Result<Title, Problem> {
    Title::parse(text).map_err(|error| Problem(error.to_string()))
}
