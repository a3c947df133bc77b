//! A main instance whose customers live at three simulated companies, on a clock that is moved from one
//! due date to the next: nothing waits, and nothing runs but what the clock makes due.

mod books;
mod chance;
mod companies;
mod containers;
mod crowd;
mod customers;
mod front;
mod rollouts;
mod times;
mod town;

pub use chance::by_chance;
pub use containers::{Containers, OLD_GUARD};
pub use crowd::Crowd;
pub use customers::{Habit, Ordered};
pub use rollouts::RolloutTime;
pub use times::Times;
pub use town::{Town, Wishes};
