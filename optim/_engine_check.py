"""Whether the imported `autograd` is dagrad's engine: another project uses the same import name."""

from __future__ import annotations

import autograd

missing = [name for name in ("Tensor", "pullback", "pushforward") if not hasattr(autograd, name)]
if missing:
    place = getattr(autograd, "__file__", None) or list(getattr(autograd, "__path__", []))
    raise ImportError(
        f"`optim` needs dagrad's engine, but the `autograd` that Python imported from {place} is "
        f"another project's: it has no {', '.join(missing)}. The distribution named `autograd` "
        "(HIPS) writes into the same folder. Mend it with `pip uninstall autograd` and then "
        "`pip install --force-reinstall --no-deps dagrad`, or keep the two in separate virtual "
        "environments.",
        name="autograd",
    )
