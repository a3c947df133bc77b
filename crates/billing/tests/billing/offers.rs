//! What a coupon gives to whoever has it.

use std::num::NonZeroU32;

use billing::{Coupon, Currency, Cycle, Invoice, Offer, Price, Worth};
use proptest::prelude::*;

use crate::given::{hour, inputs, month, percent, plan, price, terms, used};

fn three() -> Option<NonZeroU32> {
    NonZeroU32::new(3)
}

#[test]
fn a_percentage_begins_with_the_period_in_which_it_is_taken() {
    let offer = Offer::Percent { rate: percent(20), periods: three() };
    let taken_at = hour("2026-11-14T09");
    let calendar =
        Worth::Percent { rate: percent(20), from: hour("2026-11-01T00"), until: Some(hour("2027-02-01T00")) };
    assert_eq!(offer.worth(taken_at, Cycle::Calendar), calendar);
    let anniversary = Cycle::Anniversary { of: hour("2026-05-20T07") };
    let own = Worth::Percent { rate: percent(20), from: hour("2026-10-20T07"), until: Some(hour("2027-01-20T07")) };
    assert_eq!(offer.worth(taken_at, anniversary), own);
    let for_good = Offer::Percent { rate: percent(20), periods: None }.worth(taken_at, Cycle::Calendar);
    assert!(matches!(for_good, Worth::Percent { until: None, .. }) && !for_good.is_used_up());
}

#[test]
fn an_offer_is_told_in_words() {
    let usd = Currency::parse("usd").unwrap();
    for (offer, words) in [
        (Offer::Percent { rate: percent(20), periods: three() }, "20 % off for 3 periods"),
        (Offer::Percent { rate: percent(20), periods: NonZeroU32::new(1) }, "20 % off for one period"),
        (Offer::Percent { rate: percent(100), periods: None }, "100 % off, for good"),
        (Offer::Amount { worth: price(2_000) }, "$20.00 off"),
        (Offer::Hours { number: NonZeroU32::MIN }, "1 hour for free"),
    ] {
        assert_eq!(offer.in_words(usd), words);
        assert!(offer.is_worth_something());
        let kept = serde_json::to_string(&offer).unwrap();
        assert_eq!(serde_json::from_str::<Offer>(&kept).unwrap(), offer);
    }
    assert!(!Offer::Amount { worth: Price::FREE }.is_worth_something());
    assert!(!Offer::Percent { rate: percent(0), periods: None }.is_worth_something());
}

fn offers() -> impl Strategy<Value = Offer> {
    prop_oneof![
        (0_u32..=100, prop::option::of(1_u32..20))
            .prop_map(|(of, periods)| Offer::Percent { rate: percent(of), periods: periods.and_then(NonZeroU32::new) }),
        (0_i64..5_000).prop_map(|cents| Offer::Amount { worth: price(cents) }),
        (1_u32..60).prop_map(|number| Offer::Hours { number: NonZeroU32::new(number).unwrap() }),
    ]
}

proptest! {
    /// However many coupons somebody has, no invoice falls below nothing, and no coupon gives more than it is worth.
    #[test]
    fn coupons_give_what_they_are_worth_and_no_more(offers in prop::collection::vec(offers(), 0..4), hours in prop::collection::vec(0_i64..60, 1..14)) {
        let full = offers.iter().enumerate().map(|(id, offer)| Coupon {
            id: id.to_string(),
            name: "Offer".to_owned(),
            worth: offer.worth(hour("2026-11-14T09"), Cycle::Calendar),
        });
        let mut coupons: Vec<Coupon> = full.collect();
        let mut given = vec![(0_i64, 0_u32); offers.len()];
        for (period, hours) in Cycle::Calendar.periods_from(month("2026-11").start()).zip(hours) {
            let inputs = billing::InvoiceInputs { coupons: coupons.clone(), ..inputs(terms(plan(), period), used(period, hours)) };
            let invoice = Invoice::of(&inputs).unwrap();
            prop_assert!(invoice.net.get() >= 0 && invoice.total.get() >= 0 && invoice.amount_due.get() >= 0);
            for discount in &invoice.discounts {
                let id: usize = discount.coupon.parse().unwrap();
                given[id].0 += discount.taken.amount.get();
                given[id].1 += discount.taken.hours;
                coupons[id] = coupons[id].after(&discount.taken).unwrap();
            }
        }
        for (offer, (amount, hours)) in offers.iter().zip(given) {
            match offer {
                Offer::Amount { worth } => prop_assert!(amount <= worth.amount().get()),
                Offer::Hours { number } => prop_assert!(hours <= number.get() && amount <= i64::from(hours) * 100),
                Offer::Percent { .. } => prop_assert_eq!(hours, 0),
            }
        }
    }
}
