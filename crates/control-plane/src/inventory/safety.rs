use domain::InstanceState;

use super::Known;
use super::remedy::Remedy;

/// Whether something may be removed now, whatever was found earlier: never what an instance wants.
///
/// # Errors
/// Why not, in a sentence.
pub(super) fn may_remove(remedy: Remedy, target: &str, owner: Option<&Known>) -> Result<(), String> {
    let Some(owner) = owner else { return Ok(()) };
    if owner.is_worked_on {
        return Err(format!("something is under way for {}; nothing was removed", owner.hostname));
    }
    match owner.state {
        InstanceState::Deleted | InstanceState::Failed => Ok(()),
        // Nothing is under way for it: its making or its removal was given up half-way.
        InstanceState::Requested | InstanceState::Provisioning | InstanceState::Deleting => Ok(()),
        InstanceState::Active | InstanceState::Suspended => {
            let is_another_name = matches!(remedy, Remedy::ReleaseHostname | Remedy::RemoveHostname)
                && !target.is_empty()
                && target != owner.hostname;
            if is_another_name {
                return Ok(());
            }
            Err(format!("{} is {} and wants it by now; nothing was removed", owner.hostname, owner.state))
        }
    }
}

/// Whether something of an instance may be made again now.
///
/// # Errors
/// Why not, in a sentence.
pub(super) fn may_make(owner: Option<&Known>) -> Result<&Known, String> {
    let Some(owner) = owner else { return Err("its instance is not in the store any more".to_owned()) };
    if !owner.is_living() {
        return Err(format!("{} is {} by now; nothing was made", owner.hostname, owner.state));
    }
    if owner.is_worked_on {
        return Err(format!("something is under way for {}; nothing was made", owner.hostname));
    }
    Ok(owner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::InstanceId;

    use super::*;

    fn known(state: InstanceState, is_worked_on: bool) -> Known {
        Known {
            id: InstanceId::new(jiff::Timestamp::UNIX_EPOCH, [1; 10]),
            state,
            project: "ai-diy-acme".to_owned(),
            hostname: "acme.localhost".to_owned(),
            is_worked_on,
            is_fresh: false,
            is_warm: false,
            is_given_up: false,
        }
    }

    #[test]
    fn what_a_living_instance_wants_is_never_removed() {
        for state in [InstanceState::Active, InstanceState::Suspended] {
            for remedy in [Remedy::RemoveProject, Remedy::EndSubscription] {
                assert!(may_remove(remedy, "ai-diy-acme", Some(&known(state, false))).is_err());
            }
            for remedy in [Remedy::RemoveHostname, Remedy::ReleaseHostname] {
                assert!(may_remove(remedy, "acme.localhost", Some(&known(state, false))).is_err());
                assert!(may_remove(remedy, "", Some(&known(state, false))).is_err());
                may_remove(remedy, "old.localhost", Some(&known(state, false))).unwrap();
            }
        }
    }

    #[test]
    fn nothing_is_removed_while_something_is_under_way() {
        for state in InstanceState::ALL {
            for remedy in [Remedy::RemoveProject, Remedy::RemoveHostname, Remedy::EndSubscription] {
                assert!(may_remove(remedy, "old.localhost", Some(&known(state, true))).is_err());
            }
        }
    }

    #[test]
    fn only_what_lives_undisturbed_is_made_again() {
        assert!(may_make(None).is_err());
        for state in InstanceState::ALL {
            let living = matches!(state, InstanceState::Active | InstanceState::Suspended);
            assert_eq!(may_make(Some(&known(state, false))).is_ok(), living);
            assert!(may_make(Some(&known(state, true))).is_err());
        }
    }
}
