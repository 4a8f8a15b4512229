"""`python -m benchmarks.steps WORKLOAD PEER SETTING`: steps on request, in a process of its own.

Each line of the input, [first, count], is answered by [seconds, last result]; null, by null: then
garbage collections leave alone what is there. What the steps print goes to the error stream.
"""

from __future__ import annotations

import json
import sys

from benchmarks.bystanders import set_aside
from benchmarks.workloads import WORKLOADS, sampler_of


def main() -> None:
    """The child process."""
    name, peer, setting = sys.argv[1:]
    answers, sys.stdout = sys.stdout, sys.stderr
    sampler = sampler_of(WORKLOADS[name].peers[peer][setting]())
    for line in sys.stdin:
        asked = json.loads(line)
        answer = None
        if asked is None:
            set_aside()
        else:
            answer = sampler.sample(*asked)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
