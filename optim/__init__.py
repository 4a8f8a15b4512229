"""Optimizers and learning rate schedules, under PyTorch's names."""

from __future__ import annotations

from optim import _engine_check as _engine_check
from optim import lr_scheduler
from optim.adagrad import Adagrad
from optim.adam import Adam, AdamW
from optim.clipping import clip_grad_norm_, clip_grad_value_
from optim.muon import Muon
from optim.optimizer import Optimizer
from optim.rmsprop import RMSprop
from optim.sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Muon",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm_",
    "clip_grad_value_",
    "lr_scheduler",
]
