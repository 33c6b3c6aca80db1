"""Many bytes at a time: the machine instructions that Numba has no name for, and byte masks.

A uint64 holds eight bytes of text, the first in the lowest byte (little-endian). A mask has the
high bit of every byte set that answers yes. Masks of text assume that all bytes are ASCII.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types, uint64
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from gai.kernels.build import step

HIGH = uint64(0x8080808080808080)
ONES = uint64(0x0101010101010101)


def _address(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = make_array(signature.args[0])(context, builder, args[0])
    place = builder.gep(array.data, [args[1]])
    return builder.bitcast(place, ir.IntType(64).as_pointer())


@intrinsic
def prefetch(typing: Any, array: Any, i: Any) -> Any:
    """Ask for the cache line of ``array[i]``, which is not read and need not exist."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = make_array(signature.args[0])(context, builder, args[0])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        place = builder.bitcast(builder.gep(array.data, [args[1]]), byte)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        ask = builder.module.declare_intrinsic("llvm.prefetch", (byte,), kind)
        builder.call(ask, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), code


@intrinsic
def load8(typing: Any, array: Any, i: Any) -> Any:
    """Eight bytes of a uint8 array from position ``i``, which needs no alignment."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = builder.load(_address(context, builder, signature, args))
        value.align = 1
        return value

    return types.uint64(array, types.int64), code


@intrinsic
def store8(typing: Any, array: Any, i: Any, value: Any) -> Any:
    """Write eight bytes into a uint8 array at position ``i``."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _address(context, builder, signature, args)).align = 1
        return context.get_dummy_value()

    return types.void(array, types.int64, types.uint64), code


LANES = 64
BYTES = ir.VectorType(ir.IntType(8), LANES)


def _splat(value: int) -> Any:
    return ir.Constant(BYTES, [value] * LANES)


@intrinsic
def classify64(typing: Any, array: Any, i: Any) -> Any:
    """Two masks of 64 bits over the bytes from ``i``: ASCII letters, digits and underscores; and
    bytes that are not ASCII. The compiler makes a few vector instructions of it."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _address(context, builder, signature, args)
        text = builder.load(builder.bitcast(place, BYTES.as_pointer()))
        text.align = 1
        letters = builder.sub(builder.or_(text, _splat(0x20)), _splat(ord("a")))
        digits = builder.sub(text, _splat(ord("0")))
        words = builder.or_(
            builder.icmp_unsigned("<", letters, _splat(26)),
            builder.or_(
                builder.icmp_unsigned("<", digits, _splat(10)),
                builder.icmp_unsigned("==", text, _splat(ord("_"))),
            ),
        )
        high = builder.icmp_signed("<", text, _splat(0))
        masks = [builder.bitcast(mask, ir.IntType(LANES)) for mask in (words, high)]
        return context.make_tuple(builder, signature.return_type, masks)

    return types.UniTuple(types.uint64, 2)(array, types.int64), code


@intrinsic
def trailing_zeros(typing: Any, value: Any) -> Any:
    """The number of zero bits below the lowest set bit; 64 for zero."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), code


@step
def first_byte(mask):  # type: ignore[no-untyped-def]
    """The position (0 to 8) of the first byte that a mask answers yes for."""
    return trailing_zeros(mask) >> 3


@step
def below(count):  # type: ignore[no-untyped-def]
    """All bits of the first ``count`` bytes, 0 <= count < 8."""
    return (uint64(1) << uint64(count << 3)) - uint64(1)


@step
def repeat(byte):  # type: ignore[no-untyped-def]
    """Eight times the same byte."""
    return uint64(byte) * ONES


@step
def between(x, low, high):  # type: ignore[no-untyped-def]
    """Mask of the bytes of ASCII text from ``low`` to ``high``, both included."""
    return (x + repeat(0x80 - low)) & ~(x + repeat(0x7F - high)) & HIGH


@step
def word_bytes(x):  # type: ignore[no-untyped-def]
    """Mask of the ASCII letters, digits and underscores."""
    letters = between(x | repeat(0x20), 0x61, 0x7A)
    underscores = ~((x ^ repeat(0x5F)) + repeat(0x7F)) & HIGH
    return letters | between(x, 0x30, 0x39) | underscores


@step
def lowered(x, fold):  # type: ignore[no-untyped-def]
    """ASCII text with its capitals in lower case where ``fold`` is ``HIGH``, as it is where 0."""
    return x | ((between(x, 0x41, 0x5A) & fold) >> uint64(2))


@step
def bytes_equal(x, byte):  # type: ignore[no-untyped-def]
    """Mask of the bytes that equal ``byte``; exact for any bytes."""
    y = x ^ repeat(byte)
    return ~(((y & ~HIGH) + ~HIGH) | y) & HIGH
