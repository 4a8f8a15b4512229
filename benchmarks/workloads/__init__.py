"""What is measured, by name."""

from benchmarks.workloads.higher_order import HIGHER_ORDER
from benchmarks.workloads.images import IMAGES
from benchmarks.workloads.importing import IMPORTING
from benchmarks.workloads.layers import LAYERS
from benchmarks.workloads.networks import NETWORKS, Network
from benchmarks.workloads.optimizers import OPTIMIZERS
from benchmarks.workloads.rows import ROWS
from benchmarks.workloads.scalars import SCALARS
from benchmarks.workloads.small_arrays import SMALL_ARRAYS
from benchmarks.workloads.training import TRAINING
from benchmarks.workloads.workload import Build, Sampler, Step, Workload, catalogue, sampler_of

__all__ = ["NETWORKS", "WORKLOADS", "Build", "Network", "Sampler", "Step", "Workload", "sampler_of"]

WORKLOADS = catalogue(
    workload
    for group in (
        SCALARS,
        SMALL_ARRAYS,
        TRAINING,
        LAYERS,
        ROWS,
        HIGHER_ORDER,
        OPTIMIZERS,
        IMAGES,
        IMPORTING,
    )
    for workload in group.values()
)
