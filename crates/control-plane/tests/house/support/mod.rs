mod app;
mod billing;
mod door;
mod doorman;
mod host;
mod post;
mod time;
mod vault;

pub use app::{Page as TestPage, TestApp};
pub use doorman::Manners;
pub use host::{Flaw, Host};
pub use post::Refusal;
pub use vault::Vault;

use workflow::{Fault, Faults, Moment, Point};

/// A fault that happens once, at one point.
pub fn once(point: Point, fault: Fault) -> Faults {
    let left = std::sync::Mutex::new(Some(fault));
    Faults::by(move |here| if *here == point { left.lock().unwrap().take() } else { None })
}

/// A fault that happens whenever the point is reached.
pub fn always(point: Point, fault: Fault) -> Faults {
    Faults::by(move |here| (*here == point).then_some(fault))
}

/// Before and after each of these steps.
pub fn points(kind: &str, steps: &[&str]) -> Vec<Point> {
    let point = |step: &&str, moment| Point { kind: kind.to_owned(), step: (*step).to_owned(), moment };
    steps.iter().flat_map(|step| [Moment::Before, Moment::After].map(|moment| point(step, moment))).collect()
}
