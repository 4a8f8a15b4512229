"""Training loops as PyTorch's tutorials write them, rewritten for nn, give no finding."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from nn import functional as F
from tests.nn.linting.loops import classes, images, train, vectors


@pytest.fixture(autouse=True)
def _seeded():
    nn.manual_seed(0)


def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(144, 16), nn.ReLU(), nn.Linear(16, 10))


@pytest.mark.parametrize("whole", [False, True])
def test_gan_step_with_two_optimizers(whole):
    generator = nn.Sequential(
        nn.Linear(3, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 6), nn.Tanh()
    )
    critic = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    both = nn.ModuleDict({"generator": generator, "critic": critic})
    g_optimizer = optim.Adam(generator.parameters(), lr=2e-4)
    d_optimizer = optim.Adam(critic.parameters(), lr=2e-4)
    g_linter, d_linter = nn.Linter(generator, g_optimizer), nn.Linter(critic, d_optimizer)
    linter = nn.Linter(both, [d_optimizer, g_optimizer])
    ones, zeros = np.ones((8, 1), np.float32), np.zeros((8, 1), np.float32)
    for _ in range(4):
        fake = generator(vectors(3))
        d_loss = F.binary_cross_entropy_with_logits(
            critic(vectors(6)), ones
        ) + F.binary_cross_entropy_with_logits(critic(fake.detach()), zeros)
        if whole:
            g_loss = F.binary_cross_entropy_with_logits(critic(fake), ones)
            assert linter.check([d_loss, g_loss]) == []
            g_optimizer.zero_grad()
            g_loss.backward()
            d_optimizer.zero_grad()
            d_loss.backward()
            d_optimizer.step()
            g_optimizer.step()
            continue
        assert d_linter.check(d_loss) == []
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        g_loss = F.binary_cross_entropy_with_logits(critic(fake), ones)
        assert g_linter.check(g_loss) == []
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()


@pytest.mark.parametrize("evaluating", [False, True])
def test_fine_tuning_a_frozen_backbone(evaluating):
    backbone = nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    backbone.requires_grad_(False)
    if evaluating:
        backbone.eval()
    net = nn.Sequential(backbone, nn.Linear(4, 4))
    optimizer = optim.SGD(net[1].parameters(), lr=0.01, momentum=0.9)
    train(net, lambda: F.cross_entropy(net(images()), classes()), optimizer)


def test_gradient_accumulation():
    net = perceptron()
    train(net, lambda: F.cross_entropy(net(images()), classes(10)), batches=4)


def test_gradient_accumulation_by_a_sum_of_losses():
    net = perceptron()
    train(net, lambda: sum(F.cross_entropy(net(images()), classes(10)) for _ in range(3)))


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 8), nn.ReLU())
        self.heads = {"kind": nn.Linear(8, 4), "size": nn.Linear(8, 1)}

    def forward(self, x):
        x = self.body(x)
        return {name: head(x) for name, head in self.heads.items()}


@pytest.mark.parametrize("together", [False, True])
def test_several_heads(together):
    net = Heads()
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    linter = nn.Linter(net, optimizer)
    for _ in range(4):
        out = net(vectors())
        losses = [
            F.cross_entropy(out["kind"], classes()),
            F.mse_loss(out["size"][:, 0], vectors(1)[:, 0]),
        ]
        total = losses[0] + 0.1 * losses[1]
        assert linter.check(total if together else losses) == []
        optimizer.zero_grad()
        total.backward()
        optimizer.step()


@pytest.mark.parametrize("norm", [nn.LayerNorm, lambda width: nn.GroupNorm(2, width)])
def test_nets_with_dropout_and_other_norms(norm):
    net = nn.Sequential(
        nn.Linear(6, 8), norm(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 8), norm(8), nn.ReLU()
    ) + nn.Sequential(nn.Dropout(0.5), nn.Linear(8, 4))
    train(net, lambda: F.cross_entropy(net(vectors(count=16)), classes(count=16)))


class Branching(nn.Module):
    """One of two layers, by the data."""

    def __init__(self):
        super().__init__()
        self.positive, self.negative = nn.Linear(6, 4), nn.Linear(6, 4)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        if (x.sum() > 0) if self.calls > 2 else self.calls == 1:
            return self.positive(x)
        return self.negative(x)


class Experts(nn.Module):
    """One of several layers, by number."""

    def __init__(self):
        super().__init__()
        self.experts = nn.ModuleList([nn.Linear(6, 4) for _ in range(3)])
        self.calls = -1

    def forward(self, x):
        self.calls += 1
        return self.experts[self.calls % 3](x)


@pytest.mark.filterwarnings("ignore:.*never got a gradient")
@pytest.mark.parametrize("kind", [Branching, Experts])
def test_a_branch_chosen_by_the_data(kind):
    net = kind()
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    linter = nn.Linter(net, optimizer)
    for _ in range(4):
        loss = F.cross_entropy(net(vectors()), classes())
        assert linter.check(loss) == []
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    findings = nn.lint(net, F.cross_entropy(net(vectors()), classes()), optimizer)
    assert {(f.rule, f.severity) for f in findings} == {("no-gradient", "note")}
    assert all("under a condition" in f.message for f in findings)


def test_a_branch_that_no_step_takes_is_noted_at_last():
    class Never(nn.Module):
        def __init__(self):
            self.body, self.spare = nn.Linear(6, 4), nn.Linear(6, 4)

        def forward(self, x):
            return self.spare(x) if x.shape[0] > 100 else self.body(x)

    net = Never()
    linter = nn.Linter(net)
    told = [linter.check(F.cross_entropy(net(vectors()), classes())) for _ in range(4)]
    assert told[:2] == [[], []]
    assert [(f.rule, f.path, f.severity) for f in told[2]] == [("no-gradient", "spare", "note")]
    assert told[3] == []


def test_branches_mixed_by_a_mask():
    a, b = nn.Linear(6, 4), nn.Linear(6, 4)
    net = nn.ModuleList([a, b])

    def compute():
        x = vectors()
        return F.cross_entropy(ag.where(np.ones((8, 1), bool), a(x), b(x)), classes())

    train(net, compute)


def test_a_hinge_loss_that_is_0():
    net = nn.Linear(2, 2, bias=False)
    with ag.no_grad():
        net.weight.copy_(100.0 * np.eye(2, dtype=np.float32))
    x = np.eye(2, dtype=np.float32)
    loss = F.multiclass_hinge(net(x), [0, 1])
    assert loss.item() == 0
    assert nn.lint(net, loss, optim.SGD(net.parameters(), lr=0.1)) == []


def test_distillation_with_a_teacher_out_of_sight():
    class Student(nn.Module):
        def __init__(self, teacher):
            super().__init__()
            self.body = nn.Linear(6, 4)
            self.teach = lambda x: teacher(x)

        def forward(self, x):
            with ag.no_grad():
                wanted = ag.softmax(self.teach(x), 1)
            return self.body(x), wanted

    net = Student(nn.Linear(6, 4))

    def compute():
        scores, wanted = net(vectors())
        return F.cross_entropy(scores, wanted)

    train(net, compute)


def test_a_critic_of_the_inputs_gradient():
    critic = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))

    def compute():
        x = ag.Tensor(vectors(), requires_grad=True)
        scores = critic(x)
        slope = ag.pullback(ag.sum(scores), x, create_graph=True)
        penalty = ag.mean((ag.sqrt(ag.sum(slope**2, axis=1) + 1e-6) - 1.0) ** 2)
        return ag.mean(scores**2) + 10.0 * penalty

    train(critic, compute)


def test_parameters_without_a_module():
    weights = {
        "W": ag.Tensor(vectors(4, 6), requires_grad=True),
        "b": ag.Tensor(np.zeros(4, np.float32), requires_grad=True),
    }
    optimizer = optim.SGD(list(weights.values()), lr=0.1)
    x, y = vectors(), classes()
    loss = F.cross_entropy(x @ weights["W"] + weights["b"], y)
    assert nn.lint(weights, loss, optimizer) == []
    (finding,) = nn.lint(weights, loss, optim.SGD([weights["W"]], lr=0.1))
    assert (finding.rule, finding.path) == ("not-in-optimizer", "b")


@pytest.mark.parametrize("rates", [(0.0, 0.1, 0.2, 0.3), (0.2, 0.1, 0.0, 0.0)])
def test_a_schedule_that_passes_a_learning_rate_of_0(rates):
    net = perceptron()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    linter = nn.Linter(net, optimizer)
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        loss = F.cross_entropy(net(images()), classes(10))
        assert linter.check(loss) == []
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
