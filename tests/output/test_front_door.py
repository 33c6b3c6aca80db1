"""``import gai``: the names, loaded when they are used."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gai

ROOT = Path(__file__).parent.parent.parent


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    if "version" not in project.get("dynamic", ()):
        assert gai.__version__ == project["version"]


def test_importing_gai_loads_nothing_else() -> None:
    code = "import sys, gai; gai.__version__; print(*(m for m in sys.modules if 'gai' in m), "
    code += "'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["gai", "False"]


@pytest.mark.parametrize("name", sorted(set(gai.__all__) - {"__version__"}))
def test_every_name_is_there(name: str) -> None:
    value = getattr(gai, name)
    assert getattr(value, "__name__", name) == name
    assert name in dir(gai)


def test_every_name_is_listed() -> None:
    assert set(gai._HOMES) | {"__version__"} == set(gai.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tfidff'"):
        _ = gai.tfidff
