use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbox::Ending;

use crate::harness::{House, eventually, processes_with};

fn stubborn(mark: &str) -> String {
    format!("trap '' TERM; ( setsid sleep 3{mark} & ); touch ready; sleep 3{mark}; sleep 3{mark}")
}

#[test]
fn when_whoever_started_it_is_gone_everything_goes() {
    let house = House::new();
    let running = house.start(&house.wall(), &stubborn(&house.mark));
    eventually("it runs", || house.path("project/ready").exists());
    running.let_go().wait().unwrap();
    assert_eq!(processes_with(&format!("3{}", house.mark)), [] as [i32; 0]);
}

#[test]
fn a_stop_is_a_request_first() {
    let house = House::new();
    let wall = house.wall().seconds(None);
    let mut running = house.start(&wall, "trap 'echo goodbye; exit 3' TERM; touch ready; while :; do sleep 0.05; done");
    eventually("it runs", || house.path("project/ready").exists());
    running.ask_to_stop();
    let done = running.finish();
    assert_eq!((done.ending, done.out.as_str()), (Ending::Stopped, "goodbye\n"));
}

#[test]
fn what_does_not_heed_a_stop_is_killed_soon() {
    let house = House::new();
    let mut running = house.start(&house.wall().seconds(None), &stubborn(&house.mark));
    eventually("it runs", || house.path("project/ready").exists());
    running.ask_to_stop();
    assert_eq!(running.finish().ending, Ending::Stopped);
    assert_eq!(processes_with(&format!("3{}", house.mark)), [] as [i32; 0]);
}

#[test]
fn a_supervisor_that_is_killed_takes_the_command_with_it() {
    let house = House::new();
    let running = house.start(&house.wall(), &format!("touch ready; exec sleep 3{}", house.mark));
    eventually("it runs", || house.path("project/ready").exists());
    kill(Pid::from_raw(running.id().cast_signed()), Signal::SIGKILL).unwrap();
    running.let_go().wait().unwrap();
    eventually("it is gone", || processes_with(&format!("sleep\u{0}3{}", house.mark)).is_empty());
}
