use domain::RolloutId;
use fleet::{UnitState, Wave};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _};
use store::{Tx, millis, optional_from_millis};

use crate::rollouts::units::store::{state_and_number, unit_state};

/// What there is in each wave, and when the first of those opens that wait for their appointment. Looks at the ends of
/// indexes, so that it takes no longer where many wait or are done. (`+u.wave` can't be looked up in an index, so that the
/// one by closing times is taken.)
pub(super) async fn waves(tx: &mut Tx, id: RolloutId, now: Timestamp) -> Result<(Vec<Wave>, Option<Timestamp>), Error> {
    let rows = sqlx::query(
        "with recursive known (state) as (
             select 'waiting' union all select 'updating' union all select 'soaking' union all select 'updated'),
         found (state, wave) as (
             select k.state, (select min(u.wave) from rollout_units u where u.rollout_id = $1 and u.state = k.state)
             from known k
             union all
             select f.state, (select min(u.wave) from rollout_units u
                              where u.rollout_id = $1 and u.state = f.state and u.wave > f.wave)
             from found f where f.wave is not null)
         select f.state, f.wave,
             case when f.state = 'waiting' then
                 (select min(u.opens_at) from rollout_units u
                  where u.rollout_id = $1 and u.wave = f.wave and u.state = 'waiting' and u.opens_at > $2)
             end as opens_at,
             case when f.state = 'waiting' and (
                 exists (select 1 from rollout_units u
                         where u.rollout_id = $1 and u.wave = f.wave and u.state = 'waiting' and u.announced_at is null)
                 or exists (select 1 from rollout_units u
                            where u.rollout_id = $1 and +u.wave = f.wave and u.state = 'waiting' and u.closes_at <= $2))
                 then 1 else 0 end as is_held_up,
             case when f.state = 'waiting' and exists (
                 select 1 from rollout_units u
                 where u.rollout_id = $1 and u.wave = f.wave and u.state = 'waiting' and u.announced_at is not null
                     and (u.opens_at is null or u.opens_at <= $2) and (u.closes_at is null or u.closes_at > $2))
                 then 1 else 0 end as is_ready
         from found f where f.wave is not null order by f.wave",
    )
    .bind(id.to_string())
    .bind(millis(now))
    .fetch_all(&mut **tx)
    .await?;
    let (mut waves, mut next_opening): (Vec<Wave>, Option<Timestamp>) = (Vec::new(), None);
    for row in rows {
        let number = u32::try_from(row.try_get::<i64, _>("wave")?).unwrap_or(u32::MAX);
        if waves.last().is_none_or(|last| last.number != number) {
            waves.push(Wave { number, ..Wave::default() });
        }
        let opens_at = optional_from_millis(row.try_get("opens_at")?);
        let [is_held_up, is_ready] =
            [row.try_get::<i64, _>("is_held_up")? == 1, row.try_get::<i64, _>("is_ready")? == 1];
        if let Some(wave) = waves.last_mut() {
            match unit_state(&row)? {
                UnitState::Waiting => {
                    wave.is_ready = is_ready;
                    wave.has_later = is_held_up || opens_at.is_some();
                    next_opening = next_opening.into_iter().chain(opens_at).min();
                }
                UnitState::Updated => wave.has_updated = true,
                _ => wave.is_under_way = true,
            }
        }
    }
    Ok((waves, next_opening))
}

/// How many are in each of the states that a rollout counts: on their way there or back, or failed.
pub(super) async fn numbers(tx: &mut Tx, id: RolloutId) -> Result<Vec<(UnitState, u32)>, Error> {
    let rows = sqlx::query(
        "select state, count(*) as number from rollout_units
         where rollout_id = $1 and state in ('updating', 'going_back', 'rolled_back', 'stuck') group by state",
    )
    .bind(id.to_string())
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(state_and_number).collect()
}
