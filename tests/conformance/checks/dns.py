"""As much of DNS as it takes to ask for an address, and to answer in a resolver's stead."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

A, IN = 1, 1
QUERY = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0)  # one question, recursion desired
NO_SUCH_NAME = 3


def ask(port: int, name: str, tcp: bool = False) -> list[str] | None:
    """The addresses of a name by the server on the loopback; none if it does not answer."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    message = QUERY + labels + b"\0" + struct.pack(">2H", A, IN)
    try:
        return addresses(by_tcp(port, message) if tcp else by_udp(port, message))
    except OSError:
        return None


def by_udp(port: int, message: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.connect(("127.0.0.1", port))
        client.send(message)
        return client.recv(4096)


def by_tcp(port: int, message: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as client, client.makefile("rwb") as stream:
        stream.write(struct.pack(">H", len(message)) + message)
        stream.flush()
        return stream.read(struct.unpack(">H", stream.read(2))[0])


def addresses(message: bytes) -> list[str]:
    """The A records among the answers."""
    answers, at = struct.unpack(">H", message[6:8])[0], after_name(message, 12) + 4
    found = []
    for _ in range(answers):
        at = after_name(message, at)
        kind, _, _, length = struct.unpack(">2HIH", message[at : at + 10])
        if kind == A:
            found.append(socket.inet_ntoa(message[at + 10 : at + 14]))
        at += 10 + length
    return found


def after_name(message: bytes, at: int) -> int:
    """The offset behind a name, which may end in a pointer."""
    while 0 < message[at] < 0xC0:
        at += message[at] + 1
    return at + (2 if message[at] >= 0xC0 else 1)


def resolver(domain: str, address: str) -> AbstractContextManager[int]:
    """A resolver on the loopback that knows one address for every name below a domain, and nothing else; its port."""
    return knowing(lambda name: address if f".{name}".endswith(f".{domain}") else None)


@contextmanager
def knowing(address_of: Callable[[str], str | None]) -> Iterator[int]:
    """A resolver on the loopback that knows these names; its port."""
    over = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)
        thread = threading.Thread(target=serve, args=(server, over, address_of))
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join()


def serve(server: socket.socket, over: threading.Event, address_of: Callable[[str], str | None]) -> None:
    while not over.is_set():
        try:
            message, client = server.recvfrom(4096)
        except TimeoutError:
            continue
        server.sendto(reply(message, address_of(name_in(message))), client)


def name_in(query: bytes) -> str:
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels).lower()


def reply(query: bytes, address: str | None) -> bytes:
    end = after_name(query, 12)
    question = query[12 : end + 4]
    wanted = struct.unpack(">H", query[end : end + 2])[0]
    answer = struct.pack(">HHHIH", 0xC00C, A, IN, 60, 4) + socket.inet_aton(address) if address and wanted == A else b""
    code = 0 if address else NO_SUCH_NAME
    header = query[:2] + struct.pack(">5H", 0x8180 | code, 1, 1 if answer else 0, 0, 0)
    return header + question + answer
