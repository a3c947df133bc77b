//! A month as a grid: a line for each day, a mark for each hour.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use api::Usage;
use domain::UsageHour;

const CHARGED: char = '#';
const WAIVED: char = 'w';
const UNUSED: char = '.';

/// So many hours stand together.
const GROUP: usize = 6;

/// The grid, with what its marks mean below.
pub fn in_words(usage: &Usage) -> String {
    let charged: BTreeSet<UsageHour> = usage.hours.iter().map(|hour| UsageHour::of(hour.hour_start)).collect();
    let waived: BTreeSet<UsageHour> = usage.waived.iter().map(|start| UsageHour::of(*start)).collect();
    let mark = |hour: UsageHour| match hour {
        hour if waived.contains(&hour) => WAIVED,
        hour if charged.contains(&hour) => CHARGED,
        _ => UNUSED,
    };
    let mut grid = format!("{}  00     06     12     18     HOURS\n", usage.month);
    for day in days(usage) {
        let marks: Vec<char> = day.iter().map(|hour| mark(*hour)).collect();
        let groups: Vec<String> = marks.chunks(GROUP).map(|group| group.iter().collect()).collect();
        let used = marks.iter().filter(|mark| **mark != UNUSED).count();
        let name = day.first().map(|hour| hour.start().strftime("%d %a").to_string());
        let count = if used == 0 { String::new() } else { format!("  {used}") };
        let _ = writeln!(grid, "{}   {}{count}", name.unwrap_or_default(), groups.join(" "));
    }
    let (charged, waived) = (charged.len(), waived.len());
    format!("{grid}\nHours are UTC. {CHARGED} used: {charged}, {WAIVED} used and waived: {waived}\n")
}

fn days(usage: &Usage) -> Vec<Vec<UsageHour>> {
    let first = usage.month.first_hour().get();
    let hours = (0..i64::from(usage.month.hours())).filter_map(|number| UsageHour::from_number(first + number));
    hours.collect::<Vec<_>>().chunks(24).map(<[UsageHour]>::to_vec).collect()
}
