//! One-time codes: who gets one, how often, and what a typed one is worth.
//!
//! A code belongs to the browser that asked for it, known by a cookie; from another browser it is
//! worth nothing. Asking leaves the same rows and takes the same path whoever asks: an address that
//! may not enter gets a code too, only nobody is told which.
//!
//! Who may ask is counted by source, so that a stranger who asks in a member's name uses up an
//! allowance of their own and not the member's. A source is an address that connects to us: what
//! headers say about where a request came from anybody can write, so it counts for nothing, and
//! all who come through a reverse proxy on this machine are one source.
//!
//! Guessing: one source gets 5 codes an hour for one address at one hostname, each good for 5 tries
//! of one in a million: 25 guesses, one chance in 40,000. All sources together get 30 codes, so 150
//! guesses, one chance in some 6,700 an hour, for somebody with six networks whose every five
//! guesses mail the person they want to be.

use std::net::IpAddr;
use std::sync::Arc;

use access::TestIdentity;
use domain::Email;
use jiff::Timestamp;
use subtle::ConstantTimeEq as _;

use crate::core::Core;
use crate::door::Door;
use crate::hostname::Hostname;
use crate::{EdgeError, SignInMail, store as rows};

/// Tries a code is good for: enough for slips of a finger, too few to guess one of a million.
const MOST_TRIES: i64 = 5;

/// Codes an hour for one address at one hostname, asked for by one source: enough for lost mails.
/// Those that ended in a sign-in don't count, here and below.
const MOST_PER_ADDRESS_AND_SOURCE: i64 = 5;

/// Codes an hour for one address at one hostname, whoever asks: bounds guesses, and mails to
/// somebody who asked for none.
const MOST_PER_ADDRESS: i64 = 30;

/// Codes an hour for one source, whatever it asks for: enough for an office behind one address.
/// The machine's own address is not limited here, since everybody has it who comes through a reverse
/// proxy on this machine.
const MOST_PER_SOURCE: i64 = 60;

/// Why no code was sent, whoever asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("too many codes were asked for within this hour")]
    TooMany,
    #[error(transparent)]
    Edge(#[from] EdgeError),
}

/// Why a typed code does not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedeemError {
    #[error("that is not a code")]
    NotACode,
    #[error("not this code; {left} tries are left")]
    Wrong { left: i64 },
    #[error("no code is waiting: used, too old, tried too often, or asked for in another browser")]
    Gone,
    #[error(transparent)]
    Edge(#[from] EdgeError),
}

/// Makes a code and mails it if the address may enter. Gives the secret that the browser must
/// bring back with it.
pub(crate) async fn ask(
    core: &Arc<Core>,
    door: &Door,
    email: &Email,
    source: Option<IpAddr>,
    former_browsers: &[&str],
) -> Result<String, AskError> {
    let now = core.clock.now();
    let browser = hex::encode(core.entropy.bytes::<32>());
    let code = format!("{:06}", u64::from_be_bytes(core.entropy.bytes()) % 1_000_000);
    // A test identity has no mailbox, so its code could only reach somebody else.
    let admitted = core.admits(&door.admitting, email).await? && !TestIdentity::is_one(email);
    let new = rows::Code {
        browser: &browser_id(core, &browser),
        hostname: &door.hostname,
        email,
        hash: &hash(core, &door.hostname, email, &browser, &code),
        expires: now.saturating_add(core.code_lifetime()).unwrap_or(now),
    };
    rows::purge(&core.db, now, hour(now)).await.map_err(EdgeError::from)?;
    if !keep(core, &new, source, former_browsers, hour(now)).await? {
        return Err(AskError::TooMany);
    }
    if admitted {
        let mail = SignInMail {
            to: email.clone(),
            hostname: door.shown.clone(),
            code,
            valid_minutes: core.settings.code_minutes,
        };
        // Not waited for: how long the answer takes must not tell who is a member.
        tokio::spawn(send(Arc::clone(core), mail));
    }
    Ok(browser)
}

/// Lets a typed code in once: whose it was is the answer. A browser may bring several secrets, since
/// neighbours under one domain can add cookies to ours: each is tried, at the cost of a try of its
/// own code.
pub(crate) async fn redeem(
    core: &Core,
    door: &Door,
    browsers: &[&str],
    source: Option<IpAddr>,
    typed: &str,
) -> Result<Email, RedeemError> {
    let code: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RedeemError::NotACode);
    }
    let mut verdict = RedeemError::Gone;
    for browser in browsers {
        match try_code(core, door, browser, source, &code).await {
            Err(wrong @ RedeemError::Wrong { .. }) => verdict = wrong,
            Err(RedeemError::Gone) => {}
            decided => return decided,
        }
    }
    Err(verdict)
}

async fn try_code(
    core: &Core,
    door: &Door,
    browser: &str,
    source: Option<IpAddr>,
    code: &str,
) -> Result<Email, RedeemError> {
    let id = browser_id(core, browser);
    let now = core.clock.now();
    let tried = rows::take_try(&core.db, &id, &door.hostname, now, MOST_TRIES).await?.ok_or(RedeemError::Gone)?;
    let typed_hash = hash(core, &door.hostname, &tried.email, browser, code);
    if !bool::from(typed_hash[..].ct_eq(&tried.hash)) {
        return Err(match MOST_TRIES.saturating_sub(tried.tries) {
            ..=0 => RedeemError::Gone,
            left => RedeemError::Wrong { left },
        });
    }
    if !rows::use_up(&core.db, &id, &tried.hash).await.map_err(EdgeError::from)? {
        return Err(RedeemError::Gone);
    }
    // Whoever was removed since the code was mailed has no use for it.
    if !core.admits(&door.admitting, &tried.email).await? {
        return Err(RedeemError::Gone);
    }
    for subject in address_subjects(core, &door.hostname, &tried.email, source) {
        rows::forgive_use(&core.db, &subject, hour(now)).await.map_err(EdgeError::from)?;
    }
    Ok(tried.email)
}

async fn keep(
    core: &Core,
    code: &rows::Code<'_>,
    source: Option<IpAddr>,
    former_browsers: &[&str],
    hour: i64,
) -> Result<bool, EdgeError> {
    let mut tx = core.db.begin().await?;
    let mut allowed = true;
    if let Some(subject) = source_subject(core, source) {
        allowed = rows::count_use(&mut tx, &subject, hour).await? <= MOST_PER_SOURCE;
    }
    // A source that floods uses up its own allowances only, not those of the addresses it names.
    let [by_source, by_all] = address_subjects(core, code.hostname, code.email, source);
    for (subject, most) in [(by_source, MOST_PER_ADDRESS_AND_SOURCE), (by_all, MOST_PER_ADDRESS)] {
        if allowed {
            allowed = rows::count_use(&mut tx, &subject, hour).await? <= most;
        }
    }
    if allowed {
        // A browser has one code at a time. Codes that other browsers asked for stay: otherwise a
        // stranger could keep a member out by asking again and again.
        for former in former_browsers {
            rows::drop_code(&mut tx, &browser_id(core, former), code.hostname).await?;
        }
        rows::insert_code(&mut tx, code).await?;
    }
    tx.commit().await?;
    Ok(allowed)
}

async fn send(core: Arc<Core>, mail: SignInMail) {
    let hostname = mail.hostname.clone();
    if let Err(error) = core.mail.send_code(mail).await {
        tracing::error!(%error, %hostname, "A sign-in code for {hostname} could not be mailed: {error:#}");
    }
}

/// What is stored of a code: worthless without this installation's key.
fn hash(core: &Core, hostname: &Hostname, email: &Email, browser: &str, code: &str) -> [u8; 32] {
    // None of the four can contain a line end.
    core.sealer.derive("edge sign-in code", &format!("{hostname}\n{email}\n{}\n{code}", browser_id(core, browser)))
}

/// What is stored of a browser's cookie. Whatever a browser sends gets an id of one length.
fn browser_id(core: &Core, cookie: &str) -> String {
    hex::encode(core.sealer.derive("edge sign-in browser", cookie))
}

/// What the codes for an address are counted under: those that a source asks for, and all. By hash,
/// so that addresses which strangers type are not kept.
fn address_subjects(core: &Core, hostname: &Hostname, email: &Email, source: Option<IpAddr>) -> [String; 2] {
    let subject = |purpose, words: &str| hex::encode(core.sealer.derive(purpose, words));
    [
        subject("edge allowance of an address and a source", &format!("{hostname}\n{email}\n{}", network(source))),
        subject("edge allowance of an address", &format!("{hostname}\n{email}")),
    ]
}

fn source_subject(core: &Core, source: Option<IpAddr>) -> Option<String> {
    let is_here = source.is_some_and(|address| address.to_canonical().is_loopback());
    (!is_here).then(|| hex::encode(core.sealer.derive("edge allowance of a source", &network(source))))
}

/// An IPv6 network of 64 bits counts as one source: its owner has all addresses of it. Requests
/// whose source nobody knows are one source, and so are all of this machine.
fn network(source: Option<IpAddr>) -> String {
    match source.map(|address| address.to_canonical()) {
        Some(address) if address.is_loopback() => "here".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => format!("{:x}", u128::from(address) >> 64),
        None => "unknown".to_owned(),
    }
}

fn hour(now: Timestamp) -> i64 {
    now.as_second().div_euclid(3_600)
}
