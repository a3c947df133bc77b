//! Whether somebody uses the app, as the kernel's table of connections tells. A guard that only looks
//! whether the app is there connects and leaves at once, and is not seen.

use std::fs;

/// The kernel's word for a connection that both sides hold.
const ESTABLISHED: &str = "01";

/// Whether a connection to this port is held now.
pub(super) fn is_used(port: u16) -> bool {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    tables.iter().any(|table| fs::read_to_string(table).is_ok_and(|table| has_visitor(&table, port)))
}

/// Lines look like `0: 0100007F:0BB8 0100007F:D1A2 01 …`: here, there, state.
fn has_visitor(table: &str, port: u16) -> bool {
    let ending = format!(":{port:04X}");
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().take(4).collect();
        matches!(fields[..], [_, here, _, ESTABLISHED] if here.ends_with(&ending))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_held_connection_to_the_port_is_use() {
        let line = |here: &str, there: &str, state: &str| {
            format!(
                "  sl  local_address rem_address   st\n   0: 0100007F:{here} 0100007F:{there} {state} 00000000:00000000\n"
            )
        };
        assert!(has_visitor(&line("0BB8", "D1A2", "01"), 3000));
        assert!(!has_visitor(&line("0BB8", "0000", "0A"), 3000), "it listens");
        assert!(!has_visitor(&line("0BB8", "D1A2", "06"), 3000), "it is over");
        assert!(!has_visitor(&line("D1A2", "0BB8", "01"), 3000), "the other side");
        assert!(!has_visitor(&line("1F40", "D1A2", "01"), 3000), "another port");
    }
}
