"""Moved to gai.matrix."""
from gai.matrix import *  # noqa
from gai.matrix import cut, CELLS  # noqa
from gai.threads import in_order  # noqa
