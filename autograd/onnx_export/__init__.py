"""Models as ONNX files: what a function computes, call by call, in another library's terms."""

from __future__ import annotations

from autograd.onnx_export.exporting import to_onnx

__all__ = ["to_onnx"]
