use domain::Micros;
use jiff::civil::{Date, date};
use providers::compute::railway::list_price;
use providers::costs::Resource;
use serde::{Deserialize, Serialize};

/// `[billing.costs]`: what serving customers costs, and what of it is watched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CostSettings {
    /// What things cost.
    pub prices: Prices,
    /// The margin to be reached, in percent of the revenue.
    pub target_percent: u8,
    /// At which parts of a provider's limit the operator gets a mail, in percent. That all is used is always told.
    pub alert_percents: Vec<u8>,
    /// Where the compute provider stops everything, in US dollars for each of its periods, if it does not tell that
    /// itself.
    pub spend_limit: Option<Micros>,
}

/// `[billing.costs.prices]`: the price list that a month is computed with. A month keeps the one that was set when it
/// ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// A processor core for a month, in US dollars, as the three below.
    pub cpu_month: Micros,
    /// A GB of memory.
    pub memory_month: Micros,
    /// A GB of a volume.
    pub disk_month: Micros,
    /// A GB of backups.
    pub backup_month: Micros,
    /// A GB that was sent, in US dollars.
    pub egress: Micros,
    /// So many seats cost nothing at Cloudflare Access. From the next one on, all of them are paid for.
    pub free_seats: u64,
    /// A seat for a month, in US dollars.
    pub seat_month: Micros,
    /// When these prices were looked up.
    pub as_of: Date,
    /// What a US dollar costs in the plan's currency, where that is another one.
    pub dollar: Option<Micros>,
    /// What an instance costs for a month, in the plan's currency, where its compute provider counts nothing.
    pub instance_month: Option<Micros>,
    /// What has to be paid whatever is used, in the plan's currency. Instances share it by the time that they were there.
    pub fixed: Vec<FixedCost>,
}

/// Something that is paid for each month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedCost {
    /// For what.
    pub name: String,
    /// How much a month.
    pub month: Micros,
}

/// Settings that can't be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CostSettingsError {
    /// A part of a limit that is none.
    #[error("alert_percents says {0}; each should be from 1 to 99, since that all is used is always told")]
    NoPart(u8),
    /// A target that nobody can reach.
    #[error("target_percent says {0}; set it to 100 at most")]
    Unreachable(u8),
    /// A cost without a name.
    #[error("prices.fixed has an entry without a name; say what it is for")]
    Unnamed,
}

impl Default for CostSettings {
    fn default() -> Self {
        Self { prices: Prices::default(), target_percent: 80, alert_percents: vec![50, 80, 95], spend_limit: None }
    }
}

impl Default for Prices {
    fn default() -> Self {
        Self {
            cpu_month: list_price(Resource::Cpu),
            memory_month: list_price(Resource::Memory),
            disk_month: list_price(Resource::Disk),
            backup_month: list_price(Resource::Backup),
            egress: list_price(Resource::Egress),
            free_seats: 50,
            seat_month: Micros::new(7_000_000),
            as_of: date(2026, 11, 24),
            dollar: None,
            instance_month: None,
            fixed: Vec::new(),
        }
    }
}

impl CostSettings {
    /// Whether they can be meant.
    ///
    /// # Errors
    /// What is wrong, with what to set.
    pub fn check(&self) -> Result<(), CostSettingsError> {
        if let Some(part) = self.alert_percents.iter().find(|part| !(1..=99).contains(*part)) {
            return Err(CostSettingsError::NoPart(*part));
        }
        if self.target_percent > 100 {
            return Err(CostSettingsError::Unreachable(self.target_percent));
        }
        match self.prices.fixed.iter().any(|fixed| fixed.name.trim().is_empty()) {
            true => Err(CostSettingsError::Unnamed),
            false => Ok(()),
        }
    }
}

impl Prices {
    /// What an amount in US dollars is in the plan's currency; nothing where nobody said.
    pub(crate) fn in_currency(&self, dollars: Micros, currency: &str) -> Option<Micros> {
        match (currency, self.dollar) {
            ("usd", _) => Some(dollars),
            (_, Some(price)) => billing::costs::converted(dollars, price).ok(),
            (_, None) => None,
        }
    }

    /// What a quantity costs in US dollars; nothing when that is more than money can be.
    pub(crate) fn of(&self, resource: Resource, quantity: u64) -> Option<Micros> {
        use billing::costs::{cost_of, cost_of_time};
        let cost = match resource {
            Resource::Cpu => cost_of_time(quantity, self.cpu_month),
            Resource::Memory => cost_of_time(quantity, self.memory_month),
            Resource::Disk => cost_of_time(quantity, self.disk_month),
            Resource::Backup => cost_of_time(quantity, self.backup_month),
            Resource::Egress => cost_of(quantity, self.egress),
        };
        cost.ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_price_list_is_kept_and_read_again_as_it_was() {
        let fixed = vec![FixedCost { name: "Domain".to_owned(), month: Micros::new(1_250_000) }];
        let prices = Prices { instance_month: Some(Micros::new(231)), fixed, ..Prices::default() };
        let text = serde_json::to_string(&prices).unwrap();
        assert_eq!(serde_json::from_str::<Prices>(&text).unwrap(), prices);
    }

    #[test]
    fn dollars_are_converted_only_where_somebody_said_how() {
        let euros = Prices { dollar: Some(Micros::new(920_000)), ..Prices::default() };
        assert_eq!(euros.in_currency(Micros::new(10), "usd"), Some(Micros::new(10)));
        assert_eq!(euros.in_currency(Micros::new(1_000_000), "eur"), Some(Micros::new(920_000)));
        assert_eq!(Prices::default().in_currency(Micros::new(1), "eur"), None);
    }

    #[test]
    fn settings_that_can_not_be_meant_are_refused() {
        let checked = |change: fn(&mut CostSettings)| {
            let mut settings = CostSettings::default();
            change(&mut settings);
            settings.check().map_err(|error| error.to_string())
        };
        assert_eq!(checked(|_| ()), Ok(()));
        assert!(checked(|it| it.alert_percents.push(100)).unwrap_err().contains("says 100"));
        assert!(checked(|it| it.target_percent = 101).unwrap_err().contains("says 101"));
        let unnamed = FixedCost { name: " ".to_owned(), month: Micros::ZERO };
        let mut settings = CostSettings::default();
        settings.prices.fixed.push(unnamed);
        assert_eq!(settings.check(), Err(CostSettingsError::Unnamed));
    }
}
