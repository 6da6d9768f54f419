"""Silences of a venue that are known beforehand."""

from datetime import UTC, datetime
from typing import Self

from pydantic import field_validator, model_validator

from price_physics.study.base import Config


class Outage(Config):
    """A silence of the venue that is known beforehand."""

    start: str
    """First moment of the silence, ISO 8601, UTC."""
    end: str
    """Last moment of the silence, ISO 8601, UTC; a date alone includes that day."""
    reason: str
    """Why the venue was silent, for people."""

    @field_validator("start", "end")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        _iso_ns(text)
        return text

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.start_ns > self.end_ns:
            raise ValueError(f"outage starts at {self.start}, after its end {self.end}")
        return self

    @property
    def start_ns(self) -> int:
        return _iso_ns(self.start)

    @property
    def end_ns(self) -> int:
        whole_day = len(self.end) == len("2012-01-01")
        return _iso_ns(self.end) + (86_400_000_000_000 - 1 if whole_day else 0)


def _iso_ns(text: str) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000
