"""What runs inside a contender's process: take requests, time them, answer.

Standard library only, for it runs in every peer's environment. A request is a line of JSON on
standard input, an answer a line of JSON on standard output; whatever else a package prints goes
to standard error.
"""

import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

Job = Callable[[], Any]

LONG_ENOUGH_S = 0.5
MOST_REPEATS = 20


def serve(tasks: dict[str, Callable[..., Job]], packages: list[str]) -> None:
    """Answer requests until standard input ends.

    Parameters
    ----------
    tasks : mapping of name to function
        Loads what the task needs and returns the job to be timed.
    packages : list of str
        Distributions whose versions are reported.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    versions = {name: importlib.metadata.version(name) for name in packages}
    print(json.dumps({"python": platform.python_version(), **versions}), file=answers, flush=True)
    ready: dict[str, Job] = {}
    for line in sys.stdin:
        request = json.loads(line)
        key = json.dumps([request["task"], request["args"]])
        if key not in ready:
            ready[key] = tasks[request["task"]](**request["args"])
            if request["timed"]:
                ready[key]()  # compiles, and warms the page cache
        result, seconds = run(ready[key], once=not request["timed"])
        answer = {"result": result, "seconds": seconds, "peak_gb": peak_gb()}
        print(json.dumps(answer), file=answers, flush=True)


def run(job: Job, once: bool = False) -> tuple[Any, float]:
    """Run a job until half a second has passed; its result and its median time.

    A job may return a function, which works the result out once the clock stands still.
    """
    times: list[float] = []
    while not times or not (once or sum(times) > LONG_ENOUGH_S or len(times) == MOST_REPEATS):
        start = time.perf_counter()
        result = job()
        times.append(time.perf_counter() - start)
    return (result() if callable(result) else result), median(times)


def peak_gb() -> float:
    """Return the largest resident size of this process so far, in 1e9 bytes.

    A child starts with its parent's peak, so the parent must be a small process.
    """
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e9
