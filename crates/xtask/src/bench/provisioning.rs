use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use super::table::{Measure, percentile};
use crate::product::Product;
use crate::temporary::TemporaryFolder;

const INSTANCES: usize = 100;

/// One customer after the other gets an instance, and gives it back.
pub fn measure(binary: &Path) -> Result<Vec<Measure>> {
    let data = TemporaryFolder::new("bench")?;
    let product = Product::start(binary, data.path())?;
    let (mut made, mut gone) = (Vec::new(), Vec::new());
    for number in 0..INSTANCES {
        let begin = Instant::now();
        let instance = product.provision(&format!("customer-{number}@example.com"), &format!("customer-{number}"))?;
        made.push(begin.elapsed().as_secs_f64() * 1e3);
        let begin = Instant::now();
        product.delete(&instance)?;
        gone.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    product.stop()?;
    Ok(vec![
        Measure::new(format!("request to healthy instance, p50 of {INSTANCES}"), percentile(&made, 0.5), "ms"),
        Measure::new(format!("request to healthy instance, p99 of {INSTANCES}"), percentile(&made, 0.99), "ms")
            .below(1e3),
        Measure::new(format!("deletion, p50 of {INSTANCES}"), percentile(&gone, 0.5), "ms"),
        Measure::new(format!("deletion, p99 of {INSTANCES}"), percentile(&gone, 0.99), "ms"),
    ])
}
