"""From a Numba function to an object file. Imports Numba, so only compiling imports this."""

from __future__ import annotations

import importlib
import re
from typing import Any

import llvmlite.binding as llvm
from numba import carray, cfunc, njit, types
from numba.core.types import Type

SCALARS: dict[str, Type] = {
    "u1": types.uint8,
    "i4": types.int32,
    "i8": types.int64,
    "u4": types.uint32,
    "u8": types.uint64,
    "f4": types.float32,
    "f8": types.float64,
}

kernel = njit(error_model="numpy", nogil=True, _nrt=False)
"""The decorator of kernels and of their rare branches.

Without reference counts for arrays: nothing here keeps one, and counting costs in the inner loop.
"""

step = njit(error_model="numpy", nogil=True, _nrt=False, forceinline=True)
"""The decorator of a step that the loops take for every token: always inlined.

An array arrives as five machine words, so that calling a step costs more than most steps do.
"""

REORDERED = {"reassoc", "contract", "nsz", "arcp"}
"""What float arithmetic may be rounded differently for; NaN and infinity stay what they are."""

quick = njit(error_model="numpy", nogil=True, _nrt=False, fastmath=REORDERED)
"""The decorator of kernels whose sums of floats may be made in another order: many at a time.

The same machine makes the same bits every time, another processor perhaps others.
"""


def exported(arguments: str) -> Any:
    """A decorator that gives a kernel its argument types, such as ``"u1* i8 i8*"``.

    ``u1*`` is a flat contiguous array of uint8, ``i8`` a number. Every kernel returns an int64.
    """

    def mark(function: Any) -> Any:
        function.arguments = arguments.split()
        return function

    return mark


def compile_kernel(module: str, name: str) -> tuple[dict[str, Any], bytes]:
    """What the loader must know of a kernel, and its machine code."""
    function = getattr(importlib.import_module(f"gai.kernels.{module}"), name)
    entry = _entry(name, function)
    text = entry.inspect_llvm()
    if "@NRT_MemInfo_alloc" in text or "@NRT_Allocate" in text:
        raise TypeError(f"kernel {name} allocates; its caller must")
    parsed = llvm.parse_assembly(text)
    symbol = next(f.name for f in parsed.functions if f.name.startswith("cfunc."))
    _hide_all_but(symbol, parsed)
    header = {"arguments": function.arguments, "symbol": symbol, "needs": _needs(text)}
    return header, _machine().emit_object(parsed)


def _hide_all_but(symbol: str, module: Any) -> None:
    """Make every other symbol private.

    Numba numbers the functions of a process, so that kernels compiled by two processes may give
    the same name to different functions.
    """
    for value in [*module.functions, *module.global_variables]:
        if not value.is_declaration and value.name != symbol:
            value.linkage = "internal"


def _entry(name: str, function: Any) -> Any:
    """A C function around a kernel: each array arrives as an address and a length."""
    names, values, kinds = [], [], []
    for i, kind in enumerate(function.arguments):
        if kind.endswith("*"):
            names += [f"p{i}", f"n{i}"]
            values.append(f"carray(p{i}, n{i})")
            kinds += [types.CPointer(SCALARS[kind[:-1]]), types.int64]
        else:
            names.append(f"x{i}")
            values.append(f"x{i}")
            kinds.append(SCALARS[kind])
    source = f"def {name}({', '.join(names)}):\n    return function({', '.join(values)})\n"
    space = {"function": function, "carray": carray}
    exec(source, space)
    return cfunc(types.int64(*kinds), error_model="numpy")(space[name])


def _needs(text: str) -> list[str]:
    """The symbols that the machine code expects to find in the process."""
    declared = re.findall(r'^declare [^@]*@"?([^"(]+)"?\(', text, re.MULTILINE)
    return sorted(name for name in declared if not name.startswith("llvm."))


def _machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
    )
