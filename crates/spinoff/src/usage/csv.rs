//! The hours of a month for a spreadsheet, as RFC 4180 has it.

use std::fmt::Write as _;

use api::Usage;

/// A row for each hour and signal. Amounts are no part of it: discounts and taxes belong to invoices.
pub fn rows(usage: &Usage) -> String {
    let mut text = String::from("hour,state,signal,first,last,count\r\n");
    for hour in &usage.hours {
        for seen in &hour.evidence {
            let (signal, first, last) = (seen.signal.as_str(), seen.first, seen.last);
            let _ = write!(text, "{},used,{signal},{first},{last},{}\r\n", hour.hour_start, seen.count);
        }
        if hour.evidence.is_empty() {
            let _ = write!(text, "{},used,,,,\r\n", hour.hour_start);
        }
    }
    for start in &usage.waived {
        let _ = write!(text, "{start},waived,,,,\r\n");
    }
    text
}
