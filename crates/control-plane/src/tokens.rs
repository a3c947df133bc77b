use aws_lc_rs::constant_time::verify_slices_are_equal;
use domain::InstanceId;
use secrecy::{ExposeSecret as _, SecretString};
use world::Sealer;

use crate::app::Core;

/// What the guard of an instance proves itself with: follows from the installation's key and the
/// instance's id, so that it is stored nowhere and is the same however often a step runs.
pub fn instance_token(sealer: &Sealer, instance: InstanceId) -> SecretString {
    let secret = hex::encode(sealer.derive("instance token", &instance.to_string()));
    format!("{instance}.{secret}").into()
}

/// What the command line on this machine proves itself with.
pub fn operator_token(sealer: &Sealer) -> SecretString {
    format!("operator.{}", hex::encode(sealer.derive("operator token", "local"))).into()
}

/// What the printed link to the console carries. It holds from one start of the server to the next.
pub fn entry_ticket(sealer: &Sealer, start: jiff::Timestamp) -> SecretString {
    hex::encode(sealer.derive("entry ticket", &start.as_millisecond().to_string())).into()
}

/// What stands in the address to which Railway tells that something changed, since it signs nothing:
/// `/webhooks/railway/<secret>`.
pub fn railway_webhook_secret(sealer: &Sealer) -> SecretString {
    hex::encode(sealer.derive("webhook secret", "railway")).into()
}

/// Whether that is what stands there.
pub(crate) fn is_railway_webhook_secret(sealer: &Sealer, secret: &str) -> bool {
    let genuine = railway_webhook_secret(sealer);
    verify_slices_are_equal(genuine.expose_secret().as_bytes(), secret.as_bytes()).is_ok()
}

/// Whether a link to the console is the one of this start.
pub(crate) fn is_entry_ticket(core: &Core, token: &str) -> bool {
    let genuine = entry_ticket(&core.sealer, core.started_at);
    verify_slices_are_equal(genuine.expose_secret().as_bytes(), token.as_bytes()).is_ok()
}

/// Who a bearer token belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// An operator at this machine.
    Operator,
    /// The guard of this instance.
    Guard(InstanceId),
}

/// Judges a token; `None` when it is nobody's.
pub(crate) fn bearer(sealer: &Sealer, token: &str) -> Option<Bearer> {
    let claimed = match token.split_once('.')? {
        ("operator", _) => Bearer::Operator,
        (instance, _) => Bearer::Guard(InstanceId::parse(instance).ok()?),
    };
    let genuine = match claimed {
        Bearer::Operator => operator_token(sealer),
        Bearer::Guard(instance) => instance_token(sealer, instance),
    };
    verify_slices_are_equal(genuine.expose_secret().as_bytes(), token.as_bytes()).is_ok().then_some(claimed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_is_its_owners_and_nobody_elses() {
        let sealer = Sealer::new([3; 32]);
        let instance = InstanceId::new(jiff::Timestamp::UNIX_EPOCH, [1; 10]);
        let other = InstanceId::new(jiff::Timestamp::UNIX_EPOCH, [2; 10]);
        let token = instance_token(&sealer, instance);
        assert_eq!(bearer(&sealer, token.expose_secret()), Some(Bearer::Guard(instance)));
        let operator = operator_token(&sealer);
        assert_eq!(bearer(&sealer, operator.expose_secret()), Some(Bearer::Operator));
        let stolen = token.expose_secret().replace(&instance.to_string(), &other.to_string());
        for bad in ["", "operator.", "operator", &stolen, &token.expose_secret()[..70], "Operator.00"] {
            assert_eq!(bearer(&sealer, bad), None, "{bad}");
        }
        assert_eq!(bearer(&Sealer::new([4; 32]), token.expose_secret()), None);
    }
}
