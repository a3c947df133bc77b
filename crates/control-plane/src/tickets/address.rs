//! Where answers to a ticket's mails go: the support mailbox, with a mark that only we can make.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use domain::{Email, TicketId};

use crate::app::Core;

const PURPOSE: &str = "ticket reply address";
const PREFIX: &str = "tkt_";
/// Enough that nobody finds one by trying: each try is a mail.
const PROOF: usize = 8;

/// The address for answers to a ticket's mails; none where support has no mailbox.
pub(super) fn of(core: &Core, ticket: TicketId) -> Option<Email> {
    let support = core.settings.support.address.as_ref()?;
    let (local, domain) = support.as_str().rsplit_once('@')?;
    let name = ticket.to_string();
    let name = name.strip_prefix(PREFIX)?;
    Email::parse(&format!("{local}+{name}-{}@{domain}", proof(core, ticket))).ok()
}

/// The ticket that an address belongs to.
pub(super) fn read(core: &Core, address: &str) -> Option<TicketId> {
    let support = core.settings.support.address.as_ref()?;
    let (support_local, support_domain) = support.as_str().rsplit_once('@')?;
    let address = address.trim().to_ascii_lowercase();
    let (local, domain) = address.rsplit_once('@')?;
    let marked = local.strip_prefix(support_local)?.strip_prefix('+')?;
    let (name, given) = marked.split_once('-')?;
    let ticket = TicketId::parse(&format!("{PREFIX}{name}")).ok()?;
    let is_ours = verify_slices_are_equal(given.as_bytes(), proof(core, ticket).as_bytes()).is_ok();
    (is_ours && domain == support_domain).then_some(ticket)
}

fn proof(core: &Core, ticket: TicketId) -> String {
    let derived = core.sealer.derive(PURPOSE, &ticket.to_string());
    hex::encode(derived.get(..PROOF).unwrap_or(&derived))
}
