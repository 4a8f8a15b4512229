"""Layers, losses and models under PyTorch's names, on dagrad's graph."""

from __future__ import annotations

from nn import _engine_check as _engine_check
from nn import functional, init
from nn.checkpoints import Checkpoint
from nn.containers import ModuleDict, ModuleList, Sequential
from nn.errors import CheckpointError
from nn.layers.activation import (
    ELU,
    GELU,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from nn.layers.convolution import Conv1d, Conv2d, ConvTranspose2d
from nn.layers.dropout import Dropout, DropPath
from nn.layers.embedding import Embedding
from nn.layers.linear import Linear
from nn.layers.normalization import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm
from nn.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from nn.layers.shape import Flatten, Identity, Unflatten
from nn.linting import RULES as LINT_RULES
from nn.linting import Finding, Linter, LintError, LintWarning, lint
from nn.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    L1Loss,
    MSELoss,
    MultiClassHingeLoss,
    MultiMarginLoss,
    NLLLoss,
)
from nn.module import Module
from nn.parameter import Parameter
from nn.position import TrainingPosition
from nn.randomness import default_rng, manual_seed
from nn.saving import load, save
from nn.state import IncompatibleKeys, StateDictError
from nn.substitution import functional_call

__all__ = [
    "ELU",
    "GELU",
    "LINT_RULES",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Checkpoint",
    "CheckpointError",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "CrossEntropyLoss",
    "DropPath",
    "Dropout",
    "Embedding",
    "Finding",
    "Flatten",
    "GroupNorm",
    "Identity",
    "IncompatibleKeys",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LintError",
    "LintWarning",
    "Linter",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiClassHingeLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "StateDictError",
    "Tanh",
    "TrainingPosition",
    "Unflatten",
    "default_rng",
    "functional",
    "functional_call",
    "init",
    "lint",
    "load",
    "manual_seed",
    "save",
]
