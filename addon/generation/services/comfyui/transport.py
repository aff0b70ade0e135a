# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP boundary: the only module that knows requests. Every foreign error becomes a `ServiceError` here.

No redirect is followed, no answer is read without a limit, nothing sent to loopback takes the way through a proxy.
"""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from ....errors import ServiceError, ServiceFault, storage_error
from ..address import parse_address
from ..port import NoAnswer, ServiceUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from requests import PreparedRequest, Response, Session

    from .deadline import Deadline

CONNECT_S = 5.0
READ_S = 30.0
PIECE = 1 << 17
"""What is read at once. When a connection breaks, at most so much of what had arrived is lost."""
LARGEST_JSON = 64 << 20
LARGEST_FILE = 2 << 30
_HANDLED = frozenset({200, 201, 206, 400, 404, 405, 409, 413, 416, 422})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that the caller judges: one of the statuses that mean something to it."""

    status: int
    is_json: bool
    data: Any
    text: str

    def mapping(self) -> dict[str, Any]:
        """The JSON object of the answer; raises `ServiceError` (protocol) for anything else."""
        if not self.is_json or not isinstance(self.data, dict):
            raise ServiceError(
                "The service answered with something that is not JSON; a login page may stand before it.",
                "Open the address in a browser and check that it is the service itself.",
            )
        return cast("dict[str, Any]", self.data)


class Multipart:
    """One file and some fields as a multipart body of known length, read in pieces while it is sent.

    The file is never in memory as a whole. Iterating again begins again.
    """

    def __init__(self, file: Path, filename: str, fields: Mapping[str, str], on_bytes: Callable[[int], None]) -> None:
        boundary = uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{filename}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        self._head = "".join(parts).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._file = file
        self._on_bytes = on_bytes
        self._size = len(self._head) + file.stat().st_size + len(self._tail)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        with self._file.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
                self._on_bytes(len(piece))
        yield self._tail


class Transport:
    """HTTP with one service. ``url`` as `parse_address` takes it; ``headers`` go to that host only.

    ``deadline`` bounds every call as a whole; ``connect_s`` and ``read_s`` bound its pieces.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        connect_s: float = CONNECT_S,
        read_s: float = READ_S,
        deadline: Deadline | None = None,
    ) -> None:
        self.address = parse_address(url)
        self._headers = dict(headers or {})
        self._timeout = (connect_s, read_s)
        self._deadline = deadline
        self._session: Session | None = None

    def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Reply:
        """GET a JSON answer."""
        return self._reply("GET", path, params=dict(params or {}))

    def post(self, path: str, body: object) -> Reply:
        """POST ``body`` as JSON."""
        data = json.dumps(body, allow_nan=False).encode()
        return self._reply("POST", path, data=data, headers={"Content-Type": "application/json"})

    def post_file(
        self,
        path: str,
        file: Path,
        filename: str,
        fields: Mapping[str, str],
        on_bytes: Callable[[int], None] = lambda _: None,
    ) -> Reply:
        """POST a file as the multipart part ``image``, streamed from disk."""
        try:
            body = Multipart(file, filename, fields, on_bytes)
        except OSError as error:
            raise storage_error(error, file) from error
        return self._reply("POST", path, data=body, headers={"Content-Type": body.content_type})

    def download(
        self,
        path: str,
        params: Mapping[str, str],
        target: Path,
        on_bytes: Callable[[int], None],
        largest: int = LARGEST_FILE,
    ) -> None:
        """GET a file of at most ``largest`` bytes into ``target``. What is there already is kept, the rest asked for.

        Raises `ServiceError`: expired if the file is gone, transient if the connection ends before the file does (what
        has arrived stays in ``target`` for the next try).
        """
        have = target.stat().st_size if target.is_file() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with self._send("GET", path, params=dict(params), headers=headers, stream=True) as response:
            if response.status_code == 416 and _total(response) == have:
                return
            if response.status_code == 416:
                target.unlink()
                raise _cut_off(self.address.url)
            if response.status_code not in {200, 206}:
                raise _gone(response.status_code)
            self._save(response, target, have if response.status_code == 206 else 0, on_bytes, largest)

    def _save(
        self, response: Response, target: Path, offset: int, on_bytes: Callable[[int], None], largest: int
    ) -> None:
        from requests import RequestException  # noqa: PLC0415 - slow to import, not needed at start

        expected = self._length(response)
        if offset + expected > largest:
            raise _too_large(largest)
        got = 0
        try:
            with target.open("ab" if offset else "wb") as file:
                for piece in response.iter_content(PIECE):
                    got += len(piece)
                    if offset + got > largest:
                        raise _too_large(largest)
                    file.write(piece)
                    on_bytes(len(piece))
                file.flush()
                os.fsync(file.fileno())
        except RequestException as error:
            raise (_slow if _is_late(error) else _cut_off)(self.address.url) from error
        except OSError as error:
            raise storage_error(error, target) from error
        if expected >= 0 and got != expected:
            raise _cut_off(self.address.url)

    def _length(self, response: Response) -> int:
        """What ``Content-Length`` says, 0 or less if it says nothing."""
        word = response.headers.get("Content-Length", "").strip()
        number = _whole(word)
        if word and number is None:
            raise _damaged(self.address.url)
        return -1 if number is None else number

    def _reply(self, method: str, path: str, **options: Any) -> Reply:
        with self._send(method, path, stream=True, **options) as response:
            body = self._read(response)
        is_json = "json" in response.headers.get("Content-Type", "") and response.status_code != 413
        text = body.decode("utf-8", "replace")
        try:
            data: object = json.loads(text) if is_json and text else None
        except (ValueError, RecursionError) as error:
            raise _damaged(self.address.url) from error
        return Reply(response.status_code, is_json, data, text[:2000])

    def _read(self, response: Response) -> bytes:
        from requests import RequestException  # noqa: PLC0415 - slow to import, not needed at start

        body = bytearray()
        try:
            for piece in response.iter_content(PIECE):
                body += piece
                if len(body) > LARGEST_JSON:
                    raise _too_large(LARGEST_JSON)
        except RequestException as error:
            raise (_slow if _is_late(error) else _cut_off)(self.address.url) from error
        return bytes(body)

    def _send(self, method: str, path: str, **options: Any) -> Response:
        import requests  # noqa: PLC0415 - slow to import, not needed at start
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - comes with requests

        url = self.address.url
        session = self._open()
        try:
            response = session.request(method, url + path, timeout=self._timeout, allow_redirects=False, **options)
        except requests.exceptions.SSLError as error:
            raise ServiceError(
                f"The certificate of {url} is not trusted.",
                "Check the address, or have the certificate repaired.",
            ) from error
        except requests.exceptions.ReadTimeout as error:
            raise _slow(url) from error
        except (requests.exceptions.ConnectTimeout, requests.exceptions.ConnectionError) as error:
            raise _no_connection(url, error) from error
        except (requests.exceptions.RequestException, HTTPError, ValueError) as error:
            raise ServiceError(f"{url} cannot be asked.", "Check the address of the service.") from error
        if response.status_code not in _HANDLED:
            with response:
                raise self._refused(response)
        return response

    def _open(self) -> Session:
        """The session, for a call that begins now."""
        import requests  # noqa: PLC0415 - slow to import, not needed at start

        from .deadline import Deadline, DeadlineAdapter  # noqa: PLC0415 - imports requests

        if self._session is None:
            session = requests.Session()
            session.headers.update({"User-Agent": "SecondUnit", "Accept": "*/*", **self._headers})
            session.auth = _no_netrc
            # Even unfollowed, requests reads a redirect's whole body and parses its target.
            session.get_redirect_target = _no_target
            session.trust_env = not self.address.is_loopback
            self._deadline = self._deadline or Deadline(self._timeout[1])
            for scheme in ("http://", "https://"):
                session.mount(scheme, DeadlineAdapter(self._deadline))
            self._session = session
        if self._deadline is not None:
            self._deadline.begin()
        return self._session

    def _refused(self, response: Response) -> ServiceError:
        status, url = response.status_code, self.address.url
        if status in {401, 403} or 300 <= status < 400:
            return ServiceError(
                f"The service at {url} does not let you in ({status}).",
                "Check its key or log in to what stands before it, then run 'second-unit jobs resume'.",
                fault=ServiceFault.AUTH,
            )
        if status == 402:
            return ServiceError(
                f"The service at {url} says that your credit is used up.",
                "Add credit there, then run 'second-unit jobs resume'.",
                fault=ServiceFault.QUOTA,
            )
        wait = _retry_after(response.headers.get("Retry-After"))
        if status == 429:
            return ServiceError(
                f"The service at {url} asks to go slower.",
                "Wait a while, then run 'second-unit jobs resume'.",
                fault=ServiceFault.RATE_LIMITED,
                retry_after_s=wait,
            )
        fault = ServiceFault.TRANSIENT if status in {408, 425} or status >= 500 else ServiceFault.PROTOCOL
        return ServiceError(
            f"The service at {url} failed to answer ({status}).",
            "Look at the service's own log, then run 'second-unit jobs resume'.",
            fault=fault,
            retry_after_s=wait,
        )


def _no_netrc(request: PreparedRequest) -> PreparedRequest:
    """Keep requests from sending what ~/.netrc says: keys go out only by the user's word."""
    return request


def _no_target(resp: Response) -> None:
    """No answer is a redirect."""
    del resp


def _never_connected(error: Exception) -> bool:
    from requests.exceptions import ConnectTimeout  # noqa: PLC0415 - slow to import, not needed at start
    from urllib3.exceptions import NewConnectionError  # noqa: PLC0415 - comes with requests

    cause = error.args[0] if error.args else None
    return isinstance(error, ConnectTimeout) or isinstance(getattr(cause, "reason", cause), NewConnectionError)


def _no_connection(url: str, error: Exception) -> ServiceError:
    if _never_connected(error):
        return _nobody(url)
    return _slow(url) if _is_late(error) else _cut_off(url)


def _is_late(error: Exception) -> bool:
    """Whether the time was up in the middle of something: requests calls that a broken connection."""
    from urllib3.exceptions import ReadTimeoutError  # noqa: PLC0415 - comes with requests

    cause = error.args[0] if error.args else None
    found = (cause, getattr(cause, "reason", None), *getattr(cause, "args", ()))
    return any(isinstance(one, ReadTimeoutError | TimeoutError) for one in found)


def _total(response: Response) -> int | None:
    """Size of the whole file as ``Content-Range: bytes */149`` says it."""
    word = response.headers.get("Content-Range", "").rpartition("/")[2]
    return _whole(word)


def _whole(word: str) -> int | None:
    """A number of bytes as a header says it; none has more than 18 digits."""
    return int(word) if word.isdecimal() and len(word) <= 18 else None


def _retry_after(word: str | None) -> float | None:
    """Seconds, from a number of seconds or an HTTP date."""
    if word is None:
        return None
    try:
        wait = float(word) if word.strip().isdecimal() else parsedate_to_datetime(word).timestamp() - time.time()
    except (ValueError, TypeError, LookupError, OverflowError):
        return None
    return max(0.0, wait) if math.isfinite(wait) else None


def _nobody(url: str) -> ServiceError:
    return ServiceUnreachable(
        f"No service answers at {url}.", "Start ComfyUI there, or choose another address with --service."
    )


def _slow(url: str) -> ServiceError:
    return NoAnswer(
        f"The service at {url} did not answer in time.",
        "Check whether it is still at work, then run 'second-unit jobs resume'.",
    )


def _cut_off(url: str) -> ServiceError:
    return ServiceError(
        f"The connection to {url} broke.",
        "Check the network and the service, then run 'second-unit jobs resume'.",
        fault=ServiceFault.TRANSIENT,
    )


def _damaged(url: str) -> ServiceError:
    return ServiceError(
        f"The service at {url} sent an answer that is damaged.",
        "Try again, or restart the service.",
    )


def _too_large(limit: int) -> ServiceError:
    return ServiceError(
        f"The service sends more than {limit >> 20} MB in one answer.",
        "Check that the address is that of a service.",
    )


def _gone(status: int) -> ServiceError:
    return ServiceError(
        f"The service no longer has a finished frame ({status}).",
        "Run the job again.",
        fault=ServiceFault.EXPIRED,
    )
