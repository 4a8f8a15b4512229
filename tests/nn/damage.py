"""Every region of a checkpoint damaged in every way, and what became of loading it.

`python -m tests.nn.damage` prints the table for every byte and bit of the file.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import nn
import optim

REGIONS = ("length", "header", "digest", "state", "weights", "optimizer arrays")


def make_run(seed: int = 0) -> tuple[nn.Module, optim.Optimizer]:
    """A network that has been trained for a step."""
    net = nn.Sequential(nn.Linear(2, 3, rng=np.random.default_rng(seed)), nn.BatchNorm1d(3))
    optimizer = optim.Adam(net.parameters())
    net(np.eye(2, dtype=np.float32)).backward(np.ones((2, 3), np.float32))
    optimizer.step()
    return net, optimizer


def region_of(raw: bytes) -> list[str]:
    """The region of every byte."""
    length = int.from_bytes(raw[:8], "little")
    text = raw[8 : 8 + length]
    regions = ["length"] * 8 + ["header"] * length
    header = json.loads(text)
    digest = 8 + text.index(header["__metadata__"]["dagrad.sha256"].encode())
    regions[digest : digest + 64] = ["digest"] * 64
    state = json.dumps(header["__metadata__"]["dagrad.state"]).encode()
    begin = 8 + text.index(state)
    regions[begin : begin + len(state)] = ["state"] * len(state)
    by_offset = sorted(
        (entry["data_offsets"], name) for name, entry in header.items() if name != "__metadata__"
    )
    for (begin, end), name in by_offset:
        kind = "optimizer arrays" if name.startswith("optimizer/") else "weights"
        regions += [kind] * (end - begin)
    return regions


def damaged(raw: bytes, bits: int, stride: int) -> Iterator[tuple[str, str, bytes]]:
    """(region, kind, bytes) of the damage at every `stride`-th byte, and to whole regions."""
    regions = region_of(raw)
    assert set(regions) == set(REGIONS)
    for place, region in list(enumerate(regions))[::stride]:
        yield region, "cut here", raw[:place]
        for bit in range(bits):
            flipped = raw[place] ^ (1 << (place + bit) % 8)
            yield region, "bit flipped", raw[:place] + bytes([flipped]) + raw[place + 1 :]
        yield region, "byte zeroed", raw[:place] + b"\0" + raw[place + 1 :]
        yield region, "byte inserted", raw[:place] + b"7" + raw[place:]
        yield region, "byte lost", raw[:place] + raw[place + 1 :]
    for region in REGIONS:
        begin = regions.index(region)
        end = begin + regions.count(region)
        yield region, "zeroed whole", raw[:begin] + b"\0" * (end - begin) + raw[end:]
        noise = np.random.default_rng(0).bytes(end - begin)
        yield region, "random whole", raw[:begin] + noise + raw[end:]
    yield "weights", "byte appended", raw + b"\0"


def outcomes(folder: Path, bits: int = 8, stride: int = 1) -> Counter[tuple[str, str, str]]:
    """How often each (region, kind, outcome) came about; the previous checkpoint is intact."""
    net, optimizer = make_run()
    nn.save(folder, net, optimizer, step=1, keep=2)
    newest = nn.save(folder, net, optimizer, step=2, keep=2)
    raw = newest.read_bytes()
    found: Counter[tuple[str, str, str]] = Counter()
    for region, kind, content in damaged(raw, bits, stride):
        if content == raw:
            continue
        newest.write_bytes(content)
        try:
            nn.load(newest)
            outcome = "LOADED"
        except nn.CheckpointError as error:
            outcome = "named" if newest.name in str(error) else "NOT NAMED"
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            previous = nn.load(folder)
        if outcome != "named" or previous.step != 1 or newest.name not in str(said[0].message):
            outcome = f"WRONG: {outcome}"
        found[region, kind, outcome] += 1
    newest.write_bytes(raw)
    assert nn.load(folder).step == 2
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for (region, kind, outcome), count in sorted(outcomes(Path(folder)).items()):
            print(f"{region:18}{kind:16}{outcome:10}{count:7}")


if __name__ == "__main__":
    main()
