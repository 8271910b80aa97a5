#!/usr/bin/python3
"""Load as cheap as Python makes it, for measuring what stands in between. Results are JSON on standard output.

load.py serve PORT                           a first byte of `e`: echoes what comes; `d`: sends for as long as it is taken
load.py requests HOST PORT COUNT SECONDS     COUNT connections, each with one request of 64 bytes on its way at any time
load.py bulk HOST PORT SECONDS               one connection that reads as fast as it can
"""
import json
import select
import socket
import sys
import threading
import time

REQUEST = b"r" * 64
BLOCK = bytes(1 << 20)


def flood(connection):
    connection.setblocking(True)
    try:
        while True:
            connection.sendall(BLOCK)
    except OSError:
        connection.close()


def serve(port):
    listener = socket.create_server(("", int(port)), backlog=1024)
    poll, connections, fresh = select.epoll(), {}, set()
    poll.register(listener, select.EPOLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == listener.fileno():
                accepted, _ = listener.accept()
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[accepted.fileno()] = accepted
                fresh.add(accepted.fileno())
                poll.register(accepted, select.EPOLLIN)
                continue
            connection = connections[descriptor]
            try:
                data = connection.recv(1 if descriptor in fresh else 65536)
                if descriptor not in fresh:
                    connection.send(data)
            except OSError:
                data = b""
            if not data or data == b"d" and descriptor in fresh:
                poll.unregister(descriptor)
                del connections[descriptor]
                if data:
                    threading.Thread(target=flood, args=(connection,), daemon=True).start()
            fresh.discard(descriptor)


def requests(host, port, count, seconds):
    poll, connections, received = select.epoll(), {}, {}
    for _ in range(int(count)):
        connection = socket.create_connection((host, int(port)), timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"e")
        connections[connection.fileno()] = connection
        received[connection.fileno()] = 0
        poll.register(connection, select.EPOLLIN)
    for connection in connections.values():
        connection.sendall(REQUEST)
    done, started = 0, time.monotonic()
    deadline = started + float(seconds)
    while (now := time.monotonic()) < deadline:
        for descriptor, _ in poll.poll(1):
            data = connections[descriptor].recv(64)
            if not data:
                raise ConnectionError("ended by the other side")
            received[descriptor] += len(data)
            if received[descriptor] == 64:
                received[descriptor] = 0
                done += 1
                connections[descriptor].send(REQUEST)
    print(json.dumps({"count": done, "seconds": now - started}))


def bulk(host, port, seconds):
    buffer, total = bytearray(1 << 20), 0
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"d")
        started = time.monotonic()
        deadline = started + float(seconds)
        while (now := time.monotonic()) < deadline:
            count = connection.recv_into(buffer)
            if count == 0:
                raise ConnectionError("ended by the other side")
            total += count
    print(json.dumps({"count": total, "seconds": now - started}))


{"serve": serve, "requests": requests, "bulk": bulk}[sys.argv[1]](*sys.argv[2:])
