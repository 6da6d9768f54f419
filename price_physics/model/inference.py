"""Ask networks about samples: the one path of early stopping, out-of-fold tests, serving, motifs.

On the CPU it runs on all idle cores, one torch thread each. The bytes of a logit depend neither on
their number nor on how many samples follow: a processor's kernels, and with them the last bits of a
result, depend on the batch size, so every batch that a network sees has the same one, the last
filled up with copies of a sample.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from price_physics.images.threads import one_cpu_thread
from price_physics.model.dataset import NetworkInputs
from price_physics.model.device import exact_float32, halved
from price_physics.model.networks import Network
from price_physics.model.side_by_side import Check, idle_cores, side_by_side

_DRAWN_AT_ONCE = 256
"""Images a job draws, at least. Drawing has many short operations: of 64 it takes half as long
again each. The network wants fewer: 64 stay in a core's cache."""


@one_cpu_thread()
@exact_float32()
def infer(
    networks: Sequence[Network],
    inputs: NetworkInputs,
    index: npt.NDArray[np.int64],
    on_step: Callable[[], None] = lambda: None,
    n_threads: int | None = None,
) -> Tensor:
    """Return the mean logits of an ensemble on samples, without the offset, in true float32.

    Parameters
    ----------
    networks : sequence of Network
        On the device of `inputs`; left in evaluation mode.
    inputs : NetworkInputs
        Its `at_once` is halved for good where the device's memory does not suffice.
    index : int64 array of shape (n,)
    on_step : callable
        Called now and then, also from other threads; an exception from it ends the inference.
    n_threads : int, optional
        Of the CPU; None is one for every core that no job of `side_by_side` holds. On another
        device there is one.

    Returns
    -------
    float64 tensor of shape (n, n_classes)
        On the CPU.
    """
    for network in networks:
        network.eval()
    samples = torch.as_tensor(index, device=inputs.device)
    on_cpu = inputs.device.type == "cpu"
    n_threads = (n_threads or idle_cores()) if on_cpu else 1
    while True:
        try:
            parts = samples.split(max(inputs.at_once, _DRAWN_AT_ONCE)) if len(samples) else ()
            jobs = [partial(_logits, networks, inputs, part, on_step) for part in parts]
            found = side_by_side(jobs, min(n_threads, len(jobs)))
            return torch.cat([torch.empty(0, networks[0].config.n_classes).double(), *found])
        except torch.OutOfMemoryError:
            at_once = halved(inputs.at_once, "evaluation")
        inputs.at_once = at_once  # outside the handler nothing holds the failed batch's tensors


@torch.no_grad()
def _logits(
    networks: Sequence[Network],
    inputs: NetworkInputs,
    samples: Tensor,
    on_step: Callable[[], None],
    check: Check,
) -> Tensor:
    n, at_once = len(samples), inputs.at_once
    check()
    filled = torch.cat([samples, samples[:1].expand(-n % at_once)])
    images, features = inputs.images(filled), inputs.features[filled]
    batches = list(zip(images.split(at_once), features.split(at_once), strict=True))
    members = [torch.cat([network(*batch) for batch in batches])[:n] for network in networks]
    on_step()
    return torch.stack(members).double().mean(0).cpu()
