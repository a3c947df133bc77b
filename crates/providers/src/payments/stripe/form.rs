//! Nested values as Stripe's forms have them: `line_items[0][price]=price_1`.

use serde_json::Value;

/// The pairs of an object, in its order. What is null is left out; an empty text is sent, and means
/// "take it away" to Stripe.
pub(super) fn encode(value: &Value) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, inner) in value.as_object().into_iter().flatten() {
        put(&mut pairs, name.clone(), inner);
    }
    pairs
}

fn put(pairs: &mut Vec<(String, String)>, name: String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => pairs.push((name, flag.to_string())),
        Value::Number(number) => pairs.push((name, number.to_string())),
        Value::String(text) => pairs.push((name, text.clone())),
        Value::Array(list) => {
            for (place, inner) in list.iter().enumerate() {
                put(pairs, format!("{name}[{place}]"), inner);
            }
        }
        Value::Object(fields) => {
            for (field, inner) in fields {
                put(pairs, format!("{name}[{field}]"), inner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn encoded(value: &Value) -> Vec<String> {
        let mut pairs: Vec<_> = encode(value).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.sort();
        pairs
    }

    #[test]
    fn lists_and_objects_get_brackets_at_any_depth() {
        let value = json!({
            "mode": "subscription",
            "line_items": [{ "price": "price_a", "quantity": 1 }, { "price": "price_b" }],
            "subscription_data": { "trial_settings": { "end_behavior": { "missing_payment_method": "cancel" } } },
            "expand": ["subscription.default_payment_method"],
        });
        let wanted = [
            "expand[0]=subscription.default_payment_method",
            "line_items[0][price]=price_a",
            "line_items[0][quantity]=1",
            "line_items[1][price]=price_b",
            "mode=subscription",
            "subscription_data[trial_settings][end_behavior][missing_payment_method]=cancel",
        ];
        assert_eq!(encoded(&value), wanted);
    }

    #[test]
    fn nothing_is_left_out_and_an_empty_text_is_sent() {
        let value = json!({ "a": null, "b": "", "c": { "d": null }, "e": [], "f": false, "g": -3 });
        assert_eq!(encoded(&value), ["b=", "f=false", "g=-3"]);
    }
}
