"""Small graphs that several tests draw."""

from __future__ import annotations

import numpy as np

import autograd as ag
import nn


class Block(nn.Module):
    """y = x + relu(W x + b)."""

    def __init__(self, width):
        self.fc = nn.Linear(width, width)
        self.act = nn.ReLU()

    def forward(self, x):
        return x + self.act(self.fc(x))


class Net(nn.Module):
    """A stem, equal blocks and a head."""

    def __init__(self, blocks=12):
        self.stem = nn.Linear(3, 2)
        self.blocks = nn.Sequential(*[Block(2) for _ in range(blocks)])
        self.head = nn.Linear(2, 1)
        for index, parameter in enumerate(self.parameters()):
            values = np.linspace(-0.4, 0.5, parameter.size).reshape(parameter.shape)
            parameter.data[...] = values + index / 64

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)))


def inputs():
    return (
        ag.Tensor(1.0, requires_grad=True, name="w1"),
        ag.Tensor(2.0, requires_grad=True, name="w2"),
    )


def waves():
    w1, w2 = inputs()
    return w1, w2, ag.sin(w1 * w2) + w1 * w1


def network(blocks=12):
    net = Net(blocks)
    return net, ag.sum(net(np.array([[1.0, -1.0, 2.0]], np.float32)))


def derivative():
    w1, w2 = inputs()
    return ag.pullback(ag.sin(w1 * w2), w1, create_graph=True)


def factors():
    x = ag.Tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True, name="x")
    result = ag.linalg.eigh(x)
    return [result.eigenvalues, result.eigenvectors]


def large():
    x = ag.Tensor(np.arange(1.0, 31.0).reshape(5, 6), requires_grad=True, name="x")
    with ag.keep_values():
        return ag.sum(ag.log(x) * x, 0)


def chain(length=30):
    y = ag.Tensor(1.0, requires_grad=True)
    for _ in range(length):
        y = y * 1.01
    return y


def labelled():
    x = ag.Tensor(0.5, requires_grad=True, name='<lambda> & "é"\nline \\ two')
    return ag.exp(x)
