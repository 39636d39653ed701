"""One thread where matrices are small, and everything as it was afterwards."""

from __future__ import annotations

import inspect
import json
import os
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import threadpool_info, threadpool_limits

import gibbs_circuits as gc
from gibbs_circuits.limits import ONE_THREAD_ROWS
from gibbs_circuits.linalg.threads import limited, rows_of, simulator_threads, small_matrices, threads_for

ROOT = Path(__file__).parents[2]
assert scipy.linalg  # its BLAS is one of two


@pytest.fixture(autouse=True)
def _two_threads() -> object:
    with threadpool_limits(limits=2):
        yield


def numbers() -> set[int]:
    """Threads of NumPy's and SciPy's BLAS, as threadpoolctl reads them anew; Aer's own has one thread at all times."""
    own = [pool for pool in threadpool_info() if pool["user_api"] == "blas" and "aer" not in pool["filepath"]]
    return {int(pool["num_threads"]) for pool in own}


def test_threads_for__small__one_inside_and_as_before_after() -> None:
    assert numbers() == {2}
    with threads_for(ONE_THREAD_ROWS):
        assert numbers() == {1}
    assert numbers() == {2}


@pytest.mark.parametrize("rows", [ONE_THREAD_ROWS + 1, 2**40, None])
def test_threads_for__large_or_unknown__left_alone(rows: int | None) -> None:
    with threads_for(rows):
        assert numbers() == {2}


def test_threads_for__nested_and_raising__the_last_to_leave_restores() -> None:
    with pytest.raises(ZeroDivisionError), threads_for(2), threads_for(4):
        raise ZeroDivisionError
    assert numbers() == {2}
    with threads_for(2):
        with threads_for(2):
            pass
        assert numbers() == {1}
    assert numbers() == {2}


def test_threads_for__in_a_thread_of_the_users__touches_nothing() -> None:
    """From there OpenBLAS ignores the number or sets it for all: the last of two to leave would leave one thread."""
    entered, leave, seen = threading.Event(), threading.Event(), []

    def other() -> None:
        with threads_for(2):
            seen.append(numbers())
            entered.set()
            leave.wait(10)

    second = threading.Thread(target=other)
    second.start()
    assert entered.wait(10)
    with threads_for(2):
        assert numbers() == {1}
        leave.set()
        second.join()
    assert seen == [{2}]
    assert numbers() == {2}


def test_control__a_limiter_each__would_leave_one_thread() -> None:
    first, second = threadpool_limits(limits=1), threadpool_limits(limits=1)
    first.restore_original_limits()
    second.restore_original_limits()
    assert numbers() == {1}


def test_threads_for__is_cheap() -> None:
    with threads_for(2):
        pass
    taken = []
    for _ in range(200):
        began = time.perf_counter()
        with threads_for(2):
            pass
        taken.append(time.perf_counter() - began)
    assert min(taken) < 2e-4


@pytest.mark.parametrize(("n", "rows"), [(0, 1), (1, 4), (4, 256), (5, 1024), (6, 64), (10, 1024), (12, 4096)])
def test_rows_of__superoperators_to_five__operators_above(n: int, rows: int) -> None:
    assert rows_of(n) == rows
    with small_matrices(n):
        assert numbers() == ({1} if rows <= ONE_THREAD_ROWS else {2})


def test_limited__looks_at_what_it_is_given() -> None:
    seen = limited(lambda *args, **kwargs: numbers())
    assert seen(gc.models.tfim(4)) == {1}
    assert seen(np.eye(8)) == {1}
    assert seen(subject=gc.models.tfim(3)) == {1}
    assert seen(gc.models.tfim(14)) == {2}
    assert seen(gc.models.tfim(14), np.eye(2)) == {2}
    assert seen("nothing", 3) == {2}
    assert seen() == {2}


def test_limited__a_users_odd_object__is_the_functions_own_business() -> None:
    class Odd:
        @property
        def num_qubits(self) -> int:
            raise RuntimeError

        shape = ("a", "b")

    assert limited(lambda odd: numbers())(Odd()) == {2}


def test_public_functions__work_on_one_thread__and_keep_their_signature() -> None:
    functions = [getattr(gc, name) for name in gc.__all__ if inspect.isfunction(getattr(gc, name))]
    assert len(functions) > 30
    for function in functions:
        assert inspect.signature(function) == inspect.signature(function.__wrapped__)
        assert function.__doc__ == function.__wrapped__.__doc__
    assert gc.kms is gc.dll
    seen: list[set[int]] = []

    class Watched(gc.Model):
        @property
        def num_qubits(self) -> int:
            seen.append(numbers())
            return super().num_qubits

    gc.gibbs_state(Watched(gc.models.tfim(2).hamiltonian), 1.0)
    assert {1} in seen
    assert numbers() == {2}


def test_limited__of_a_module__can_be_pickled_by_name() -> None:
    assert limited(rows_of).__module__ == rows_of.__module__
    assert pickle.loads(pickle.dumps(gc.models.tfim)) is gc.models.tfim


@pytest.mark.parametrize("amplitudes", [1, 2**14])
def test_simulator__a_small_state__one_thread(amplitudes: int) -> None:
    assert simulator_threads(amplitudes) == 1


@pytest.mark.parametrize("amplitudes", [2**14 + 1, None])
def test_simulator__a_large_state_or_shots__all(amplitudes: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 7)
    assert simulator_threads(amplitudes) == 7


@pytest.mark.slow
def test_exact__any_number_of_threads__the_same_document() -> None:
    """The last bits of an eigenvector depend on how BLAS splits a matrix; on one thread they do not."""
    arguments = ["exact", "experiments/any_bath.toml", "--json"]
    code = f"import sys; from gibbs_circuits.cli.options import status; sys.exit(status({arguments}))"
    answers = set()
    for number in ("1", "3"):
        environment = {**os.environ, "OMP_NUM_THREADS": number, "OPENBLAS_NUM_THREADS": number}
        ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=environment)
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)
        answers.add(ran.stdout)
    assert len(answers) == 1
