//! The table as it is shown.

use crate::item::{Item, ItemStatus, Priority};
use crate::library::LibraryError;
use crate::moment;
use crate::name::Name;
use crate::pages::Chrome;
use crate::pages::backlog::{ChangeResult, Head, Said, TablePage, TableRow};
use crate::refusal::explain;
use crate::visitor::Visitor;
use crate::web::overview::Overview;

use super::RowForm;
use super::sight::{Sight, Sort};

/// The whole page. `said` is what is said about one row, `results` what came of a change to several.
pub fn page(
    by: &Visitor,
    overview: &Overview,
    sight: &Sight,
    said: Option<(Said, Name)>,
    results: Vec<ChangeResult>,
) -> TablePage {
    let now = moment::now();
    let mut said = said;
    let pinned = said.as_ref().map(|(_, name)| name.clone());
    let rows = sight.rows(overview, pinned.as_ref());
    let rows: Vec<TableRow> = rows
        .into_iter()
        .filter_map(|(shelved, _)| {
            let card = overview.item_card(shelved, now)?;
            let revision = shelved.revision.as_ref()?.to_string();
            let said = said.take_if(|(_, name)| *name == shelved.name).map(|(said, _)| said);
            Some(TableRow { card, chosen: format!("{revision} {}", shelved.name.as_str()), revision, said })
        })
        .collect();
    let head = |(sort, title): (Sort, &'static str)| Head {
        title,
        href: format!("/backlog?{}", sight.sorted_by(sort).query()),
        direction: (sight.sort == sort).then_some(if sight.is_turned { "descending" } else { "ascending" }),
    };
    TablePage {
        chrome: Chrome::of(by),
        heads: Sort::COLUMNS.into_iter().map(head).collect(),
        query: sight.query(),
        words: sight.words.clone(),
        vision: sight.vision.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(),
        status: sight.status.map_or("", ItemStatus::word),
        priority: sight.priority.map_or("", Priority::word),
        sort: sight.sort.word(),
        direction: if sight.is_turned { "desc" } else { "" },
        is_all: sight.is_all(),
        is_sorted: sight.sort != Sort::Board || sight.is_turned,
        visions: overview.vision_choices(),
        statuses: ItemStatus::ALL.map(ItemStatus::word).to_vec(),
        priorities: Priority::ALL.map(Priority::word).to_vec(),
        all: overview.items.iter().filter(|item| item.content.is_ok()).count(),
        ailing: overview.ailing().len(),
        // What is said about a row that is not there any more is said above the table.
        trouble: said.map(|(said, _)| said.text),
        rows,
        results,
    }
}

/// What is said about a row that was saved.
#[must_use]
pub fn saved(overview: &Overview, name: &Name) -> Option<Said> {
    let item = item(overview, name)?;
    Some(Said { text: format!("Saved. It is {} now.", words(item)), is_refusal: false })
}

/// Why a row was not saved, and what it is now.
#[must_use]
pub fn refused(overview: &Overview, name: &Name, error: &LibraryError, form: Option<&RowForm>) -> String {
    match (error, item(overview, name)) {
        (LibraryError::Stale(_), Some(item)) => {
            let chosen =
                form.map(|form| format!(" You chose {}.", listed(&form.status, &form.priority, form.estimate.trim())));
            format!(
                "Not saved: somebody else changed it after you had opened this page. It is {} now.{} Choose again if you still want that.",
                words(item),
                chosen.unwrap_or_default()
            )
        }
        (LibraryError::Missing, _) => {
            format!(
                "“{}” was not saved: it was deleted in the meantime. It can be brought back from “Deleted”.",
                name.as_title()
            )
        }
        (error, _) => format!("Not saved. {}", explain(error).1),
    }
}

/// What came of a change to several rows.
#[must_use]
pub fn results(overview: &Overview, outcomes: &[(Name, Result<(), LibraryError>)]) -> Vec<ChangeResult> {
    let result = |(name, outcome): &(Name, Result<(), LibraryError>)| {
        let id = name.item_number().map(|number| format!("B-{number} ")).unwrap_or_default();
        let title = item(overview, name).map_or_else(|| name.as_title(), |item| item.title.as_str().to_owned());
        let text = match outcome {
            Ok(()) => item(overview, name).map(|item| format!("Saved: {}.", words(item))).unwrap_or_default(),
            Err(error) => refused(overview, name, error, None),
        };
        ChangeResult {
            href: format!("/backlog/{}", name.in_address()),
            title: format!("{id}{title}"),
            is_refusal: outcome.is_err(),
            text,
        }
    };
    outcomes.iter().map(result).collect()
}

fn item<'a>(overview: &'a Overview, name: &Name) -> Option<&'a Item> {
    overview.items.iter().find(|item| item.name == *name)?.content.as_ref().ok()
}

fn words(item: &Item) -> String {
    let points = item.estimate.map(|estimate| estimate.points().to_string()).unwrap_or_default();
    listed(item.status.word(), item.priority.word(), &points)
}

fn listed(status: &str, priority: &str, points: &str) -> String {
    let points = match points {
        "" => "not estimated".to_owned(),
        "1" => "1 point".to_owned(),
        points => format!("{points} points"),
    };
    format!("“{status}”, “{priority}” and {points}")
}
