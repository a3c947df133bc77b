use super::Complaint;
use super::tree::{File, Tree};

/// Crates whose business is the store itself.
const STORE_KEEPERS: [&str; 2] = ["store", "workflow"];

const QUERIES: [&str; 4] = ["sqlx::query", "sqlx::raw_sql", "sqlx::QueryBuilder", "QueryBuilder::new"];

/// SQL stands in files named `store.rs`, or in their tests, so that whoever changes a table finds everything that reads it.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    tree.files.iter().filter(|file| file.is_rust() && file.is_source() && !may_query(file)).flat_map(queries).collect()
}

fn may_query(file: &File) -> bool {
    STORE_KEEPERS.contains(&file.crate_name()) || file.stem() == "store" || file.path.ends_with("store/tests.rs")
}

fn queries(file: &File) -> impl Iterator<Item = Complaint> {
    let lines = file.bare.lines().enumerate();
    lines
        .filter(|(_, line)| QUERIES.iter().any(|query| line.contains(query)))
        .map(|(index, _)| Complaint::new(&file.path, index + 1, "SQL belongs in a file named store.rs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "\nlet row = sqlx::query_scalar(\"select 1\");";

    #[test]
    fn sql_stands_in_stores_only() {
        let found = check(&Tree::of(&[
            ("crates/edge/src/store.rs", QUERY),
            ("crates/edge/src/store/tests.rs", QUERY),
            ("crates/edge/src/codes.rs", QUERY),
            ("crates/edge/tests/codes.rs", QUERY),
            ("crates/workflow/src/engine.rs", QUERY),
            ("crates/guard/src/lib.rs", "// unlike sqlx::query"),
        ]));
        assert_eq!(found, [Complaint::new("crates/edge/src/codes.rs", 2, "SQL belongs in a file named store.rs")]);
    }
}
