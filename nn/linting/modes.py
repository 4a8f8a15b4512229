"""Rules on training and evaluation mode."""

from __future__ import annotations

from collections.abc import Iterator

from nn.layers.dropout import Dropout, DropPath
from nn.layers.normalization import BatchNorm1d, BatchNorm2d
from nn.linting.findings import Finding, listed
from nn.module import Module


def depends_on_mode(module: Module) -> bool:
    """Whether a module itself behaves differently in evaluation: its `forward` asks `training`."""
    if isinstance(module, Dropout):
        return module.p > 0
    if isinstance(module, DropPath):
        return module.drop_prob > 0
    if isinstance(module, BatchNorm1d | BatchNorm2d):
        return module.running_mean is not None
    code = getattr(type(module).forward, "__code__", None)
    return code is not None and "training" in code.co_names


class ModeRule:
    """The parts of a model that depend on the mode, found once and asked in every step."""

    def __init__(self, model: Module | None) -> None:
        self._model = model
        self._parts: list[tuple[str, Module]] = []
        if model is not None:
            self._parts = [
                (path, module) for path, module in model.named_modules() if depends_on_mode(module)
            ]

    def findings(self) -> Iterator[Finding]:
        """Parts in evaluation mode, except those of frozen parts."""
        model = self._model
        if model is None or all(module.training for _, module in self._parts):
            return
        frozen = _frozen(model)
        still = [
            (path, module)
            for path, module in self._parts
            if not module.training and not any(_inside(path, lead) for lead in frozen)
        ]
        off = [path for path, module in model.named_modules() if not module.training]
        for top in off:
            if any(_inside(top, other) for other in off if other != top):
                continue
            inside = [path for path, _ in still if _inside(path, top)]
            if inside:
                # Batch norm is often kept from learning its statistics on purpose.
                part = model.get_submodule(top)
                kept = isinstance(part, BatchNorm1d | BatchNorm2d)
                yield _finding(top, inside, "note" if kept else "warning")


def _finding(path: str, parts: list[str], severity: str) -> Finding:
    call = f"model.{path}.train()" if path else "model.train()"
    return Finding(
        "eval-mode",
        path,
        f"is in evaluation mode, so {listed(parts) if parts != [''] else 'it'} does not behave as "
        "in training (dropout drops nothing, batch norm uses and keeps its running statistics)",
        f"call {call} before the steps, again after every evaluation; a part kept so on purpose "
        "is passed over when its parameters are frozen with requires_grad_(False)",
        severity="note" if severity == "note" else "warning",
    )


def _frozen(model: Module) -> list[str]:
    """Paths of parts that have parameters, all of them frozen."""
    found = []
    for path, module in model.named_modules():
        flags = [parameter.requires_grad for parameter in module.parameters()]
        if flags and not any(flags):
            found.append(path)
    return found


def _inside(path: str, lead: str) -> bool:
    return path == lead or not lead or path.startswith(f"{lead}.")
