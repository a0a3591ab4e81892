"""Put first on PYTHONPATH: records every connection and look-up that leaves this computer, and refuses it."""

import os
import socket

_LOG = os.environ["OFFLINE_LOG"]
_NEAR = ("127.", "::1", "localhost", "0.0.0.0", "testserver")


def _is_near(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # a path: a socket of this computer
    return address[0] is None or str(address[0]).startswith(_NEAR) or address[0] == ""


def _refuse(what: str, address: object) -> None:
    with open(_LOG, "a", encoding="utf-8") as file:  # noqa: PTH123
        file.write(f"{what} {address}\n")
    raise OSError(f"refused: {what} {address}")


class _Socket(socket.socket):
    def connect(self, address):  # noqa: ANN001, ANN202
        if not _is_near(address):
            _refuse("connect", address)
        return super().connect(address)

    def connect_ex(self, address):  # noqa: ANN001, ANN202
        if not _is_near(address):
            _refuse("connect", address)
        return super().connect_ex(address)

    def sendto(self, data, *rest):  # noqa: ANN001, ANN002, ANN202
        if not _is_near(rest[-1]):
            _refuse("send", rest[-1])
        return super().sendto(data, *rest)


_look_up = socket.getaddrinfo


def _getaddrinfo(host, *rest, **named):  # noqa: ANN001, ANN002, ANN003, ANN202
    if not _is_near((host,)):
        _refuse("look up", host)
    return _look_up(host, *rest, **named)


socket.socket = _Socket
socket.getaddrinfo = _getaddrinfo
