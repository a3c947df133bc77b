//! What a record must be like, whatever else is there.

use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;

use super::super::envelope::Refusal;
use super::super::settings::Settings;
use super::body::{NewRecord, Record, is_proxiable};

const KINDS: [&str; 5] = ["A", "AAAA", "CNAME", "TXT", "MX"];

/// Makes a record of what was asked for, as Cloudflare writes it.
pub(super) fn record(new: NewRecord, settings: &Settings, now: Timestamp) -> Result<Record, Refusal> {
    if !KINDS.contains(&new.kind.as_str()) {
        return Err(Refusal::dns(9000, format!("DNS record type {:?} is not simulated", new.kind)));
    }
    let name = full_name(&new.name, &settings.zone)?;
    if new.proxied && !is_proxiable(&new.kind) {
        return Err(Refusal::dns(9004, "This record type cannot be proxied."));
    }
    if new.ttl != 1 && !(60..=86400).contains(&new.ttl) {
        return Err(Refusal::dns(9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic."));
    }
    check_notes(&new, settings)?;
    if new.priority.is_some() != (new.kind == "MX") {
        return Err(Refusal::dns(1004, "DNS Validation Error: MX records, and only they, have a priority"));
    }
    Ok(Record {
        content: content(&new.kind, &name, &new.content, &settings.zone)?,
        name,
        kind: new.kind,
        ttl: if new.proxied { 1 } else { new.ttl },
        proxied: new.proxied,
        priority: new.priority,
        comment: new.comment.filter(|comment| !comment.is_empty()),
        tags: new.tags,
        options: new.settings,
        created: now,
        modified: now,
    })
}

fn check_notes(new: &NewRecord, settings: &Settings) -> Result<(), Refusal> {
    let quota = if settings.has_tags() { 20 } else { 0 };
    if new.tags.len() > quota {
        let why = format!("DNS record has {} tags, exceeding the quota of {quota}.", new.tags.len());
        return Err(Refusal::dns(9300, why));
    }
    let most = settings.longest_comment();
    match &new.comment {
        Some(comment) if comment.chars().count() > most => {
            Err(Refusal::dns(9301, format!("DNS record comment is longer than {most} characters.")))
        }
        Some(comment) if comment.contains(['\n', '\r']) => {
            Err(Refusal::dns(9301, "DNS record comment contains a line break."))
        }
        _ => Ok(()),
    }
}

/// A name that doesn't end in the zone's is taken as one below it.
fn full_name(given: &str, zone: &str) -> Result<String, Refusal> {
    let given = given.to_ascii_lowercase();
    let name = match given.as_str() {
        "@" => zone.to_owned(),
        name if name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.')) => given,
        name => format!("{name}.{zone}"),
    };
    let below_star = name.strip_prefix("*.").unwrap_or(&name);
    if name.len() <= 253 && below_star.split('.').all(is_label) {
        return Ok(name);
    }
    Err(Refusal::dns(9000, "DNS name is invalid."))
}

fn is_label(label: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&label.len()) && label.bytes().all(is_known) && !label.starts_with('-') && !label.ends_with('-')
}

fn content(kind: &str, name: &str, given: &str, zone: &str) -> Result<String, Refusal> {
    let refused =
        || Refusal::dns(if kind == "CNAME" { 9007 } else { 9005 }, format!("Content for {kind} record is invalid."));
    match kind {
        "A" => given.parse::<Ipv4Addr>().map(|address| address.to_string()).map_err(|_| refused()),
        "AAAA" => given.parse::<Ipv6Addr>().map(|address| address.to_string()).map_err(|_| refused()),
        "TXT" => quoted(given).ok_or_else(refused),
        _ => {
            let target = given.trim_end_matches('.').to_ascii_lowercase();
            // A rehearsal's zone may be one label: `localhost`.
            let is_hostname =
                (target.contains('.') || target == zone) && target.len() <= 253 && target.split('.').all(is_label);
            if is_hostname && target != name { Ok(target) } else { Err(refused()) }
        }
    }
}

fn quoted(given: &str) -> Option<String> {
    let is_quoted = given.len() >= 2 && given.starts_with('"') && given.ends_with('"');
    let text = if is_quoted { given.to_owned() } else { format!("\"{}\"", given.replace('"', "\\\"")) };
    (!given.is_empty() && text.len() <= 2048).then_some(text)
}
