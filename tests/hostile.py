"""Bytes that no program of ours sends to a server."""

from __future__ import annotations

import socket

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"\x00\xff{",
    "half of it": b'{"email": "a',
    "no UTF-8": b'{"email": "\xff\xfe", "windows": "\xc0"}',
    "another encoding": '{"email": "a"}'.encode("utf-16"),
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep windows": b'{"windows":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a list": b"[1, 2]",
    "a number": b"1e999999",
    "the same key": b"{" + b'"a": 1,' * 50_000 + b'"a": 1}',
}
_CHUNK = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
_CUT_OFF = b""


def _head(path: str, method: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()


def floods(path: str, method: str) -> dict[str, tuple[bytes, set[bytes]]]:
    """Requests, with the statuses that are good answers; without one the connection is closed."""
    head = _head(path, method)
    return {
        "chunks beyond the limit": (
            head + b"Transfer-Encoding: chunked\r\n\r\n" + _CHUNK * 9, {b"413", _CUT_OFF}
        ),
        "a length beyond the limit": (
            head + b"Content-Length: 9999999999999\r\n\r\n" + b" " * 5000, {b"413"}
        ),
        "a length that is none": (head + b"Content-Length: many\r\n\r\n{}", {b"400"}),
        "two lengths": (head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", {b"400"}),
        "a header without end": (head + b"X: " + b"x" * 2_000_000, {b"400", b"431", _CUT_OFF}),
        "headers without end": (head + b"X: x\r\n" * 200_000, {b"400", b"431", _CUT_OFF}),
        "no HTTP": (b"\x16\x03\x01\x02\x00" * 100 + b"\r\n\r\n", {b"400", _CUT_OFF}),
        "a path without end": (
            b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n", {b"400", b"414", b"431", _CUT_OFF}
        ),
    }  # fmt: skip


def status(port: int, request: bytes) -> bytes:
    """The status of the answer to some bytes; nothing where the connection was closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        try:
            line.sendall(request)
            words = line.makefile("rb").readline().split()
        except (BrokenPipeError, ConnectionResetError):
            return _CUT_OFF
    return words[1] if words else _CUT_OFF
