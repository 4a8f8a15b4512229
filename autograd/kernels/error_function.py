"""The error function, vectorised, for real and (near the real line) complex arrays.

In float32 it is x + x P(x^2) for |x| < 7/8, and 1 - exp(|x| Q(|x|)) beyond, with polynomials that
were fitted to it and are computed in float64. In float64 it follows fdlibm's s_erf.c: rational
approximations on |x| < 0.84375, on |x| < 1.25, on |x| < 1/0.35 and on |x| < 6.

    Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
    Developed at SunPro, a Sun Microsystems, Inc. business.
    Permission to use, copy, modify, and distribute this software is freely granted, provided
    that this notice is preserved.

The same kind of approximation is in W. J. Cody, "Rational Chebyshev approximations for the error
function", Mathematics of Computation 23 (1969).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from autograd.kernels import backend
from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.buffers import empty_like, fills_memory
from autograd.kernels.workers import parallel_cuts

__all__ = ["FAR", "NEAR", "SATURATED", "SPLIT", "erf"]

Array = np.ndarray[Any, Any]

PASSES = 16
"""About as many sums of the entries take as long as NumPy's error function."""

GRAIN = 1 << 12
"""Elements: parts of an array begin at multiples of it, so that cache lines are not shared."""

NANOSECONDS: Final = {"f": 1.0, "d": 10.0}
"""About what an entry takes one thread."""

BLOCK = 1 << 13
"""Entries that NumPy computes at a time, whose intermediate results stay in the cache."""

SPLIT, SATURATED = 0.875, 4.0
"""Where the polynomials for float32 meet, and from where on the result is 1."""

# The largest errors, relative to erf: 3e-10. Constant term first.
NEAR: Final = (
    1.28379166894e-01,
    -3.76126362937e-01,
    1.12837364267e-01,
    -2.68617735295e-02,
    5.20721925512e-03,
    -8.21654687871e-04,
    8.69896580913e-05,
)
FAR: Final = (
    -1.12853263028e00,
    -6.35714047683e-01,
    -1.05089953462e-01,
    2.24916600046e-02,
    -2.81720425915e-03,
    8.63204676896e-06,
    5.36328894318e-05,
    -5.60025522183e-06,
)

_EFX = 1.28379167095512586316e-01  # 2/sqrt(pi) - 1
_ERX = 8.45062911510467529297e-01  # erf(1), rounded to single precision

# Numerators and denominators, constant term first.
_PP = (
    1.28379167095512558561e-01,
    -3.25042107247001499370e-01,
    -2.84817495755985104766e-02,
    -5.77027029648944159157e-03,
    -2.37630166566501626084e-05,
)
_QQ = (
    1.0,
    3.97917223959155352819e-01,
    6.50222499887672944485e-02,
    5.08130628187576562776e-03,
    1.32494738004321644526e-04,
    -3.96022827877536812320e-06,
)
_PA = (
    -2.36211856075265944077e-03,
    4.14856118683748331666e-01,
    -3.72207876035701323847e-01,
    3.18346619901161753674e-01,
    -1.10894694282396677476e-01,
    3.54783043256182359371e-02,
    -2.16637559486879084300e-03,
)
_QA = (
    1.0,
    1.06420880400844228286e-01,
    5.40397917702171048937e-01,
    7.18286544141962662868e-02,
    1.26171219808761642112e-01,
    1.36370839120290507362e-02,
    1.19844998467991074170e-02,
)
_RA = (
    -9.86494403484714822705e-03,
    -6.93858572707181764372e-01,
    -1.05586262253232909814e01,
    -6.23753324503260060396e01,
    -1.62396669462573470355e02,
    -1.84605092906711035994e02,
    -8.12874355063065934246e01,
    -9.81432934416914548592e00,
)
_SA = (
    1.0,
    1.96512716674392571292e01,
    1.37657754143519042600e02,
    4.34565877475229228821e02,
    6.45387271733267880336e02,
    4.29008140027567833386e02,
    1.08635005541779435134e02,
    6.57024977031928170135e00,
    -6.04244152148580987438e-02,
)
_RB = (
    -9.86494292470009928597e-03,
    -7.99283237680523006574e-01,
    -1.77579549177547519889e01,
    -1.60636384855821916062e02,
    -6.37566443368389627722e02,
    -1.02509513161107724954e03,
    -4.83519191608651397019e02,
)
_SB = (
    1.0,
    3.03380607434824582924e01,
    3.25792512996573918826e02,
    1.53672958608443695994e03,
    3.19985821950859553908e03,
    2.55305040643316442583e03,
    4.74528541206955367215e02,
    -2.24409524465858183362e01,
)

_LARGEST_IMAGINARY = 4.0


def erf(x: Any) -> Any:
    """2/sqrt(pi) * integral of exp(-t^2) from 0 to x.

    Within 2 units in the last place of `math.erf` in float64; float16 and float32 are computed in
    float64, to nine digits, and rounded. Complex arguments are taken up to |imag| = 4 (a ValueError
    beyond), which is what complex-step derivatives and checks near the real line need.

    >>> erf(np.array([-np.inf, 0.0, 0.5])).round(6).tolist()
    [-1.0, 0.0, 0.5205]
    """
    if not isinstance(x, (np.ndarray, np.generic)):
        x = np.asarray(x)[()]
    if issubclass(x.dtype.type, np.complexfloating):
        return _complex_erf(np.asarray(x, np.complex128)).astype(x.dtype)[()]
    dtype = x.dtype if issubclass(x.dtype.type, np.floating) else np.dtype(np.float64)
    if _goes_compiled(x):
        return _compiled(x)
    array = np.asarray(x)
    if dtype.itemsize > 4:
        return _real_erf(array.astype(np.float64, copy=False)).astype(dtype, copy=False)[()]
    flat = array.reshape(-1)
    out = np.empty(flat.shape, dtype)
    for first in range(0, flat.size, BLOCK):
        part = slice(first, first + BLOCK)
        out[part] = _rounded_erf(flat[part].astype(np.float64))
    return out.reshape(array.shape)[()]


def _goes_compiled(x: Any) -> bool:
    size = PASSES * x.size
    if size < backend.fewest or type(x) is not np.ndarray or not x.ndim:
        return False
    return compiled_for(x.dtype, size) and fills_memory(x)


def _compiled(x: Array) -> Array:
    from autograd.kernels import compiled_error_function as compiled

    kernel = compiled.erf_float32 if x.dtype.char == "f" else compiled.erf
    out = empty_like(x)
    flat = read_only(x.ravel(order="K")), out.ravel(order="K")
    parallel_cuts(kernel, flat, (), GRAIN, NANOSECONDS[x.dtype.char] * x.size)
    return out


def _rounded_erf(x: Array) -> Array:
    """To nine digits, of a float64 array that is written over."""
    sizes = np.abs(x)
    far = sizes > SPLIT
    np.minimum(sizes, SATURATED, out=sizes)
    tails = _polynomial(FAR, sizes)
    tails *= sizes
    np.exp(tails, out=tails)
    np.subtract(1.0, tails, out=tails)
    np.copysign(tails, x, out=tails)
    np.square(sizes, out=sizes)
    factors = _polynomial(NEAR, sizes)
    factors *= x
    factors += x
    np.copyto(factors, tails, where=far)
    return factors


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    total = np.full(x.shape, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total *= x
        total += coefficient
    return total


def _real_erf(array: Array) -> Array:
    x = array.reshape(-1)
    a = np.abs(x)
    out = np.sign(x)  # right from |x| = 6 on, and NaN for NaN
    inner = a < 0.84375
    if inner.any():
        v = x[inner]
        square = v * v
        out[inner] = v + v * (_polynomial(_PP, square) / _polynomial(_QQ, square))
    middle = (a >= 0.84375) & (a < 1.25)
    if middle.any():
        s = a[middle] - 1.0
        out[middle] = np.copysign(_ERX + _polynomial(_PA, s) / _polynomial(_QA, s), x[middle])
    for lower, upper, numerator, denominator in (
        (1.25, 1 / 0.35, _RA, _SA),
        (1 / 0.35, 6.0, _RB, _SB),
    ):
        outer = (a >= lower) & (a < upper)
        if outer.any():
            v = a[outer]
            s = 1.0 / (v * v)
            ratio = _polynomial(numerator, s) / _polynomial(denominator, s)
            # exp(-v*v) with v*v split exactly: a float32 value squared is exact in float64.
            z = v.astype(np.float32).astype(np.float64)
            tail = np.exp(-z * z - 0.5625) * np.exp((z - v) * (z + v) + ratio) / v
            out[outer] = np.copysign(1.0 - tail, x[outer])
    return out.reshape(array.shape)


def _complex_erf(z: Array) -> Array:
    """Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964), formula 7.1.29.

    erf(x + iy) = erf(x) + exp(-x^2)/(2 pi x) [(1 - cos 2xy) + i sin 2xy]
        + 2/pi exp(-x^2) sum over n of exp(-n^2/4)/(n^2 + 4x^2) [f_n + i g_n].

    The real and the imaginary part each keep their own relative accuracy as y goes to 0.
    """
    x, y = z.real, z.imag
    if np.any(np.abs(y) > _LARGEST_IMAGINARY):
        raise ValueError(
            f"erf of complex numbers is only for |imag| <= {_LARGEST_IMAGINARY}; got imaginary "
            f"parts up to {np.max(np.abs(y))}"
        )
    clipped = np.clip(x, -28.0, 28.0)  # exp(-28**2) is 0; keeps inf out of the products
    cosine, sine = np.cos(2 * clipped * y), np.sin(2 * clipped * y)
    # (1 - cos 2xy)/(2x) = y sin(xy) sinc(xy) and sin(2xy)/(2x) = y sinc(2xy), smooth at x = 0;
    # 1 - cosh(ny) cos(2xy) is written with squares of sines, which do not cancel.
    half_sine = np.sin(clipped * y)
    real = y * half_sine * np.sinc(clipped * y / np.pi)
    imaginary = y * np.sinc(2 * clipped * y / np.pi)
    for n in range(1, 26):
        weight = 2 * np.exp(-n * n / 4.0) / (n * n + 4 * clipped * clipped)
        big, odd = np.cosh(n * y), np.sinh(n * y)
        difference = half_sine**2 - cosine * np.sinh(n * y / 2) ** 2
        real = real + weight * (4 * clipped * difference + n * odd * sine)
        imaginary = imaginary + weight * (2 * clipped * big * sine + n * odd * cosine)
    scale = np.exp(-clipped * clipped) / np.pi
    out = np.empty(z.shape, np.complex128)
    out.real = _real_erf(x) + scale * real
    out.imag = scale * imaginary
    return out
