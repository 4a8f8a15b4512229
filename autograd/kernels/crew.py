"""The threads beside the caller's: Python's parts reach them by a queue, compiled ones by a board.

After a part, a thread looks at the board for `LOOKS` times, some two milliseconds, before it
sleeps, so that the next part of the same step reaches it within a microsecond.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from autograd.kernels.placement import Placement

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Crew", "Job"]

LOOKS = 1 << 16

TIMES = 1 << 4
"""The board is asked for so often before it is seen to that the caller has a processor alone."""

Job = tuple[Callable[[int], None], int, "SimpleQueue[BaseException | None]"]
"""What to call, with which number, and where to put None or what it raised."""

_NOTHING: Job = (lambda _: None, 0, SimpleQueue())


class Crew:
    """`count` threads of this process, each with a queue of its own, which also wakes it."""

    def __init__(self, count: int) -> None:
        self.process = os.getpid()
        self.placement = Placement()
        self._queues: list[SimpleQueue[Job | None]] = [SimpleQueue() for _ in range(count)]
        self._asleep: set[int] = set()
        self._board: np.ndarray[Any, Any] | None = None
        self._lock = threading.Lock()
        self._dismissed = False
        self._times = -1
        self.threads = [
            threading.Thread(target=self._work, args=(k,), name=f"autograd-{k}", daemon=True)
            for k in range(count)
        ]
        try:
            for thread in self.threads:
                thread.start()
        except RuntimeError as error:
            self.dismiss()
            raise RuntimeError(
                f"the system did not start {count} more threads ({error}); give fewer by "
                "ag.set_num_threads or DAGRAD_NUM_THREADS"
            ) from error

    def board(self) -> np.ndarray[Any, Any]:
        """Where compiled parts are published for `serve`; those who sleep are woken to look."""
        if self._board is None:
            from autograd.kernels.compiled_sharing import new_board, serve

            board = new_board()
            serve(board, 0, 0)  # compiled here, rather than by all threads at once
            self._board = board
            self._asleep.update(range(len(self.threads)))
        while self._asleep:
            try:
                number = self._asleep.pop()
            except KeyError:  # it woke up by itself
                break
            self._queues[number].put(_NOTHING)
        self._times += 1
        if self._times % TIMES == 0:
            self._keep_away()
        return self._board

    def hand_over(self, number: int, job: Job) -> bool:
        """A job for thread `number`; False if it is no longer there to take it."""
        with self._lock:
            if self._dismissed or number >= len(self._queues):
                return False
            self._queues[number].put(job)
        self._nudge()
        self._keep_away()
        return True

    def dismiss(self) -> None:
        """Let the threads end when they have done what is in their queues."""
        with self._lock:
            self._dismissed = True
            for queue in self._queues:
                queue.put(None)
        self._nudge()

    def _nudge(self) -> None:
        """Make those who serve look into their queues."""
        if self._board is not None:
            from autograd.kernels.compiled_sharing import NUDGES

            self._board[NUDGES, 0] += 1

    def _keep_away(self) -> None:
        self.placement.avoid_caller(thread.native_id or 0 for thread in self.threads)

    def _work(self, number: int) -> None:
        while (job := self._next_job(number)) is not None:
            task, worker, ended = job
            if job is not _NOTHING:
                try:
                    task(worker)
                    ended.put(None)
                except BaseException as error:
                    ended.put(error)
            # what a waiting thread holds would live on
            del job, task, ended

    def _next_job(self, number: int) -> Job | None:
        """The next in the thread's queue; compiled parts are done meanwhile."""
        queue, board = self._queues[number], self._board
        if board is not None:
            from autograd.kernels.compiled_sharing import NUDGES, serve

            nudged = True
            while nudged:
                nudges = int(board[NUDGES, 0])
                try:
                    return queue.get_nowait()
                except Empty:
                    nudged = serve(board, LOOKS, nudges)
            self._asleep.add(number)
        job = queue.get()
        self._asleep.discard(number)
        return job
