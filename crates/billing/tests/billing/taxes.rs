//! Who is charged which tax.

use billing::{Rate, TaxBook, TaxRule, TaxVersion, Taxed};
use domain::{Country, TaxId};

use crate::given::{hour, percent, vat};

fn country(code: &str) -> Country {
    Country::parse(code).unwrap()
}

fn rule(code: Option<&str>, name: &str, of: u32, exempt: Option<&str>) -> TaxRule {
    TaxRule {
        country: code.map(country),
        name: name.to_owned(),
        rate: percent(of),
        exempt_with_tax_id: exempt.map(str::to_owned),
    }
}

fn rules() -> Vec<TaxRule> {
    vec![
        rule(Some("DE"), "VAT", 19, None),
        rule(Some("AT"), "VAT", 20, Some("Reverse charge.")),
        rule(Some("CA"), "GST", 5, None),
        rule(Some("CA"), "PST", 7, None),
        rule(Some("US"), "Sales tax", 0, None),
        rule(None, "Digital services tax", 3, None),
    ]
}

fn taxed(code: Option<&str>, tax_id: Option<&str>) -> Taxed {
    let id = tax_id.map(|id| TaxId::parse(id).unwrap());
    Taxed::by(&rules(), code.map(country), id.as_ref())
}

fn named(taxed: &Taxed) -> Vec<(&str, Rate)> {
    taxed.taxes.iter().map(|tax| (tax.name.as_str(), tax.rate)).collect()
}

#[test]
fn a_customer_pays_the_taxes_of_their_country_and_no_others() {
    assert_eq!(taxed(Some("DE"), None).taxes, [vat(19)]);
    assert_eq!(named(&taxed(Some("CA"), None)), [("GST", percent(5)), ("PST", percent(7))]);
    assert_eq!(named(&taxed(Some("US"), None)), [("Sales tax", percent(0))], "a rule of nothing keeps the others away");
    let elsewhere = [("Digital services tax", percent(3))];
    assert_eq!(named(&taxed(Some("JP"), None)), elsewhere);
    assert_eq!(named(&taxed(None, None)), elsewhere, "their country is not known");
    assert_eq!(Taxed::by(&[], Some(country("DE")), None), Taxed::default());
}

#[test]
fn a_tax_id_exempts_where_the_rule_says_so_and_the_number_is_of_that_country() {
    let exempt = taxed(Some("AT"), Some("ATU12345678"));
    assert_eq!((exempt.exempt.as_deref(), exempt.taxes), (Some("Reverse charge."), Vec::new()));
    for (code, id) in [("AT", Some("DE123456789")), ("AT", Some("12 345/6789")), ("AT", None)] {
        assert_eq!(taxed(Some(code), id), Taxed { taxes: vec![vat(20)], exempt: None }, "{code} {id:?}");
    }
    assert_eq!(taxed(Some("DE"), Some("DE123456789")).taxes, [vat(19)], "at home everybody pays");
    assert_eq!(named(&taxed(None, Some("ATU12345678"))), [("Digital services tax", percent(3))]);
    let half = [rule(Some("AT"), "VAT", 20, Some("Reverse charge.")), rule(Some("AT"), "Levy", 1, None)];
    let id = TaxId::parse("ATU12345678").unwrap();
    assert_eq!(Taxed::by(&half, Some(country("AT")), Some(&id)).taxes.len(), 2, "not every rule exempts");
}

#[test]
fn new_rules_are_for_periods_that_begin_later() {
    assert_eq!(TaxBook::default().in_force(hour("2026-11-01T00")), []);
    let version = |from: &str, of| TaxVersion { valid_from: hour(from), rules: vec![rule(None, "VAT", of, None)] };
    let book = TaxBook::new(vec![version("2027-01-01T00", 20), version("2026-11-14T09", 19)]);
    for (at, rate) in [("2026-11-14T09", 19), ("2026-12-31T23", 19), ("2027-01-01T00", 20)] {
        assert_eq!(book.in_force(hour(at))[0].rate, percent(rate), "{at}");
    }
    assert_eq!(book.in_force(hour("2026-11-01T00")), []);
    assert_eq!(book.newest().unwrap().valid_from, hour("2027-01-01T00"));
}
