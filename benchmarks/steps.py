"""`python -m benchmarks.steps WORKLOAD PEER SETTING`: steps on request, in a process of its own.

Each line of the input, [first, count], is answered by [seconds, last result]. What the steps print
goes to the error stream.
"""

from __future__ import annotations

import json
import sys

from benchmarks.workloads import WORKLOADS, sampler_of


def main() -> None:
    """The child process."""
    name, peer, setting = sys.argv[1:]
    answers, sys.stdout = sys.stdout, sys.stderr
    sampler = sampler_of(WORKLOADS[name].peers[peer][setting]())
    for line in sys.stdin:
        print(json.dumps(sampler.sample(*json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
