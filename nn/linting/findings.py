"""What the linter finds, and how it is told."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Severity = Literal["warning", "note"]
Report = Callable[[str], object] | Literal["warn", "raise"] | None

RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "no-graph": "the loss is a constant",
        "loss-not-scalar": "the loss has more than one element",
        "independent-loss": "the loss depends on none of the model's parameters",
        "no-gradient": "a parameter that the loss does not depend on",
        "zero-gradient": "a parameter whose gradient is zero everywhere",
        "not-finite": "a NaN or an infinity in parameters, the loss or gradients",
        "not-in-optimizer": "a trainable parameter that no optimizer holds",
        "held-twice": "a parameter that is updated twice in a step",
        "frozen-in-optimizer": "an optimizer holds a parameter with requires_grad=False",
        "zero-lr": "a learning rate of 0",
        "hidden-module": "a module where the model's walk does not see it",
        "hidden-tensor": "a trained Tensor that is no Parameter",
        "eval-mode": "a part that behaves as in evaluation while it is trained",
        "kept-graph": "a graph kept alive from step to step",
        "float64": "double precision in a model of single precision",
        "softmax-input": "probabilities where a loss takes scores or log-probabilities",
        "labels": "targets that the loss cannot mean",
        "broadcast-target": "a target that is broadcast against the output",
        "bias-before-norm": "a bias that batch norm takes away again",
    }
)
"""Every rule by its name, as `ignore` takes them."""


class LintWarning(UserWarning):
    """A finding, where `report="warn"` asks for warnings."""


class LintError(RuntimeError):
    """Findings, where `report="raise"` asks for an exception; `findings` has them."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        super().__init__("\n".join(str(finding) for finding in findings))


@dataclass(frozen=True)
class Finding:
    """One mistake: what it is, where, and how to mend it.

    `path` is the attribute path from the model ("" for the model as a whole), `paths` those of
    all the parameters concerned, `place` the user's file and line where one is known. A "note" is
    what may be meant, a "warning" what hardly can be.

    >>> import nn
    >>> print(nn.Finding("zero-lr", "", "group 0 has lr=0", "give it a learning rate"))
    warning: the model: group 0 has lr=0. Mend: give it a learning rate. [zero-lr]
    """

    rule: str
    path: str
    message: str
    mend: str
    place: str | None = None
    severity: Severity = "warning"
    paths: tuple[str, ...] = ()

    def __str__(self) -> str:
        at = "" if self.place is None else f" (at {self.place})"
        where = self.path or "the model"
        return f"{self.severity}: {where}: {self.message}{at}. Mend: {self.mend}. [{self.rule}]"


def check_ignored(ignore: Collection[str]) -> frozenset[str]:
    """Names of rules. Raises ValueError for one that is none, TypeError for a string."""
    if isinstance(ignore, str):
        raise TypeError(f"ignore takes a collection of rules, got {ignore!r}; write [{ignore!r}]")
    unknown = sorted(set(ignore) - set(RULES))
    if unknown:
        raise ValueError(f"the linter has no rule {unknown}; it has {sorted(RULES)}")
    return frozenset(ignore)


def check_report(report: Report) -> None:
    """TypeError unless findings can be told that way."""
    if report is not None and report not in ("warn", "raise") and not callable(report):
        raise TypeError(
            f"report is 'warn', 'raise', a function of a string such as print, or None; "
            f"got {report!r}"
        )


def tell(findings: Sequence[Finding], report: Report) -> None:
    """Print, warn of or raise the findings; notes raise nothing."""
    if callable(report):
        for finding in findings:
            report(str(finding))
    elif report == "warn":
        for finding in findings:
            # The level of the caller of `lint` and of `Linter.check`.
            warnings.warn(str(finding), LintWarning, stacklevel=3)
    elif report == "raise":
        serious = [finding for finding in findings if finding.severity == "warning"]
        if serious:
            raise LintError(serious)


def listed(names: Iterable[str], most: int = 6) -> str:
    """Quoted names, the rest of a long list as a number."""
    given = list(names)
    shown = ", ".join(f"`{name}`" for name in given[:most])
    return shown if len(given) <= most else f"{shown} and {len(given) - most} more"
