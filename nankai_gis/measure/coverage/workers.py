"""Running a function on every partition of a network, and what fails on Dask's workers."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import dask
import dask.dataframe
import dask_geopandas
import distributed
import pandas as pd
import pyarrow
import shapely
from dask.system import CPU_COUNT

from nankai_gis.errors import DataError, NankaiGISError, SchedulerError
from nankai_gis.measure.coverage.geoparquet import Parquet, damaged, look_into
from nankai_gis.measure.coverage.sums import Progress
from nankai_gis.words import tr

__all__ = ["look_into", "on_workers"]

_CONNECT_S = 10


@contextlib.contextmanager
def on_workers(
    network: Parquet, scheduler: str | None, progress: Progress | None
) -> Iterator[Runner]:
    """Give what runs functions on the partitions of a network."""
    with _plain_errors(network), contextlib.ExitStack() as stack:
        # A worker has a folder of its own.
        files = [str(file.resolve()) for file in network.files]
        frame = dask_geopandas.read_parquet(files, columns=network.columns, index=False)
        parts = frame.to_delayed()
        steps = len(parts) * (1 if network.id_column is None else 2)
        yield Runner(_client(stack, scheduler, len(parts)), parts, steps, progress)


def _client(stack: contextlib.ExitStack, scheduler: str | None, parts: int) -> distributed.Client:
    """A client of a running scheduler, or of processes of this machine that end with it."""
    # Nobody else is let in, and failures are reported by the error alone.
    options: dict[str, Any] = {
        "n_workers": min(CPU_COUNT, parts), "threads_per_worker": 1, "host": "127.0.0.1",
        "dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL,
    }  # fmt: skip
    try:
        if scheduler is not None:
            # A client with an address that makes no sense would never end.
            distributed.comm.resolve_address(scheduler)
            options = {"timeout": _CONNECT_S}
        client = stack.enter_context(distributed.Client(scheduler, set_as_default=False, **options))
        client.wait_for_workers(1, timeout=_CONNECT_S)
    except (OSError, ValueError) as error:
        raise SchedulerError(
            tr(
                "no Dask scheduler with workers answers at {address}: {error}; start them with "
                "`dask scheduler` and `dask worker {address}`, or leave the address out to work "
                "on this machine",
                address=repr(scheduler),
                error=error,
            )
        ) from error
    return client


class Runner:
    """Runs functions of a partition, its number and more on the workers."""

    def __init__(
        self, client: distributed.Client, parts: list[Any], steps: int, progress: Progress | None
    ) -> None:
        self._client, self._parts = client, parts
        self._done, self._steps, self._progress = 0, steps, progress
        #: So many partitions are enough for what all of them have in common.
        self.few = max(len(parts) // 8, 1)

    def map(self, function: Callable[..., Any], *given: Any) -> list[Any]:
        """Return the results in the order of the partitions."""
        sent = [self._client.scatter([thing], broadcast=True, hash=False)[0] for thing in given]
        futures = self._client.compute(self._jobs(function, sent))
        self._follow(futures)
        results: list[Any] = self._client.gather(futures)
        return results

    def table(self, function: Callable[..., Any], types: dict[str, str], *given: Any) -> Any:
        """Return the results as one Dask DataFrame with columns of some types."""
        meta = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})
        jobs = self._jobs(function, given)
        made = dask.dataframe.from_delayed(jobs, meta=meta, verify_meta=False)
        table = self._client.persist(made)
        self._follow(distributed.futures_of(table))
        return table

    def compute(self, collection: Any) -> Any:
        """Return a Dask collection as what it stands for."""
        return self._client.compute(collection).result()

    def _jobs(self, function: Callable[..., Any], given: Iterable[Any]) -> list[Any]:
        job = dask.delayed(function)
        return [job(part, number, *given) for number, part in enumerate(self._parts)]

    def _follow(self, futures: Any) -> None:
        """Report the partitions as they are done; stop at the first that fails."""
        for future in distributed.as_completed(futures, loop=self._client.loop):
            if future.status != "finished":
                future.result()
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._steps)


@contextlib.contextmanager
def _plain_errors(network: Parquet) -> Iterator[None]:
    """Say in one message what fails on workers."""
    try:
        yield
    except NankaiGISError:
        raise
    except distributed.KilledWorker as error:
        message = tr(
            "{folder}: workers died over a partition, most likely for want of memory; write the "
            "network in smaller files, or with smaller row groups",
            folder=network.folder,
        )
        raise DataError(message) from error
    except (distributed.client.FutureCancelledError, distributed.comm.CommClosedError) as error:
        message = tr("the Dask scheduler was lost on the way: {error}", error=error)
        raise SchedulerError(message) from error
    except (RuntimeError, ImportError) as error:
        message = tr(
            "the Dask workers can't run this: {error}; install nankai-gis[dask] and the same "
            "versions of its packages for them",
            error=_first_line(error),
        )
        raise SchedulerError(message) from error
    except (OSError, pyarrow.ArrowException, shapely.errors.ShapelyError) as error:
        message = tr(
            "{file}: the workers can't read it: {error}; write it anew, or see whether they have "
            "it under this path",
            file=damaged(network.files) or network.folder,
            error=_first_line(error),
        )
        raise DataError(message) from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
