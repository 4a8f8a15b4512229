"""Each network is drawn, folded by module."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from examples.cifar10.cli import main
from examples.cifar10.models.building import build_model
from examples.cifar10.models.drawing import draw_network
from examples.cifar10.presets import MODELS, PRESETS, find_recipe


@pytest.mark.parametrize("name", MODELS)
def test_every_layer_is_one_box_with_its_parameters(name):
    recipe = find_recipe(name, PRESETS[0])
    model = build_model(name, recipe, np.random.default_rng(0))
    source = draw_network(name).source
    counts = [int(text.replace(",", "")) for text in re.findall(r"([\d,]+) parameters?<", source)]
    # An auxiliary head takes no part in evaluation, which is what is drawn.
    used = [p for path, p in model.named_parameters() if "auxiliary_head" not in path]
    assert sum(counts) == sum(p.size for p in used if p.requires_grad)
    # Nothing is recorded before the first parameter: the images require no gradients.
    layers = list(model.children())
    tracked = [bool(list(layer.parameters())) for layer in layers].index(True)
    assert len(re.findall(r"shape=box3d", source)) == len(layers) - tracked


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "softmax.gv"
    assert main(["draw", "softmax", "--out", str(path)]) == 0
    assert capsys.readouterr().out == f"picture: {path}\n"
    assert "Linear" in path.read_text()
    assert main(["draw", "softmax", "--out", str(tmp_path / "no" / "x.gv")]) == 1
    assert "cannot write a picture" in capsys.readouterr().err
    assert main(["draw", "softmax", "--out", str(tmp_path / "x.doc")]) == 1
    assert "unknown format 'doc'" in capsys.readouterr().err
