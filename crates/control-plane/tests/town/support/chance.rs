use jiff::SignedDuration;
use simulators::railway::{Behaviour, Settings};
use workflow::{Fault, Faults};
use world::Entropy;

use super::books::Books;
use super::{Habit, Ordered, Town, Wishes};

/// How many customers there are.
const CUSTOMERS: u64 = 3;
/// How much happens.
const EVENTS: u64 = 9;

/// Draws from a seeded stream.
#[derive(Clone)]
struct Chance(Entropy);

impl Chance {
    /// A number below this one.
    fn below(&self, bound: u64) -> u64 {
        u64::from_be_bytes(self.0.bytes()) % bound
    }

    /// True so many times in a thousand.
    fn thousandths(&self, number: u64) -> bool {
        self.below(1000) < number
    }

    fn seconds(&self, bound: u64) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.below(bound)).unwrap())
    }
}

/// One customer's way through it all.
struct Customer {
    subdomain: String,
    names: u64,
    ordered: Option<Ordered>,
    last: Option<String>,
}

/// Lets customers and operator do what a seed decides, while providers and process fail as it decides, until
/// nothing is left to do.
pub async fn by_chance(seed: u64) -> Books {
    let chance = Chance(Entropy::seeded(seed));
    let town = Town::open(wishes(seed, &chance)).await;
    town.companies.fail_by_chance([0, 10, 50, 100, 200][usize::try_from(chance.below(5)).unwrap()], seed);
    let customer = |number| Customer { subdomain: format!("shop{number}"), names: 0, ordered: None, last: None };
    let mut customers: Vec<Customer> = (0..CUSTOMERS).map(customer).collect();
    for customer in &customers {
        if let Some(behaviour) = behaviour(&chance) {
            town.companies.railway.behave(&format!("ai-diy-{}", customer.subdomain), behaviour);
        }
    }
    for _ in 0..EVENTS {
        let chosen = usize::try_from(chance.below(CUSTOMERS)).unwrap();
        event(&town, &mut customers[chosen], &chance).await;
        control_plane::keep_pool(&town.app.core()).await.unwrap();
        town.live_until(town.clock.now() + chance.seconds(600)).await;
    }
    town.settle().await;
    town.books().await
}

fn wishes(seed: u64, chance: &Chance) -> Wishes {
    let habit = match chance.below(20) {
        0 => Habit::IsDeclined,
        1 => Habit::StaysAway,
        _ => Habit::Pays,
    };
    let dying = Chance(Entropy::seeded(seed + 1_000_000));
    let often = [0, 0, 20, 60][usize::try_from(chance.below(4)).unwrap()];
    let steps = Faults::by(move |_| dying.thousandths(often).then_some(Fault::Death));
    let pool = [0, 0, 2][usize::try_from(chance.below(3)).unwrap()];
    Wishes { seed, railway: Settings::default(), steps, habit, pool, ..Wishes::default() }
}

/// What its deployments do, where that is not what they should. All of it shows before an address can be
/// verified, so that the instance never works.
fn behaviour(chance: &Chance) -> Option<Behaviour> {
    match chance.below(12) {
        0 => Some(Behaviour::Fails),
        1 => Some(Behaviour::NeverSettles),
        2 => Some(Behaviour::CrashesAfter(chance.seconds(120))),
        3 => Some(Behaviour::Sleeps),
        _ => None,
    }
}

async fn event(town: &Town, customer: &mut Customer, chance: &Chance) {
    let Some(ordered) = &customer.ordered else {
        // Only who orders for themselves gets what was made ahead.
        let is_own = chance.thousandths(500);
        let name = &customer.subdomain;
        customer.ordered = Some(if is_own { town.sign_up(name).await } else { town.order(name).await });
        return;
    };
    let name = &customer.subdomain;
    match chance.below(10) {
        0 => customer.last = town.try_delete(name).await.or(customer.last.take()),
        1 | 2 => customer.last = town.try_suspend(name).await.or(customer.last.take()),
        3 | 4 => customer.last = town.try_resume(name).await.or(customer.last.take()),
        5 | 6 => {
            let other = format!("{}x{}", name.split('x').next().unwrap(), customer.names);
            customer.names += 1;
            customer.last = town.try_rename(name, &other).await.or(customer.last.take());
        }
        7 => town.abandon(customer.last.as_ref().unwrap_or(&ordered.workflow)).await,
        8 => {
            let making = town.provisioning(ordered.instance).await;
            if let Some(making) = making {
                town.abandon(&making.id).await;
            }
        }
        _ => {}
    }
    // Under which name it is known now.
    if let Some(now) = town.subdomain(ordered.instance).await {
        customer.subdomain = now;
    }
}
