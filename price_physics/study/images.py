"""Section `images` of a study: what is drawn of the bars before an event."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from price_physics.study.base import Config


class ImagesConfig(Config):
    """Windows of closes and volumes, all ending at the event, stacked as channels of one image."""

    windows_bars: list[Annotated[int, Field(ge=8, le=4096)]] = Field([32, 64, 128], min_length=1)
    """Lengths of the windows in bars; every channel is drawn of every window."""
    size_pixels: int = Field(64, ge=8, le=512)
    """Width and height of an image in pixels."""
    channels: list[
        Literal[
            "gasf",
            "gadf",
            "mtf",
            "recurrence",
            "wavelet",
            "volume_gasf",
            "volume_gadf",
            "volume_mtf",
            "volume_recurrence",
            "volume_wavelet",
        ]
    ] = Field(["gasf", "gadf", "mtf"], min_length=1)
    """What is drawn of each window: of closes, or of volumes where the name says so."""
    sample_range: tuple[float, float] = (-1.0, 1.0)
    """Range to which a window is scaled before gasf and gadf: [-1, 1] or [0, 1]."""
    mtf_bins: int = Field(8, ge=2, le=64)
    """Number of quantile bins of the Markov transition field."""
    engine: Literal["torch", "pyts"] = "torch"
    """What draws: ours in torch, or pyts, the reference, which is far slower."""

    @model_validator(mode="after")
    def _sees_direction(self) -> Self:
        if len(set(self.windows_bars)) < len(self.windows_bars):
            raise ValueError(f"windows_bars {self.windows_bars} repeats a length")
        if len(set(self.channels)) < len(self.channels):
            raise ValueError(f"channels {self.channels} repeats a renderer")
        if self.sample_range not in ((-1.0, 1.0), (0.0, 1.0)):
            raise ValueError(f"sample_range {self.sample_range} must be [-1, 1] or [0, 1]")
        one_sided = self.sample_range == (0.0, 1.0)
        directed = {"gadf", "wavelet"} | ({"gasf"} if one_sided else set())
        if not directed & set(self.channels):  # volume has no direction of the price
            raise ValueError(
                f"channels {self.channels} with sample_range {list(self.sample_range)} cannot tell "
                "a rise from a fall; add gadf or wavelet, or give gasf a sample_range of [0, 1]"
            )
        return self

    @model_validator(mode="after")
    def _engine_draws_all(self) -> Self:
        drawn_by_pyts = {"gasf", "gadf", "mtf", "recurrence"}
        others = [c for c in self.channels if c not in drawn_by_pyts]
        if self.engine == "pyts" and others:
            raise ValueError(
                f"engine pyts draws {sorted(drawn_by_pyts)} of closes, not {others}; "
                "drop them, or use engine: torch"
            )
        return self
