"""The examples of the docstrings run, of Python modules and of the extension's classes."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import nanobook

pytest.importorskip("polars")

MODULES = ["nanobook"] + [
    module.name
    for module in pkgutil.walk_packages(nanobook.__path__, "nanobook.")
    if not module.name.startswith("nanobook._lib")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module(name):
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert failed == 0


def extension_objects():
    from nanobook import _lib

    for _, module in inspect.getmembers(_lib, inspect.ismodule):
        for name, thing in inspect.getmembers(module):
            if not name.startswith("_") and (inspect.isclass(thing) or callable(thing)):
                yield f"{module.__name__}.{name}", thing


@pytest.mark.parametrize("name, thing", [pytest.param(n, t, id=n) for n, t in extension_objects()])
def test_examples_of_the_extension(name, thing):
    things = [(name, thing)] + ([(f"{name}.{n}", m) for n, m in vars(thing).items()] if inspect.isclass(thing) else [])
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for part, object_ in things:
        runner.run(parser.get_doctest(getattr(object_, "__doc__", None) or "", {}, part, None, 0))
    assert runner.failures == 0


def public(module):
    return [getattr(module, name) for name in module.__all__]


def test_everything_public_is_documented():
    for thing in public(nanobook):
        if inspect.isclass(thing) or callable(thing):
            assert thing.__doc__, thing
    for thing in [nanobook.Frame, nanobook.Column, nanobook.Exchange, nanobook.MultiExchange, nanobook.OrderBook]:
        for name, method in vars(thing).items():
            if not name.startswith("_"):
                assert method.__doc__, f"{thing.__name__}.{name}"


def test_names_that_are_loaded_late_are_those_that_checkers_see():
    tree = ast.parse(Path(nanobook.__file__).read_text(encoding="utf-8"))
    [late] = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {node.module: [name.name for name in node.names] for node in late.body if isinstance(node, ast.ImportFrom)}
    modules = seen.pop("nanobook")
    assert seen == {home: names.split() for home, names in nanobook._HOMES.items()}
    for home, names in seen.items():
        for name in names:
            assert getattr(nanobook, name) is getattr(importlib.import_module(home), name)
    for name in [*modules, "risk", "itch", "reports"]:
        assert getattr(nanobook, name) is importlib.import_module(f"nanobook.{name}")
    assert set(nanobook.__all__) <= set(dir(nanobook))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        nanobook.nothing


def test_the_names_are_those_that_are_listed():
    assert nanobook.__all__ == sorted(nanobook.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    for name in nanobook.__all__:
        assert hasattr(nanobook, name)
