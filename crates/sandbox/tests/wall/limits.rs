use sandbox::{Ending, Limits};

use crate::harness::{House, processes_with};

fn few_processes() -> Limits {
    Limits { processes: 40, file_bytes: 1 << 20, open_files: 64, memory_bytes: Some(256 << 20) }
}

#[test]
fn a_fork_bomb_is_stopped_and_nothing_of_it_is_left() {
    let house = House::new();
    let wall = house.wall().limits(few_processes());
    let script = format!("bomb() {{ sleep 5{0} & bomb | bomb & }}; bomb; sleep 5{0}; wait", house.mark);
    let done = house.start(&wall, &script).finish();
    assert!(
        matches!(done.ending, Ending::TooManyProcesses(40)) || done.err.contains("fork"),
        "{:?} {}",
        done.ending,
        done.err
    );
    assert_eq!(processes_with(&format!("5{}", house.mark)), [] as [i32; 0]);
}

#[test]
fn what_hangs_is_stopped_in_time_with_all_that_came_from_it() {
    let house = House::new();
    let script = format!("trap '' TERM; ( setsid sleep 4{0} & ); sleep 4{0}; sleep 4{0}", house.mark);
    let done = house.start(&house.wall().seconds(Some(1)), &script).finish();
    assert_eq!(done.ending, Ending::TookTooLong(1));
    assert_eq!(processes_with(&format!("4{}", house.mark)), [] as [i32; 0]);
}

#[test]
fn a_file_grows_to_its_limit_and_no_further() {
    let house = House::new();
    let wall = house.wall().limits(few_processes());
    house.start(&wall, "head -c 3000000 /dev/zero > big").finish();
    assert_eq!(std::fs::metadata(house.path("project/big")).unwrap().len(), 1 << 20);
}

#[test]
fn one_process_gets_no_more_memory_than_its_limit() {
    let house = House::new();
    let wall = house.wall().limits(few_processes());
    let done = house.start(&wall, "perl -e '$x = q(x) x 900_000_000; print q(unlimited)'").finish();
    assert!(!done.out.contains("unlimited"));
    assert!(!done.ending.is_success());
}

#[test]
fn many_processes_get_no_more_memory_together() {
    let house = House::new();
    let wall = house.wall().memory_in_all(Some(64 << 20));
    let script = "for i in 1 2 3 4; do perl -e '$x = q(x) x 40_000_000; sleep 60' & done; wait";
    let done = house.start(&wall, script).finish();
    assert_eq!(done.ending, Ending::TooMuchMemory(64 << 20));
}
