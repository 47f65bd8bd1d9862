"""Batches to a GPU and results back without waiting: page-locked slots that are used again, one stream up and one down.

In: a Batch and what computes it on the device. Out: what waits for the pooled rows, float32 [rows, dims].
On the CPU the same slots work without page-locking and without streams, so that tests run this code anywhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forge_resources.embedder.pieces import Batch

if TYPE_CHECKING:
    import torch

Pooled = NDArray[np.float32]


class Slot:
    """Host memory for one batch under way; grows with the largest batch it has carried. `pinned` memory is read by the GPU itself."""

    def __init__(self, pinned: bool) -> None:
        self.pinned = pinned
        self._held: dict[str, torch.Tensor] = {}

    def view(self, name: str, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """A tensor of this shape in the slot's memory, whatever was in it."""
        import torch

        count = int(np.prod(shape))
        held = self._held.get(name)
        if held is None or held.numel() < count:
            # page-locking costs milliseconds: a little more than needed now, instead of again for each slightly larger batch
            held = self._held[name] = torch.empty(max(count + count // 4, 1), dtype=dtype, pin_memory=self.pinned)
        return held[:count].view(shape)


class Transfers:
    """Hands out slots; as many exist as batches have been under way at once. A slot comes back when its result has been taken."""

    def __init__(self, device: str, *, pinned: bool | None = None) -> None:
        import torch

        self.device = device
        self.slots = 0
        self._pinned = device != "cpu" if pinned is None else pinned
        self._free: deque[Slot] = deque()
        self._up: Any = None
        self._down: Any = None
        if device != "cpu":
            make_stream: Any = torch.cuda.Stream
            self._up, self._down = make_stream(device), make_stream(device)

    def run(self, batch: Batch, compute: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Callable[[], Pooled]:
        """`compute` gets ids int64 [rows, width] and lengths int64 [rows] on the device and gives float32 [rows, dims]."""
        slot = self._take()
        ids, lengths = self._upload(slot, batch)
        done, host = self._download(slot, compute(ids, lengths))

        def wait() -> Pooled:
            if done is not None:
                done.synchronize()
            result: Pooled = host.numpy().copy()
            self._free.append(slot)
            return result

        return wait

    def _take(self) -> Slot:
        try:
            return self._free.popleft()
        except IndexError:
            self.slots += 1
            return Slot(self._pinned)

    def _upload(self, slot: Slot, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """One copy holds both: row r is its tokens, and the last column its length."""
        import torch

        rows, width = batch.ids.shape
        host = slot.view("in", (rows, width + 1), torch.int64)
        filled = host.numpy()
        filled[:, :width] = batch.ids
        filled[:, width] = batch.lengths
        if self._up is None:
            sent = host.clone()
        else:
            current: Any = torch.cuda.current_stream(self.device)
            with torch.cuda.stream(self._up):
                sent = host.to(self.device, non_blocking=True)
            current.wait_stream(self._up)
            sent.record_stream(current)
        return sent[:, :width], sent[:, width]

    def _download(self, slot: Slot, pooled: torch.Tensor) -> tuple[Any, torch.Tensor]:
        import torch

        host = slot.view("out", tuple(pooled.shape), pooled.dtype)
        if self._down is None:
            host.copy_(pooled)
            return None, host
        self._down.wait_stream(torch.cuda.current_stream(self.device))
        make_event: Any = torch.cuda.Event
        done = make_event()
        with torch.cuda.stream(self._down):
            host.copy_(pooled, non_blocking=True)
            done.record(self._down)
        pooled.record_stream(self._down)
        return done, host
