"""Every error this project raises on purpose.

    PricePhysicsError
    ├── ConfigError            a YAML file asks for something impossible
    ├── TickDataError          a vendor file cannot be trusted, or is not there
    ├── MachineError           a full disk, a read-only place, no memory
    ├── TrackingError          MLflow's database cannot be used; nothing else needs it
    └── StoreError
        ├── PartitionMissing   an earlier month was never materialised
        ├── PartitionCorrupt   the bytes on disk are not the bytes that were written
        ├── PartitionLocked    another process is writing this partition
        └── StaleInputs        months that a stage reads do not fit each other, or this code

A message names the file, the row or key, and the value, and says what to do about it.
"""


class PricePhysicsError(Exception):
    """Base of every error raised on purpose; anything else is a bug."""


class ConfigError(PricePhysicsError):
    """A market or study file asks for something impossible."""


class TickDataError(PricePhysicsError):
    """A vendor file cannot be trusted, or is not there."""


class MachineError(PricePhysicsError):
    """The machine lacks something: space, a right, memory, a database that nobody holds."""


class TrackingError(PricePhysicsError):
    """MLflow's database cannot be used; the pipeline runs on without it."""


class StoreError(PricePhysicsError):
    """A partition of the store cannot be read or written."""


class PartitionMissing(StoreError):
    """An earlier month was never materialised."""


class PartitionCorrupt(StoreError):
    """The bytes on disk are not the bytes that were written."""


class PartitionLocked(StoreError):
    """Another process is writing this partition."""


class StaleInputs(StoreError):
    """Months that a stage reads do not fit each other, or this code: some are stale.

    A stage does not say what to run: whoever knows the study does, by `rebuilt_by`.
    """

    def rebuilt_by(self, study: str, month: object) -> "StaleInputs":
        """Return the same with the command that rebuilds what is stale up to a month."""
        command = f"make backfill STUDY={study} TO={month}"
        return StaleInputs(f"{self}; run  {command}  to rebuild what is stale, and nothing else")
