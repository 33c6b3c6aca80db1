"""The engine room: Numba kernels, arrays in, arrays out, and their plain twins.

``kernels.load()`` gives the compiled kernels as attributes, ``kernels.reference`` the plain twins
under the same names.
"""

from gai.kernels.native import Kernels, compile_all, load, ready

__all__ = ["Kernels", "compile_all", "load", "ready"]
