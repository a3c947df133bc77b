//! Who may enter an instance.

pub(crate) mod publish;
pub(crate) mod store;

use access::{ListState, MemberList, MemberRule, SignedMembers, TestIdentity};
use domain::{Email, InstanceId, InstanceState, MemberRole};
use jiff::Timestamp;

use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::instances::{self, Instance};
use crate::{audit, isolation, mail, pool, support_access, workflows};

/// How long an answer waits for edge and guard to know: the person then sees a change that holds.
/// Should it take longer, the workflow goes on by itself.
const TO_TAKE_EFFECT: std::time::Duration = std::time::Duration::from_secs(3);

/// Somebody who may enter.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub email: Email,
    pub role: MemberRole,
    pub added_at: Timestamp,
}

/// Lets a person in and writes to them. Inviting a member again changes nothing.
pub(crate) async fn invite(app: &App, instance: &Instance, email: &Email, by: &str) -> Result<Member, AppError> {
    must_be_in_use(instance)?;
    must_be_somebodys(email)?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if store::insert(&mut tx, instance.id, email, MemberRole::Member, now).await? {
        audit::record(&mut tx, app, by, "member.invited", &instance.id.to_string(), email.as_str()).await?;
        mail::invitation(&mut tx, app, instance, email, by).await?;
        let publishing = publish::start(&mut tx, app, instance.id).await?;
        tx.commit().await?;
        app.mail_waiting.notify_one();
        workflows::settled(app, publishing, TO_TAKE_EFFECT).await?;
    }
    let member = store::find(&app.db, instance.id, email).await?;
    member.ok_or_else(|| refused(409, "The member was removed again meanwhile", "Look at the list of members."))
}

/// Shuts a person out, from their next request on.
pub(crate) async fn remove(app: &App, instance: &Instance, email: &Email, by: &str) -> Result<(), AppError> {
    let member = store::find(&app.db, instance.id, email).await?.ok_or(AppError::NotFound)?;
    if member.role == MemberRole::Owner {
        return Err(refused(
            409,
            "The owner can't be removed",
            "An instance always has an owner. Delete the instance if it is no longer wanted.",
        ));
    }
    let mut tx = app.db.begin().await?;
    store::delete(&mut tx, instance.id, email).await?;
    audit::record(&mut tx, app, by, "member.removed", &instance.id.to_string(), email.as_str()).await?;
    let publishing = publish::start(&mut tx, app, instance.id).await?;
    tx.commit().await?;
    workflows::settled(app, publishing, TO_TAKE_EFFECT).await?;
    Ok(())
}

/// The present member list of an instance, signed for its guard.
pub(crate) async fn signed_list(core: &Core, id: InstanceId) -> Result<Option<SignedMembers>, AppError> {
    match instances::store::find(&core.db, id).await? {
        Some(instance) => Ok(Some(signed_list_of(core, &instance).await?)),
        None => of_nobody(core, id).await,
    }
}

/// The same for an instance that was just read.
pub(crate) async fn signed_list_of(core: &Core, instance: &Instance) -> Result<SignedMembers, AppError> {
    let id = instance.id;
    let state = match instance.state {
        InstanceState::Requested | InstanceState::Provisioning | InstanceState::Active => ListState::Active,
        InstanceState::Suspended => ListState::Suspended,
        InstanceState::Deleting | InstanceState::Deleted | InstanceState::Failed => ListState::Deleting,
    };
    let members = who_belongs(core, id).await?.into_iter().map(MemberRule::Exact).collect();
    let guests = support_access::guests(core, id).await?;
    let list = MemberList { instance: id, serial: instance.members_serial, state, members, guests };
    Ok(core.members_key.sign(&list))
}

/// Whom the guard of an instance knows as belonging: its members, and whoever tries its walls.
async fn who_belongs(core: &Core, id: InstanceId) -> Result<Vec<Email>, AppError> {
    let members = store::list(&core.db, id).await?.into_iter().map(|member| member.email);
    Ok(members.chain(isolation::identity_in_list(core, id)?).collect())
}

/// Whom the edge lets as far as the guard: those who belong, and guests.
pub(crate) async fn who_comes_in(core: &Core, id: InstanceId) -> Result<Vec<Email>, AppError> {
    let guests = support_access::guests(core, id).await?.into_iter().map(|guest| guest.email);
    let mut all = who_belongs(core, id).await?;
    all.extend(guests);
    Ok(all)
}

/// The list of an instance that was made ahead, older than any that a customer's has. `None` when there is
/// no such instance either.
async fn of_nobody(core: &Core, id: InstanceId) -> Result<Option<SignedMembers>, AppError> {
    let found = pool::store::find(&core.db, id).await?;
    let list =
        MemberList { instance: id, serial: 0, state: ListState::Active, members: Vec::new(), guests: Vec::new() };
    Ok(found.map(|_| core.members_key.sign(&list)))
}

/// An address that test identities have is nobody's: in another list it would look as if a wall had fallen.
fn must_be_somebodys(email: &Email) -> Result<(), AppError> {
    if !TestIdentity::is_one(email) {
        return Ok(());
    }
    Err(refused(422, "No mail gets to that address", "Give an address at which the person reads mail."))
}

fn must_be_in_use(instance: &Instance) -> Result<(), AppError> {
    if matches!(instance.state, InstanceState::Active | InstanceState::Suspended) {
        return Ok(());
    }
    Err(refused(
        409,
        "Nobody can be invited now",
        &format!("The instance is {}. People can be invited while it is active.", instance.state),
    ))
}
