"""Right networks give no finding; one planted mistake gives that one and no other."""

from __future__ import annotations

import copy
import functools
import types
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
import optim
from tests.nn.linting.networks import BATCH, MODAL, WIDTH, problems


class Scale(nn.Module):
    def __init__(self):
        self.weight = nn.Parameter([1.0])

    def forward(self, x):
        return x * self.weight


class Function(nn.Module):
    """A block made of a function, to be put anywhere."""

    def __init__(self, function):
        self.call = function

    def forward(self, x):
        return self.call(x)


def insert(problem, block, position):
    """Put a block at a random place; gives its path."""
    blocks = problem.network.order()
    position %= len(blocks) + 1
    problem.network.blocks = [*blocks[:position], block, *blocks[position:]]
    return f"blocks.{position}"


def lint(problem, optimizer=None):
    optimizer = problem.make_optimizer() if optimizer is None else optimizer
    return nn.lint(problem.network, problem.compute(), optimizer)


def only(findings, rule, severity="warning"):
    assert findings, f"{rule} was not found"
    assert {(f.rule, f.severity) for f in findings} == {(rule, severity)}, [*map(str, findings)]
    for finding in findings:
        assert finding.message
        assert finding.mend
    return findings


def concerned(findings):
    return {path for finding in findings for path in finding.paths}


places = st.integers(0, 3)


@given(problems(), st.booleans())
def test_right_networks_give_no_finding(problem, afterwards):
    optimizer = problem.make_optimizer()
    loss = problem.compute()
    if afterwards:
        loss.backward()
    assert nn.lint(problem.network, loss, optimizer) == []


@given(problems())
def test_right_loops_give_no_finding(problem):
    optimizer = problem.make_optimizer()
    linter = nn.Linter(problem.network, optimizer)
    total = 0.0
    for _ in range(5):
        loss = problem.compute()
        assert linter.check(loss) == []
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()


@given(problems(), places)
def test_nothing_is_changed_by_linting(problem, place):
    insert(problem, nn.Softmax(dim=1), place)
    before = problem.network.state_dict()
    loss = problem.compute()
    state = problem.network.state_dict()
    nn.lint(problem.network, loss, problem.make_optimizer())
    assert all(p.grad is None for p in problem.network.parameters())
    loss.backward()
    twin = {name: p.grad for name, p in problem.network.named_parameters()}
    assert any(gradient is not None for gradient in twin.values())
    after = problem.network.state_dict()
    assert all(np.array_equal(after[name], state[name]) for name in state)
    assert set(before) == set(after)


# Parameters without a gradient.


class Unused(nn.Module):
    def __init__(self):
        self.spare = nn.Linear(2, 2)
        self.weight = nn.Parameter([1.0])

    def forward(self, x):
        return x * self.weight


class Overwritten(nn.Module):
    def __init__(self):
        self.first, self.second = Scale(), Scale()

    def forward(self, x):
        result = self.first(x)
        result = self.second(x)
        return result  # noqa: RET504


@given(problems(), places, st.booleans())
def test_an_unused_module(problem, place, afterwards):
    path = insert(problem, Unused(), place)
    optimizer, loss = problem.make_optimizer(), problem.compute()
    if afterwards:
        loss.backward()
    (finding,) = only(nn.lint(problem.network, loss, optimizer), "no-gradient")
    assert finding.path == f"{path}.spare"
    assert finding.paths == (f"{path}.spare.weight", f"{path}.spare.bias")


@given(problems(), places)
def test_a_module_whose_result_is_overwritten(problem, place):
    path = insert(problem, Overwritten(), place)
    (finding,) = only(lint(problem), "no-gradient")
    assert finding.path == f"{path}.first.weight"


CUTS = {
    "detach": lambda x: x.detach(),
    "data": lambda x: ag.Tensor(x.data),
    "numpy": lambda x: x.detach().numpy() * np.float32(2),
    "no_grad": ag.no_grad()(lambda x: x * 2.0),
}


@given(problems(), places, st.sampled_from(sorted(CUTS)))
def test_a_graph_cut_in_the_middle(problem, place, cut):
    problem.network.requires_grad_(True)
    path = insert(problem, Function(CUTS[cut]), place)
    before = int(path.rpartition(".")[2])
    findings = only(lint(problem), "no-gradient")
    expected = {
        name
        for name, _ in problem.network.named_parameters()
        if name.startswith("stem")
        or (name.startswith("blocks.") and int(name.split(".")[1]) < before)
    }
    assert concerned(findings) == expected


# Gradients of zero.


def open_head(problem):
    """A last layer of zeros lets no gradient through either, in the first step."""
    head = problem.network.head
    last = head if isinstance(head, nn.Linear) else head[2]
    with ag.no_grad():
        last.weight.copy_(1.0 + np.arange(last.weight.size).reshape(last.weight.shape) % 5)


@given(problems(), places, st.sampled_from(["bias", "scale", "clip", "saturated"]))
def test_units_that_are_all_off(problem, place, how):
    functions = {
        "bias": lambda x: ag.relu(x - 1e4),
        "scale": lambda x: x * 0.0,
        "clip": lambda x: ag.clip(x - 1e4, 1.0, 2.0),
        "saturated": lambda x: ag.sigmoid(x - 1e4),
    }
    problem.network.requires_grad_(True)
    insert(problem, Function(functions[how]), place)
    open_head(problem)
    findings = only(lint(problem), "zero-gradient")
    assert "stem.weight" in concerned(findings)
    assert all("test_planted" in f.place or "networks" in f.place for f in findings)


@given(problems())
def test_inputs_of_zero(problem):
    problem.network.requires_grad_(True)
    problem.inputs = np.zeros_like(problem.inputs)
    open_head(problem)
    findings = [f for f in lint(problem) if "stem.weight" in f.paths]
    only(findings, "zero-gradient")


@given(problems(tasks=("classes", "squares", "binary")), places)
def test_two_layers_that_both_start_at_zero(problem, place):
    pair = [nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(2)]
    for layer in pair:
        nn.init.zeros_(layer.weight)
    if problem.inputs.ndim == 4:
        pair = [nn.Conv2d(WIDTH, WIDTH, 1, bias=False) for _ in range(2)]
        for layer in pair:
            nn.init.zeros_(layer.weight)
    path = insert(problem, nn.Sequential(*pair), place)
    open_head(problem)
    found = concerned(only(lint(problem), "zero-gradient"))
    assert {f"{path}.0.weight", f"{path}.1.weight"} <= found


@given(problems(tasks=("classes", "squares", "binary")))
def test_units_off_behind_a_layer_that_starts_at_zero(problem):
    nn.init.zeros_(
        (problem.network.head if problem.inputs.ndim == 2 else problem.network.head[2]).weight
    )
    problem.network.requires_grad_(True)
    insert(problem, Function(lambda x: ag.concatenate([x[:, :6], ag.relu(x[:, 6:] - 1e4)], 1)), 0)
    insert(problem, Split(), 0)
    optimizer = problem.make_optimizer()
    linter = nn.Linter(problem.network, optimizer)
    found = []
    for _ in range(3):
        found.append(linter.check(loss := problem.compute()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert found[0] == []
    (finding,) = only(found[1], "zero-gradient")
    assert finding.paths == ("blocks.0.second.weight",)
    assert found[2] == []


class Split(nn.Module):
    """The first features by one parameter, the others by another."""

    def __init__(self):
        self.first, self.second = Scale(), Scale()

    def forward(self, x):
        return ag.concatenate([self.first(x[:, :6]), self.second(x[:, 6:])], 1)


# What is not finite.


@given(problems(), st.sampled_from([np.nan, np.inf]), st.data())
def test_a_parameter_that_is_not_finite(problem, value, data):
    path = data.draw(st.sampled_from([name for name, _ in problem.network.named_parameters()]))
    parameter = problem.network.get_parameter(path)
    parameter.data.flat[data.draw(st.integers(0, parameter.size - 1))] = value
    with np.errstate(all="ignore"):
        (finding,) = only(lint(problem), "not-finite")
    assert finding.paths == (path,)


@given(problems(), places)
def test_a_gradient_that_is_not_finite(problem, place):
    problem.network.requires_grad_(True)
    insert(problem, Function(lambda x: x + 0.0 * ag.sqrt(x * 0.0)), place)
    with np.errstate(all="ignore"):
        findings = lint(problem)
    only(findings, "not-finite")


# The optimizer.


@given(problems(), st.data())
def test_parameters_left_out_of_the_optimizer(problem, data):
    names = [name for name, p in problem.network.named_parameters() if p.requires_grad]
    left_out = set(data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3)))
    held = [problem.network.get_parameter(name) for name in names if name not in left_out]
    held = held or [nn.Parameter([1.0])]
    findings = only(lint(problem, problem.make_optimizer(held)), "not-in-optimizer")
    assert concerned(findings) == left_out


@given(problems(), st.booleans())
def test_an_optimizer_of_a_model_that_was_replaced(problem, copied):
    optimizer = problem.make_optimizer()
    if copied:
        problem.network = copy.deepcopy(problem.network)
    else:
        problem.network.head = copy.deepcopy(problem.network.head)
    (finding,) = only(lint(problem, optimizer), "not-in-optimizer")
    assert "replaced" in finding.message
    assert copied or all(path.startswith("head") for path in finding.paths)


@given(problems(), st.sampled_from(["group", "groups", "optimizers", "memory"]), st.data())
def test_parameters_held_twice(problem, how, data):
    named = {n: p for n, p in problem.network.named_parameters() if p.requires_grad}
    path = data.draw(st.sampled_from(sorted(named)))
    optimizer = problem.make_optimizer()
    given_: object = optimizer
    if how == "group":
        (group,) = [g for g in optimizer.param_groups if any(p is named[path] for p in g["params"])]
        group["params"].append(named[path])
    elif how == "groups":
        optimizer.param_groups.append({**optimizer.param_groups[0], "params": [named[path]]})
    elif how == "optimizers":
        given_ = [optimizer, optim.SGD([named[path]], lr=0.1)]
    else:
        twin = nn.Parameter(named[path].data, name="twin")
        twin.data = named[path].data
        where = insert(problem, Twin(twin), 0)
        given_ = problem.make_optimizer()
        findings = only(lint(problem, given_), "held-twice")
        (other,) = [n for n, p in problem.network.named_parameters() if p is named[path]]
        assert {f"{where}.weight", other} == concerned(findings)
        return
    findings = only(lint(problem, given_), "held-twice")
    assert concerned(findings) == {path}


class Twin(nn.Module):
    def __init__(self, weight):
        self.weight = weight

    def forward(self, x):
        return x * (1.0 + ag.mean(self.weight))


@given(problems(), st.booleans(), st.data())
def test_frozen_parameters_in_the_optimizer(problem, stale, data):
    # A frozen weight of zero would let no gradient through: another finding.
    names = [n for n, p in problem.network.named_parameters() if p.requires_grad and p.data.any()]
    path = data.draw(st.sampled_from(names))
    optimizer = problem.make_optimizer()
    if stale:
        problem.compute().backward()
    problem.network.get_parameter(path).requires_grad = False
    findings = lint(problem, optimizer)
    only(findings, "frozen-in-optimizer", "warning" if stale else "note")
    assert concerned(findings) == {path}


@given(problems(), st.data())
def test_a_learning_rate_of_zero(problem, data):
    optimizer = problem.make_optimizer()
    data.draw(st.sampled_from(optimizer.param_groups))["lr"] = 0.0
    only(lint(problem, optimizer), "zero-lr")


# Modules and Tensors out of sight.


class Slotted(nn.Module):
    __slots__ = ("layer",)

    def forward(self, x):
        return self.layer(x)


class Plain:
    def __init__(self, layer):
        self.layer = layer


def hide(kind, layer):
    """A block that calls a layer it holds in a way the walk does not see."""
    block = Function(None)
    if kind == "object array":
        block.held = np.array([layer, None], dtype=object)
        block.call = lambda x: block.held[0](x)
        block.call = functools.partial(_first, block)
        return block
    if kind == "slot":
        block = Slotted()
        block.layer = layer
        return block
    if kind == "class":
        return type("Shared", (nn.Module,), {"layer": layer, "forward": _call_layer})()
    if kind == "method":
        block.call = layer.forward
    elif kind == "closure":
        block.call = lambda x: layer(x)
    elif kind == "partial":
        block.call = functools.partial(lambda inner, x: inner(x), layer)
    else:
        block.held = {
            "set": lambda: {layer},
            "frozenset": lambda: frozenset([layer]),
            "deque": lambda: deque([layer]),
            "mapping": lambda: types.MappingProxyType({"layer": layer}),
            "deque in a list": lambda: [({"a": deque([layer])},)],
            "keys": lambda: {layer: "layer"},
            "object": lambda: Plain(layer),
        }[kind]()
        block.call = functools.partial(_apply_held, layer)
    return block


def _first(block, x):
    return block.held[0](x)


def _apply_held(layer, x):
    return layer(x)


def _call_layer(self, x):
    return self.layer(x)


HIDING = (
    *("set", "frozenset", "deque", "mapping", "deque in a list", "keys", "object"),
    *("object array", "slot", "class", "method", "closure", "partial"),
)


@given(problems(), places, st.sampled_from(HIDING))
def test_modules_out_of_sight(problem, place, kind):
    path = insert(problem, hide(kind, Scale()), place)
    (finding,) = only(lint(problem), "hidden-module")
    assert finding.path.startswith(path)


@given(problems(), places, st.sampled_from(["set", "deque", "mapping", "object array"]))
def test_dropout_out_of_sight(problem, place, kind):
    path = insert(problem, hide(kind, nn.Dropout(0.1)), place)
    (finding,) = only(lint(problem), "hidden-module")
    assert finding.path.startswith(path)


GLOBAL = Scale()


class Anew(nn.Module):
    def forward(self, x):
        return Scale()(x)


class Elsewhere(nn.Module):
    def forward(self, x):
        return GLOBAL(x)


@given(problems(), places, st.sampled_from([Anew, Elsewhere]))
def test_layers_that_nothing_holds(problem, place, kind):
    path = insert(problem, kind(), place)
    (finding,) = only(lint(problem), "hidden-module")
    assert finding.path == path
    assert __file__ in finding.place


class Bare(nn.Module):
    def __init__(self, kind):
        tensor = ag.Tensor(np.ones(1, np.float32), requires_grad=True)
        self.held = {"attribute": tensor, "list": [tensor], "dict": {"a": [tensor]}}[kind]

    def forward(self, x):
        held = self.held
        while not isinstance(held, ag.Tensor):
            held = held["a"] if isinstance(held, dict) else held[0]
        return x * held


@given(problems(), places, st.sampled_from(["attribute", "list", "dict"]))
def test_tensors_that_are_no_parameters(problem, place, kind):
    path = insert(problem, Bare(kind), place)
    (finding,) = only(lint(problem), "hidden-tensor")
    assert finding.path.startswith(f"{path}.held")


# Training and evaluation.


@given(problems(at_least=MODAL))
def test_a_model_left_in_evaluation(problem):
    problem.network.eval()
    (finding,) = only(lint(problem), "eval-mode")
    assert finding.path == ""


@given(problems(at_least=("dropout",)), st.data())
def test_a_part_left_in_evaluation(problem, data):
    part = data.draw(
        st.sampled_from(
            [
                (path, module)
                for path, module in problem.network.named_modules()
                if path and any(isinstance(m, nn.Dropout) for m in module.modules())
            ]
        )
    )
    part[1].eval()
    (finding,) = only(lint(problem), "eval-mode")
    assert finding.path == part[0]


@given(problems(at_least=MODAL), st.integers(1, 4))
def test_a_loop_that_stays_in_evaluation_after_measuring(problem, epoch):
    optimizer = problem.make_optimizer()
    linter = nn.Linter(problem.network, optimizer)
    for step in range(6):
        if step == epoch:
            problem.network.eval()
        found = linter.check(loss := problem.compute())
        if step == epoch:
            only(found, "eval-mode")
        else:
            assert found == []
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


# Graphs that live on.


def steps(problem, use, count=4):
    """The findings at each step of a loop; `use(loss, kept)` gives what is swept back."""
    optimizer = problem.make_optimizer()
    linter = nn.Linter(problem.network, optimizer)
    found, kept = [], []
    for _ in range(count):
        loss = use(problem.compute(), kept)
        found.append(linter.check(loss))
        if found[-1]:
            break
        optimizer.zero_grad()
        loss.backward(retain_graph=bool(kept and kept[0] == "retain"))
        optimizer.step()
    return found


def sum_is_swept(loss, kept):
    total = loss if not kept else kept[-1] + loss
    kept[:] = [total]
    return total


def sum_is_kept(loss, kept):
    kept[:] = [loss if not kept else kept[-1] + loss]
    return loss


def list_is_kept(loss, kept):
    kept.append(loss)
    return loss


@given(problems(), st.sampled_from([(sum_is_swept, 2), (sum_is_kept, 3), (list_is_kept, 3)]))
def test_losses_that_keep_their_graphs(problem, form):
    use, at = form
    found = steps(problem, use)
    assert found[: at - 1] == [[]] * (at - 1)
    (finding,) = only(found[at - 1], "kept-graph")
    if use is not list_is_kept:
        assert "kept[-1] + loss" in finding.place


class Carried(nn.Module):
    """A state from step to step, with or without the graph that made it."""

    def __init__(self, detach):
        self.weight = nn.Parameter([1.0])
        self.detach = detach
        self._state = [0.0]

    def forward(self, x):
        state = ag.mean(x) * self.weight[0] + 0.5 * self._state[0]
        self._state = [state.detach() if self.detach else state]
        return x + state


@given(problems(), places, st.booleans())
def test_a_state_carried_from_step_to_step(problem, place, detach):
    insert(problem, Carried(detach), place)
    found = steps(problem, lambda loss, _: loss)
    if detach:
        assert found == [[]] * 4
    else:
        (finding,) = only(found[1], "kept-graph")
        assert "0.5 * self._state[0]" in finding.place


# Precision.


DOUBLES = {
    "scalar": lambda x: x * np.float64(2.0),
    "array": lambda x: x + np.zeros(x.shape),
    "tensor": lambda x: x + ag.Tensor(np.zeros(x.shape)),
    "linspace": lambda x: x * np.linspace(0.5, 1.0, x.shape[-1]),
}


@given(problems(), places, st.sampled_from(sorted(DOUBLES)))
def test_a_constant_of_double_precision(problem, place, kind):
    path = insert(problem, Function(DOUBLES[kind]), place)
    problem.network.requires_grad_(True)
    (finding,) = only(lint(problem), "float64")
    assert finding.path == path
    assert f"{__file__}:{DOUBLES[kind].__code__.co_firstlineno} " in finding.place


@given(problems(tasks=("squares",)))
def test_a_target_of_double_precision(problem):
    problem.target = problem.target.astype(np.float64)
    (finding,) = only(lint(problem), "float64")
    assert "self.loss(self.network(self.inputs), self.target)" in finding.place


@given(problems())
def test_inputs_of_double_precision(problem):
    problem.network.requires_grad_(True)
    problem.inputs = problem.inputs.astype(np.float64)
    (finding,) = only(lint(problem), "float64")
    assert finding.path == "stem"


@given(problems(), places)
def test_a_parameter_of_double_precision(problem, place):
    block = Scale()
    block.weight = nn.Parameter(np.ones(1))
    path = insert(problem, block, place)
    (finding,) = only(lint(problem), "float64")
    assert finding.path == f"{path}.weight"


@given(problems())
def test_a_model_of_double_precision_is_right(problem):
    problem.network.double()
    problem.inputs = problem.inputs.astype(np.float64)
    assert lint(problem) == []


# The loss.


def last(problem, module):
    problem.network.head = nn.Sequential(problem.network.head, module)
    return "head.1"


CLASS_TASKS = ("classes", "smoothed", "weighted", "probabilities")


@given(problems(tasks=CLASS_TASKS), st.sampled_from([nn.Softmax(dim=1), nn.Sigmoid()]))
def test_softmax_before_cross_entropy(problem, module):
    path = last(problem, module)
    (finding,) = only(lint(problem), "softmax-input")
    assert finding.path == path
    assert __file__.rpartition("/")[0] in finding.place


@given(problems(tasks=("binary",)))
def test_sigmoid_before_binary_cross_entropy(problem):
    path = last(problem, nn.Sigmoid())
    (finding,) = only(lint(problem), "softmax-input")
    assert finding.path == path


@given(problems(tasks=("log",)), st.sampled_from(["scores", "softmax"]), st.booleans())
def test_nll_of_what_is_no_logarithm(problem, kind, functional):
    loss = nn.functional.nll_loss if functional else nn.NLLLoss()
    if kind == "softmax":
        last(problem, nn.Softmax(dim=1))
    problem.loss = lambda scores, target: loss(scores, target)
    only(lint(problem), "softmax-input")


@given(problems(tasks=("classes",)), st.sampled_from(["ignored", "one class"]))
def test_labels_that_say_nothing(problem, kind):
    if kind == "ignored":
        problem.target = np.full(BATCH, -100)
    else:
        last(problem, nn.Linear(4, 1))
        problem.target = np.zeros(BATCH, np.int64)
    with np.errstate(all="ignore"):
        findings = [f for f in lint(problem) if f.rule != "not-finite"]
    only(findings, "labels")


@given(
    problems(tasks=("classes",)),
    st.sampled_from(["several", "numbers", "negative", "unnormalised"]),
    st.booleans(),
)
def test_floats_that_are_no_probabilities(problem, kind, module):
    hot = np.eye(4, dtype=np.float32)[problem.target]
    problem.target = {
        "several": np.maximum(hot, hot[::-1] * 1 + np.roll(hot, 1, axis=1)),
        "numbers": hot * problem.target[:, None] * 2,
        "negative": hot * 2 - 1,
        "unnormalised": hot * 0.7,
    }[kind]
    problem.loss = nn.CrossEntropyLoss() if module else nn.functional.cross_entropy
    findings = lint(problem)
    if kind == "unnormalised" and not module:
        # May be meant: the loss may have got weights of the classes.
        assert findings == []
    else:
        only(findings, "labels")


@given(problems(tasks=("binary",)), st.sampled_from(["signs", "numbers"]))
def test_binary_targets_that_are_none(problem, kind):
    hot = problem.target
    problem.target = hot * 2 - 1 if kind == "signs" else hot * 3
    only(lint(problem), "labels")


@given(problems(tasks=("classes",)))
def test_a_label_that_picks_from_the_end(problem):
    problem.target = problem.target - 1
    problem.target[0] = -1

    def loss(scores, target):
        return -ag.mean(ag.log_softmax(scores, 1)[np.arange(len(target)), target])

    problem.loss = loss
    only(lint(problem), "labels")


@given(problems(tasks=("squares",)), st.sampled_from([lambda d: d**2, abs, lambda d: d * d]))
def test_a_target_that_broadcasts(problem, distance):
    last(problem, nn.Linear(4, 1))
    problem.target = problem.target[:, 0]
    problem.loss = lambda output, target: ag.mean(distance(output - target))
    (finding,) = only(lint(problem), "broadcast-target")
    assert "output - target" in finding.place


@given(problems())
def test_a_loss_that_is_no_number(problem):
    whole = problem.compute
    problem.compute = lambda: whole() * np.ones(3, np.float32)
    only(lint(problem), "loss-not-scalar")


@given(problems(), st.sampled_from(["item", "detach", "no_grad", "array"]))
def test_a_loss_without_a_graph(problem, kind):
    whole = problem.compute
    problem.compute = {
        "item": lambda: whole().item(),
        "detach": lambda: whole().detach(),
        "no_grad": lambda: ag.no_grad()(whole)(),
        "array": lambda: whole().data,
    }[kind]
    only(lint(problem), "no-graph")


@given(problems())
def test_a_model_that_is_frozen_as_a_whole(problem):
    optimizer = problem.make_optimizer()
    problem.network.requires_grad_(False)
    rules = {f.rule for f in lint(problem, optimizer) if f.severity == "warning"}
    assert rules == {"no-graph"}


@given(problems())
def test_a_loss_of_another_model(problem):
    other = copy.deepcopy(problem.network)
    optimizer = problem.make_optimizer()
    loss = problem.loss(other(problem.inputs), problem.target)
    only(nn.lint(problem.network, loss, optimizer), "independent-loss")


@given(problems(), st.booleans())
def test_a_bias_before_batch_norm(problem, image):
    if problem.inputs.ndim == 4:
        pair = [nn.Conv2d(WIDTH, WIDTH, 1), nn.BatchNorm2d(WIDTH)]
    else:
        pair = [nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH)]
    path = insert(problem, nn.Sequential(*pair), 0)
    (finding,) = only(lint(problem), "bias-before-norm", "note")
    assert finding.path == f"{path}.0.bias"


@pytest.mark.parametrize("rule", sorted(nn.LINT_RULES))
def test_every_rule_is_planted_here(rule):
    with open(__file__) as source:
        assert f'"{rule}"' in source.read()
