"""What the IBM client raises, in one line: what the user can change, or what the service said."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from qiskit.providers.exceptions import JobError, QiskitBackendNotFoundError

from ...errors import ArgumentError, BackendError, GibbsError, one_line
from .clients import OutOfReach
from .options import LEAST_BUSY, SAVE

NETWORK = ("requests.exceptions", "urllib3.exceptions", "http.client", "socket")
BUSY = (408, 425, 429)  # answers, besides 5xx, that may be another one later
CLIENT_WARNING = "Unable to retrieve IBM Cloud access token"  # once more what `failures` says in one line


@contextmanager
def failures(device: str) -> Iterator[None]:
    """The client's exceptions as one line: what the user can change, or what the service said."""
    from qiskit_ibm_runtime import exceptions as raised
    from qiskit_ibm_runtime.accounts import AccountNotFoundError

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=CLIENT_WARNING)
            yield
    except (GibbsError, OutOfReach):
        raise
    except AccountNotFoundError:
        raise ArgumentError("backend", "have a saved account", "the IBM client finds none", f"run {SAVE}") from None
    except QiskitBackendNotFoundError as error:
        busy = device == LEAST_BUSY
        found = "none of them is online and large enough" if busy else f"{device!r} is not (retired, renamed, "
        found += "" if busy else f"or not in this instance): {one_line(str(error.message))[:160]}"
        fix = "name one of service.backends()" if busy else 'set device = "least_busy", or see service.backends()'
        raise ArgumentError("device", "be one that your account reaches", found, fix) from None
    except Exception as error:
        if unreachable(error):
            raise OutOfReach(f"no network, or the service cannot be reached ({_root(error)})") from None
        said = one_line(str(getattr(error, "message", error)))  # Qiskit's own text is that of a string in quotes
        if isinstance(error, raised.IBMAccountError | raised.IBMNotAuthorizedError):
            said = said.split(", got ")[0][:160]  # what was got may be the token
            raise ArgumentError(
                "backend", "have an account that the service accepts", f"it refused yours: {said}",
                f"save a valid token: run {SAVE}, with overwrite=True",
            ) from None  # fmt: skip
        if isinstance(error, raised.IBMInputValueError):
            raise BackendError(f"The service refused the input: {said[:300]}") from None
        who = "service" if isinstance(error, raised.IBMError | JobError | OSError) else "IBM client"
        raise BackendError(f"The {who} failed: {type(error).__name__}: {said[:300]}") from None


def unreachable(error: BaseException) -> bool:
    """Whether the network or a busy service is at the bottom of an exception, for which the client blames the token.

    An answer that the service gave is not a failure of the network, although it hangs below an exception of one.
    """
    for one in _chain(error):
        status = getattr(getattr(one, "response", None), "status_code", getattr(one, "status_code", None))
        if isinstance(status, int) and status > 0:
            return status >= 500 or status in BUSY
        if isinstance(one, ConnectionError | TimeoutError) or type(one).__module__.startswith(NETWORK):
            return True
    return False


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__


def _root(error: BaseException) -> str:
    last = list(_chain(error))[-1]
    return one_line(f"{type(last).__name__}: {last}")[:120]
