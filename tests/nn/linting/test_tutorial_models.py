"""Models as PyTorch's tutorials write them, rewritten for nn, are right: no finding, in no step."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from nn import functional as F
from tests.nn.linting.loops import classes, images, rng, train, vectors


@pytest.fixture(autouse=True)
def _seeded():
    nn.manual_seed(0)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 3)
        self.fc1 = nn.Linear(16 * 2 * 2, 30)
        self.fc2 = nn.Linear(30, 20)
        self.fc3 = nn.Linear(20, 10)
        self.pool = nn.MaxPool2d(2, 2)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.reshape(len(x), -1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def test_lenet():
    net = LeNet()
    train(net, lambda: nn.CrossEntropyLoss()(net(images()), classes(10)))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid, nn.Tanh, nn.GELU, nn.LogSigmoid])
def test_mlp(activation):
    net = nn.Sequential(nn.Flatten(), nn.Linear(144, 16), activation(), nn.Linear(16, 4))
    optimizer = optim.Adam(net.parameters(), lr=1e-3)
    train(net, lambda: F.cross_entropy(net(images()), classes()), optimizer)


def test_log_softmax_and_nll():
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4), nn.LogSoftmax(dim=1))
    train(net, lambda: F.nll_loss(net(vectors()), classes()))


class BasicBlock(nn.Module):
    def __init__(self, channels, wider=False, zero_gamma=False):
        super().__init__()
        out = 2 * channels if wider else channels
        stride = 2 if wider else 1
        self.conv1 = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.downsample = None
        if wider:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out)
            )
        if zero_gamma:
            nn.init.zeros_(self.bn2.weight)

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + identity)


@pytest.mark.parametrize("zero_gamma", [False, True])
def test_resnet(zero_gamma):
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        BasicBlock(4, zero_gamma=zero_gamma),
        BasicBlock(4, wider=True, zero_gamma=zero_gamma),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    train(net, lambda: F.cross_entropy(net(images(3)), classes()), optimizer)


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))

    def forward(self, left, right):
        return self.body(left), self.body(right)


def test_siamese_with_a_contrastive_loss():
    net = Siamese()

    def compute():
        left, right = net(vectors(), vectors())
        distance = ag.sqrt(ag.sum((left - right) ** 2, axis=1) + 1e-6)
        same = (np.arange(8) % 2).astype(np.float32)
        apart = ag.maximum(2.0 - distance, 0.0)
        return ag.mean(same * distance**2 + (1.0 - same) * apart**2)

    train(net, compute)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(20, 12)
        self.fc21 = nn.Linear(12, 3)
        self.fc22 = nn.Linear(12, 3)
        self.fc3 = nn.Linear(3, 12)
        self.fc4 = nn.Linear(12, 20)

    def forward(self, x):
        hidden = F.relu(self.fc1(x))
        mean, log_variance = self.fc21(hidden), self.fc22(hidden)
        noise = rng.normal(size=mean.shape).astype(np.float32)
        z = mean + ag.exp(0.5 * log_variance) * noise
        return self.fc4(F.relu(self.fc3(z))), mean, log_variance


@pytest.mark.parametrize("beta", [1.0, 0.0])
def test_variational_autoencoder(beta):
    net = VAE()
    data = rng.uniform(size=(8, 20)).astype(np.float32)

    def compute():
        output, mean, log_variance = net(data)
        reconstruction = F.binary_cross_entropy_with_logits(output, data, reduction="sum")
        divergence = -0.5 * ag.sum(1.0 + log_variance - mean**2 - ag.exp(log_variance))
        return reconstruction + beta * divergence

    train(net, compute, optim.Adam(net.parameters(), lr=1e-3))


def test_autoencoder():
    encoder = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    decoder = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 6), nn.Sigmoid())
    net = nn.Sequential(encoder, decoder)
    data = rng.uniform(size=(8, 6)).astype(np.float32)
    train(net, lambda: nn.MSELoss()(net(data), data))


class Words(nn.Module):
    """The sum of a text's word vectors, as EmbeddingBag gives it."""

    def __init__(self, tie=False):
        super().__init__()
        self.embedding = nn.Embedding(20, 6)
        self.fc = nn.Linear(6, 20 if tie else 4, bias=not tie)
        if tie:
            self.fc.weight = self.embedding.weight

    def forward(self, words):
        return self.fc(ag.mean(self.embedding(words), axis=1))


@pytest.mark.parametrize("tie", [False, True])
def test_bag_of_words_and_tied_weights(tie):
    net = Words(tie)
    words = rng.integers(0, 20, (8, 5))
    train(net, lambda: F.cross_entropy(net(words), classes(20 if tie else 4)))


class Recurrent(nn.Module):
    """nn_tutorial's name classifier: a state over the characters."""

    def __init__(self):
        super().__init__()
        self.i2h = nn.Linear(6, 8)
        self.h2h = nn.Linear(8, 8)
        self.h2o = nn.Linear(8, 4)
        self.state = None

    def forward(self, steps, carry=False):
        hidden = ag.Tensor(np.zeros((8, 8), np.float32))
        if carry and self.state is not None:
            hidden = self.state.detach()
        for x in steps:
            hidden = ag.tanh(self.i2h(x) + self.h2h(hidden))
        self.state = hidden
        return self.h2o(hidden)


@pytest.mark.parametrize("carry", [False, True])
def test_recurrent(carry):
    net = Recurrent()
    train(net, lambda: F.cross_entropy(net([vectors() for _ in range(3)], carry), classes()))


class Attention(nn.Module):
    def __init__(self, width=8, heads=2):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        mask = np.where(np.tril(np.ones((5, 5))) > 0, 0.0, -np.inf)
        self.register_buffer("mask", mask.astype(np.float32), persistent=False)

    def forward(self, x):
        count, length, width = x.shape
        parts = self.qkv(self.norm(x)).reshape(count, length, 3, self.heads, width // self.heads)
        q, k, v = (parts[:, :, i].transpose(0, 2, 1, 3) for i in range(3))
        scores = (q @ k.transpose(0, 1, 3, 2)) * (width // self.heads) ** -0.5 + self.mask
        mixed = ag.softmax(scores, -1) @ v
        return x + self.out(mixed.transpose(0, 2, 1, 3).reshape(count, length, width))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(20, 8)
        self.places = nn.Parameter(0.02 * rng.normal(size=(7, 8)).astype(np.float32))
        self.blocks = [Attention(), Attention()]
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(8, 20, bias=False)
        self.head.weight = self.words.weight

    def forward(self, words):
        x = self.drop(self.words(words) + self.places[: words.shape[1]])
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def test_transformer():
    net = Transformer()
    words = rng.integers(0, 20, (4, 6))

    def compute():
        scores = net(words[:, :-1])
        return F.cross_entropy(scores.reshape(-1, 20), words[:, 1:].reshape(-1))

    train(net, compute, optim.AdamW(net.parameters(), lr=1e-3))
