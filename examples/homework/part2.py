"""Part 2: the Jacobian of f: R^2 -> R^2 numerically, by forward mode and by reverse mode.

  f1(w1, w2) = exp(exp(w1) + exp(k w2)) + sin(exp(w1) + exp(k w2))
  f2(w1, w2) = w1 w2 + sigmoid(w1)

The homework's formulas have k = 2 and its printed numbers k = 1; both readings are shown, beside
the closed form, with s = exp(w1) + exp(k w2):

  [[(exp s + cos s) exp(w1),             k (exp s + cos s) exp(k w2)],
   [exp(w1) / (1 + exp(w1))^2 + w2,      w1                         ]]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd as ag
from examples.homework.command_line import format_row, homework_parser

Array = np.ndarray[Any, np.dtype[np.float64]]
STEP = 0.01
READINGS = {2: "as written, exp(2 w2)", 1: "as its numbers have it, exp(w2)"}


def f1(w1: Any, w2: Any, k: int = 2) -> Any:
    s = ag.exp(w1) + ag.exp(k * w2)
    return ag.exp(s) + ag.sin(s)


def f2(w1: Any, w2: Any) -> Any:
    return w1 * w2 + ag.sigmoid(w1)


def f(w: Any, k: int = 2) -> Any:
    """Both components as one array of shape (2,), of a point of shape (2,)."""
    return ag.stack([f1(w[0], w[1], k), f2(w[0], w[1])])


def closed_form(w: Array, k: int = 2) -> Array:
    w1, w2 = w
    s = np.exp(w1) + np.exp(k * w2)
    outer = np.exp(s) + np.cos(s)
    return np.array(
        [
            [outer * np.exp(w1), k * outer * np.exp(k * w2)],
            [np.exp(w1) / (1 + np.exp(w1)) ** 2 + w2, w1],
        ]
    )


def numerical(w: Array, k: int = 2, step: float = STEP) -> Array:
    """One-sided differences, as in the homework: column j is (f(w + step e_j) - f(w)) / step."""
    here = f(w, k)
    return np.stack([(f(w + step * unit, k) - here) / step for unit in np.eye(2)], axis=1)


def forward_mode(w: Array, k: int = 2) -> Array:
    """Column j is the tangent that a tangent of 1 on w_j pushes to the outputs."""
    return np.stack(
        [ag.jvp(lambda point: f(point, k), (w,), (unit,))[1] for unit in np.eye(2)], axis=1
    )


def reverse_mode(w: Array, k: int = 2) -> Array:
    """Row i is the cotangent that a cotangent of 1 on f_i pulls to the inputs; one recording."""
    point = ag.Tensor(w, requires_grad=True)
    outputs = f(point, k)
    return np.stack(
        [ag.pullback(outputs, point, ag.Tensor(unit)).numpy() for unit in np.eye(2)], axis=0
    )


METHODS: dict[str, Callable[[Array, int], Array]] = {
    "closed form": closed_form,
    "forward mode": forward_mode,
    "reverse mode": reverse_mode,
    f"numerical, step {STEP}": numerical,
}
ENTRIES = ("df1/dw1", "df1/dw2", "df2/dw1", "df2/dw2")


def show_values(w: Array, k: int) -> None:
    print("  " + " " * 28 + f"{'f1':>24}{'f2':>24}")
    for point in (w, *(w + STEP * np.eye(2))):
        print(format_row(f"f({point[0]:g}, {point[1]:g})", f(point, k)))


def show_jacobian(w: Array, k: int) -> None:
    print("  " + " " * 28 + "".join(f"{entry:>24}" for entry in ENTRIES))
    for name, method in METHODS.items():
        print(format_row(name, method(w, k).ravel().tolist()))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = homework_parser("part2", __doc__)
    parser.add_argument(
        "--at",
        nargs=2,
        type=float,
        action="append",
        metavar=("W1", "W2"),
        help="a point; may be repeated (default: 1 2, 0 0 and -0.5 0.25)",
    )
    options = parser.parse_args(arguments)
    points = options.at or ([[1, 2]] if options.smoke else [[1, 2], [0, 0], [-0.5, 0.25]])
    for k, reading in READINGS.items():
        print(f"The formula {reading}")
        for place in points:
            w = np.array(place, dtype=np.float64)
            show_values(w, k)
            show_jacobian(w, k)
            print()


if __name__ == "__main__":
    main()
