//! Reads what people type into the settings, and writes it as they would.

use std::collections::BTreeMap;

use crate::model::{BaseUrl, Cost, Price, Role};
use crate::pages::settings::Held;
use crate::settings::Settings;

/// The most models that can have a price.
const MOST_PRICES: usize = 100;

/// The settings as the forms hold them.
pub fn held(settings: &Settings) -> Held {
    let amount = |cost: Option<Cost>| cost.map(|cost| cost.to_string()).unwrap_or_default();
    let price = |(model, price): (&String, &Price)| format!("{model} = {} / {}\n", price.input, price.output);
    Held {
        base: settings.base.as_ref().map(ToString::to_string).unwrap_or_default(),
        model: settings.model.clone(),
        prices: settings.prices.iter().map(price).collect(),
        currency: settings.currency.clone(),
        day: amount(settings.budgets.day),
        sprint: amount(settings.budgets.sprint),
        month: amount(settings.budgets.month),
        language: settings.language.clone(),
    }
}

/// A provider's address and a model; both may be left out, but only together.
pub fn provider(base: &str, model: &str) -> Result<(Option<BaseUrl>, String), Vec<String>> {
    let model = model_name(model);
    if base.trim().is_empty() {
        return match model {
            Ok(model) if model.is_empty() => Ok((None, model)),
            Ok(_) => Err(vec!["Type the provider’s address too, or leave the model out.".to_owned()]),
            Err(trouble) => Err(vec![trouble]),
        };
    }
    match (BaseUrl::parse(base), model) {
        (Ok(_), Ok(model)) if model.is_empty() => Err(vec!["Type which model answers.".to_owned()]),
        (Ok(base), Ok(model)) => Ok((Some(base), model)),
        (base, model) => Err(base.err().map(|error| error.to_string()).into_iter().chain(model.err()).collect()),
    }
}

/// The models of roles that have one of their own.
pub fn models(named: [(Role, String); 5]) -> Result<BTreeMap<Role, String>, Vec<String>> {
    let read = named.into_iter().map(|(role, name)| model_name(&name).map(|name| (role, name)));
    let (good, bad): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    if bad.is_empty() {
        Ok(good.into_iter().flatten().filter(|(_, name)| !name.is_empty()).collect())
    } else {
        Err(bad.into_iter().filter_map(Result::err).collect())
    }
}

/// Prices, one model a line: `name = input / output`, for a million tokens each.
pub fn prices(typed: &str) -> Result<BTreeMap<String, Price>, Vec<String>> {
    let lines: Vec<&str> = typed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() > MOST_PRICES {
        return Err(vec![format!("At most {MOST_PRICES} models can have a price.")]);
    }
    let read = |line: &str| {
        let (model, price) = line.rsplit_once('=')?;
        let (input, output) = price.split_once('/')?;
        let model = model_name(model).ok().filter(|model| !model.is_empty())?;
        Some((model, Price { input: Cost::parse(input)?, output: Cost::parse(output)? }))
    };
    let trouble = |line: &&&str| read(line).is_none();
    let troubles: Vec<String> = lines
        .iter()
        .filter(trouble)
        .map(|line| format!("“{}” is no price. Write it like: model-name = 1.25 / 10", short(line)))
        .collect();
    if troubles.is_empty() { Ok(lines.into_iter().filter_map(read).collect()) } else { Err(troubles) }
}

/// An amount of money, or none.
pub fn budget(span: &str, typed: &str) -> Result<Option<Cost>, String> {
    match typed.trim() {
        "" => Ok(None),
        typed => match Cost::parse(typed) {
            Some(cost) => Ok(Some(cost)),
            None => {
                Err(format!("The budget for a {span} is “{}”. Use a number such as 2.50, or nothing.", short(typed)))
            }
        },
    }
}

/// A currency.
pub fn currency(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    let fits = (1..=8).contains(&typed.chars().count()) && !typed.chars().any(|c| c.is_control() || c.is_numeric());
    if fits { Ok(typed.to_owned()) } else { Err("Use a currency such as USD or EUR.".to_owned()) }
}

/// A language.
pub fn language(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    let fits = (1..=40).contains(&typed.chars().count()) && !typed.chars().any(char::is_control);
    if fits { Ok(typed.to_owned()) } else { Err("Use the name of a language, such as English or Deutsch.".to_owned()) }
}

fn model_name(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    let fits = typed.chars().count() <= 120 && !typed.chars().any(|c| c.is_control() || c.is_whitespace());
    if fits { Ok(typed.to_owned()) } else { Err(format!("“{}” is not the name of a model.", short(typed))) }
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn prices_are_read_and_come_back_as_they_were_typed() {
        let typed = "gpt-x = 1.25 / 10.00\nlocal/llama:8b = 0.00 / 0.00\n";
        let settings = Settings { prices: prices(typed).unwrap(), ..Settings::default() };
        assert_eq!(held(&settings).prices, typed);
        for wrong in ["gpt-x", "gpt-x = 1", "= 1 / 2", "gpt-x = a / b", "two words = 1 / 2"] {
            assert!(prices(wrong).unwrap_err()[0].contains("is no price"), "{wrong}");
        }
    }

    #[test]
    fn a_provider_and_a_model_come_together() {
        assert_eq!(provider(" ", "").unwrap(), (None, String::new()));
        assert!(provider("https://a.example/v1", "m").unwrap().0.is_some());
        for (base, model) in
            [("", "m"), ("https://a.example", ""), ("nowhere", "m"), ("https://a.example", "two words")]
        {
            assert!(provider(base, model).is_err(), "{base} {model}");
        }
    }

    #[test]
    fn an_empty_budget_is_none_and_nonsense_is_refused() {
        assert_eq!(budget("day", " ").unwrap(), None);
        assert_eq!(budget("day", "0").unwrap(), Some(Cost::NOTHING));
        assert!(budget("day", "much").unwrap_err().contains("“much”"));
        assert!(currency("").is_err() && currency("EUR").is_ok() && language("\n").is_err());
    }
}
