//! The comparison itself: pure, so that every case of it can be tried.

use std::collections::{BTreeMap, BTreeSet};

use domain::{InstanceId, InstanceState, ProjectName};
use jiff::Timestamp;
use providers::inventory::Item;

use super::remedy::Remedy;
use super::{Class, Difference, GRACE, Known, Role};

/// What one look at a provider showed.
pub(super) struct Look<'a> {
    pub role: Role,
    pub provider: &'a str,
    /// The kinds of things of which each instance has one there.
    pub kinds: &'a [&'a str],
    pub items: &'a [Item],
}

/// Everything that is not as the store says it should be.
pub(super) fn compare(look: &Look<'_>, instances: &[Known], now: Timestamp) -> Vec<Difference> {
    let by_id: BTreeMap<InstanceId, &Known> = instances.iter().map(|known| (known.id, known)).collect();
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for item in look.items {
        let Some(id) = item.instance else {
            all.extend(unmarked(look, item, instances));
            continue;
        };
        let is_second = is_one_of_a_kind(item.kind) && !seen.insert((item.kind, id));
        match by_id.get(&id) {
            Some(known) if known.is_fresh || known.is_worked_on => {}
            Some(known) if known.is_living() => {
                all.extend(of_living(look, item, known, is_second).map(|found| of_anybody(known, found)));
            }
            known if !is_covered(look, item) && !is_new(item, now) => all.push(orphan(look, item, known.copied())),
            _ => {}
        }
    }
    let living = instances.iter().filter(|known| known.is_living() && !known.is_fresh && !known.is_worked_on);
    // Nobody pays for what is nobody's, or was given up.
    let living = living.filter(|known| !((known.is_warm || known.is_given_up) && look.role == Role::Payments));
    all.extend(living.filter_map(|known| Some(of_anybody(known, missing(look, known)?))));
    all
}

/// What is wrong with an instance that nobody has yet is not mended: another one takes its place.
fn of_anybody(known: &Known, found: Difference) -> Difference {
    if known.is_warm && !found.remedy.removes() { Difference { remedy: Remedy::Discard, ..found } } else { found }
}

fn is_one_of_a_kind(kind: &str) -> bool {
    ["project", "subscription"].contains(&kind)
}

fn is_new(item: &Item, now: Timestamp) -> bool {
    item.created_at.is_some_and(|at| at + GRACE > now)
}

/// Whether it goes with something else of the same instance that is listed too.
fn is_covered(look: &Look<'_>, item: &Item) -> bool {
    let mut others = look.items.iter().filter(|other| other.instance == item.instance);
    match look.role {
        Role::Compute => item.kind != "project" && others.any(|other| other.kind == "project"),
        Role::Edge => {
            item.kind != "hostname" && others.any(|other| other.kind == "hostname" && is_below(item, &other.name))
        }
        Role::Payments => false,
    }
}

fn is_below(item: &Item, hostname: &str) -> bool {
    item.name.strip_suffix(hostname).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn difference(look: &Look<'_>, item: &Item, class: Class, words: String, remedy: Remedy) -> Difference {
    Difference {
        role: look.role,
        provider: look.provider.to_owned(),
        class,
        kind: item.kind.to_owned(),
        external_id: item.id.clone(),
        name: item.name.clone(),
        instance: item.instance,
        words,
        remedy,
        target: item.name.clone(),
        created_at: item.created_at,
        monthly_cost: item.monthly_cost,
    }
}

/// What bears no mark that could be read is never touched.
fn unmarked(look: &Look<'_>, item: &Item, instances: &[Known]) -> Option<Difference> {
    let named = |known: &&Known| !known.state.is_over() && (known.project == item.name || known.hostname == item.name);
    let words = match instances.iter().find(named) {
        Some(known) if known.is_fresh || known.is_worked_on => return None,
        Some(known) => format!("It is called like what belongs to {}, and bears no mark that can be read.", known.id),
        None => "It is ours by its name or place, and bears no mark that says of which instance.".to_owned(),
    };
    Some(difference(look, item, Class::Orphan, words, Remedy::ByHand))
}

/// What bears the mark of an instance that lives: as it should be, changed, or one too many.
fn of_living(look: &Look<'_>, item: &Item, known: &Known, is_second: bool) -> Option<Difference> {
    let hostname = &known.hostname;
    if is_second {
        let words = format!("{hostname} has another {} beside this one.", item.kind);
        return Some(difference(look, item, Class::Orphan, words, Remedy::ByHand));
    }
    let (fits, remedy) = match (look.role, item.kind) {
        (Role::Compute, "project") => (item.name == known.project, Remedy::ConfigureAgain),
        (Role::Compute, "domain") => (is_of(item, hostname), Remedy::PublishAgain),
        // Of Railway's choice, and the same whatever the hostname is.
        (Role::Compute, "generated domain") => (true, Remedy::PublishAgain),
        (Role::Edge, _) => (is_of(item, hostname), Remedy::PublishAgain),
        _ => (true, Remedy::ByHand),
    };
    if fits {
        let words = format!("{} of {hostname}: {}.", item.kind, item.drift.as_ref()?);
        return Some(difference(look, item, Class::Drifted, words, remedy));
    }
    if item.kind == "project" {
        let words = format!("The project of {hostname} is called {} instead of {}.", item.name, known.project);
        return Some(difference(look, item, Class::Drifted, words, Remedy::ByHand));
    }
    let words = format!("It belongs to {hostname}, which does not go by this name.");
    let remedy = match (look.role, item.kind) {
        (Role::Compute, "domain") => Remedy::ReleaseHostname,
        (Role::Edge, "hostname") => Remedy::RemoveHostname,
        _ => Remedy::ByHand,
    };
    Some(difference(look, item, Class::Orphan, words, remedy))
}

/// The hostname itself, a record below it, or the hostname of the app that is made in it.
fn is_of(item: &Item, hostname: &str) -> bool {
    is_below(item, hostname) || is_below(item, &access::app_site::hostname_of(hostname))
}

/// What no instance wants any more.
fn orphan(look: &Look<'_>, item: &Item, known: Option<&Known>) -> Difference {
    let words = match known.map(|known| (known.state, &known.hostname)) {
        None => "Nothing in the store knows its instance. Before you remove it, make sure that this store was not \
                 restored from an older backup and that no other installation uses this account."
            .to_owned(),
        Some((InstanceState::Deleted, hostname)) => format!("It was left behind when {hostname} was deleted."),
        Some((InstanceState::Failed, hostname)) => format!("It was left behind when {hostname} could not be made."),
        Some((InstanceState::Deleting, hostname)) => {
            format!("The deletion of {hostname} was given up half-way. Deleting it again removes all of it.")
        }
        Some((_, hostname)) => {
            format!("The making of {hostname} was given up half-way. Deleting it removes all that was made.")
        }
    };
    let mut found = difference(look, item, Class::Orphan, words, Remedy::ByHand);
    match look.role {
        Role::Compute if item.kind == "project" && ProjectName::parse(&item.name).is_ok() => {
            found.remedy = Remedy::RemoveProject;
        }
        Role::Compute => {}
        // What is not a hostname's is removed by what the store knows of it, which is nothing here.
        Role::Edge if known.is_none() && !["hostname", "record"].contains(&item.kind) => {}
        Role::Edge => {
            found.remedy = Remedy::RemoveHostname;
            let of_record = || item.name.split_once('.').filter(|(label, _)| label.starts_with('_'));
            found.target = match known {
                Some(known) => known.hostname.clone(),
                None => of_record().map_or_else(|| item.name.clone(), |(_, hostname)| hostname.to_owned()),
            };
            if item.kind == "hostname" {
                found.target.clone_from(&item.name);
            }
        }
        Role::Payments => found.remedy = Remedy::EndSubscription,
    }
    found
}

/// The first of the kinds that an instance lacks: what comes after it depends on it.
fn missing(look: &Look<'_>, known: &Known) -> Option<Difference> {
    let is_there = |kind: &str| {
        let named = |item: &&Item| !["hostname", "domain"].contains(&kind) || item.name == known.hostname;
        look.items.iter().filter(|item| item.kind == kind && item.instance == Some(known.id)).any(|item| named(&item))
    };
    let kind = look.kinds.iter().find(|kind| !is_there(kind))?;
    let remedy = match (look.role, *kind) {
        (Role::Compute, "project") => Remedy::MakeAgain,
        (Role::Payments, _) => Remedy::SubscribeAgain,
        _ => Remedy::PublishAgain,
    };
    let name = if *kind == "project" { &known.project } else { &known.hostname };
    let words =
        format!("{} is {}, and its {kind} is not to be found at {}.", known.hostname, known.state, look.provider);
    Some(Difference {
        role: look.role,
        provider: look.provider.to_owned(),
        class: Class::Missing,
        kind: (*kind).to_owned(),
        external_id: known.id.to_string(),
        name: name.clone(),
        instance: Some(known.id),
        words,
        remedy,
        target: name.clone(),
        created_at: None,
        monthly_cost: None,
    })
}

#[cfg(test)]
mod tests;
