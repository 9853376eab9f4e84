//! How busy the machine is.

use super::plan::MachineLoad;
use sysinfo::System;

/// Returns the load average of the last minute per core, beside its limit.
pub(super) fn machine_load(limit: f64) -> MachineLoad {
    let n_cores = std::thread::available_parallelism().map_or(1, |n_cores| n_cores.get());
    MachineLoad { per_core: System::load_average().one / n_cores as f64, limit }
}
