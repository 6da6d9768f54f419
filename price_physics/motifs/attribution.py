"""Grad-CAM: which parts of an image move a class's logit, folded onto the window's time axis.

It describes the network and is no evidence about markets: on planted patterns it puts 28 to
41 % of its mass on the bars that carry the pattern, where an even spread would put 28 %.
"""

from typing import Any

import numpy as np
import torch

from price_physics.images.golden import render_array
from price_physics.images.render import Renderer
from price_physics.model.device import exact_float32
from price_physics.model.predict import TrainedModel


def grad_cam(
    network: Any, images: torch.Tensor, features: torch.Tensor, class_index: int, size: int
) -> torch.Tensor:
    """Attribute one class's logit, less the mean of the others, to the pixels.

    Parameters
    ----------
    network : torch.nn.Module
        With ``features(images)`` and ``classify(feature_map, features)``.
    images : float32 tensor of shape (B, C, s, s)
        Normalised images, pooled where the network asks for that.
    features : float32 tensor of shape (B, F)
        Scaled features of the head.
    class_index : int
        Column of the logits.
    size : int
        S, the side of the whole images.

    Returns
    -------
    float32 tensor of shape (B, S, S)
        Non-negative, each map sums to 1. A map with nothing for the class is even.

    References
    ----------
    Selvaraju et al. (2017), Grad-CAM: Visual explanations from deep networks via gradient-based
    localization, equations 1 and 2.
    """
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            feature_map = network.features(images)
        feature_map = feature_map.detach().requires_grad_(True)
        with torch.enable_grad():
            logits = network.classify(feature_map, features)
            own = logits[:, class_index]
            score = own - (logits.sum(1) - own) / (logits.shape[1] - 1)
            (gradient,) = torch.autograd.grad(score.sum(), feature_map)
    finally:
        network.train(was_training)
    weights = gradient.mean((2, 3), keepdim=True)
    maps = torch.relu((weights * feature_map.detach()).sum(1, keepdim=True))
    maps = torch.nn.functional.interpolate(
        maps, size=(size, size), mode="bilinear", align_corners=False
    )[:, 0]
    mass = maps.sum((1, 2), keepdim=True)
    even = torch.full_like(maps, 1.0 / (maps.shape[1] * maps.shape[2]))
    return torch.where(mass > 0, maps / torch.where(mass > 0, mass, 1.0), even)


def time_profile(maps: np.ndarray) -> np.ndarray:
    """Fold maps onto time: a pixel (i, j) speaks half for time i and half for time j.

    Parameters
    ----------
    maps : float array of shape (B, S, S)
        Each map sums to 1.

    Returns
    -------
    float64 array of shape (B, S)
        Share of the mass at each fraction of the window; rows sum to 1.

    Examples
    --------
    >>> time_profile(np.array([[[0.0, 1.0], [0.0, 0.0]]]))
    array([[0.5, 0.5]])
    """
    maps = np.asarray(maps, dtype=np.float64)
    return (maps.sum(axis=1) + maps.sum(axis=2)) / 2


@exact_float32()
def explain(
    model: TrainedModel,
    series: np.ndarray,
    ends: np.ndarray,
    features: np.ndarray,
    *,
    class_index: int,
    channel: int,
    batch_size: int = 64,
) -> tuple[np.ndarray, np.ndarray]:
    """Render events as the model sees them and attribute the class to their pixels.

    Parameters
    ----------
    series : float64 array of shape (2, n_bars)
        Closes and volumes of all bars.
    ends : int64 array of shape (n_events,)
        Bar positions of the events, at least one.
    features : float64 array of shape (n_events, n_features)
        Unscaled features of the head.
    class_index, channel : int
        The class to explain; the rendered channel to return.

    Returns
    -------
    maps, rendered : float64 arrays of shape (n_events, S, S)
        Grad-CAM, each summing to 1; the channel before normalisation, drawn whole.
    """
    seen, config = model.inputs(series, ends, features), model.renderer.config
    maps, rendered = [], []
    for part in torch.arange(len(ends), device=seen.device).split(batch_size):
        maps.append(
            grad_cam(
                model.network,
                seen.images(part),
                seen.features[part],
                class_index,
                config.size_pixels,
            )
            .cpu()
            .double()
            .numpy()
        )
        drawn = render_array(Renderer(config), series, ends[part.cpu().numpy()])
        rendered.append(drawn[:, channel].astype(np.float64))
    return np.concatenate(maps), np.concatenate(rendered)
