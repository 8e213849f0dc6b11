"""Processes of the tests' own that begin at once: forked from one server that has imported all they take."""

import multiprocessing
from multiprocessing.context import ForkServerContext

__all__ = ["forked"]


def forked() -> ForkServerContext:
    """The context that makes them; there is one server in a process of tests, so one list of what it imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.warm", "tests.store.appending"])
    return context
