//! The kernel's privileges: carried over into process 1 while it builds the view, then given up
//! for good.

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, configure_capability_in_ambient_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use crate::failure::{Failure, SEE_DOCTOR, Step};

/// Makes the capabilities this process may use survive the execution of the next stage, although
/// its user id is not 0.
pub(crate) fn carry_over() -> Result<(), Failure> {
    let permitted = capabilities(None).step("read its capabilities", SEE_DOCTOR)?.permitted;
    let all_of_them = CapabilitySets { effective: permitted, permitted, inheritable: permitted };
    set_capabilities(None, all_of_them).step("use its capabilities", SEE_DOCTOR)?;
    for capability in one_by_one(permitted) {
        configure_capability_in_ambient_set(capability, true).step("carry its capabilities over", SEE_DOCTOR)?;
    }
    Ok(())
}

/// Gives up every capability, the chance to regain one, and the effect of set-user-id programs.
pub(crate) fn renounce() -> Result<(), Failure> {
    let held = capabilities(None).step("read its capabilities", SEE_DOCTOR)?;
    for capability in one_by_one(held.permitted) {
        remove_capability_from_bounding_set(capability).step("narrow its capability bounds", SEE_DOCTOR)?;
    }
    drop_all()?;
    set_no_new_privs(true).step("refuse new privileges", SEE_DOCTOR)
}

/// Gives up every capability of this process.
pub(crate) fn drop_all() -> Result<(), Failure> {
    clear_ambient_capability_set().step("drop its ambient capabilities", SEE_DOCTOR)?;
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).step("drop its capabilities", SEE_DOCTOR)
}

fn one_by_one(set: CapabilitySet) -> impl Iterator<Item = CapabilitySet> {
    (0..u64::BITS)
        .map(|number| CapabilitySet::from_bits_retain(1 << number))
        .filter(move |capability| set.contains(*capability))
}
