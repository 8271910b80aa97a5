#!/usr/bin/python3
"""Clients of servers that do not speak HTTP. Results are JSON on standard output.

start.py delay HOST PORT COUNT [HEX]   COUNT connections, one after the other: milliseconds from connect() to the first
                                       byte that the server says, after HEX if it is given
start.py redis HOST PORT               stores a value and reads it
start.py mail HOST PORT SUBJECT        sends a mail of 200 kB
"""
import contextlib
import json
import os
import smtplib
import socket
import sys
import time


def delay(host, port, count, first=""):
    times = []
    # All stay open to the end: of a server with a process for each, one would end while the next one starts.
    with contextlib.ExitStack() as stack:
        for _ in range(int(count)):
            connection = stack.enter_context(socket.socket())
            connection.settimeout(10)
            started = time.perf_counter()
            connection.connect((host, int(port)))
            if first:
                connection.sendall(bytes.fromhex(first))
            if not connection.recv(1):
                raise ConnectionError("ended by the server")
            times.append((time.perf_counter() - started) * 1000)
    return times


def redis(host, port):
    value = os.urandom(300_000)
    with socket.create_connection((host, int(port)), timeout=10) as connection, connection.makefile("rwb") as stream:
        stream.write(b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$%d\r\n%b\r\n*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n" % (len(value), value))
        stream.flush()
        stored = stream.readline()
        length = int(stream.readline()[1:])
        return {"stored": stored.decode().strip(), "same": stream.read(length + 2) == value + b"\r\n"}


def mail(host, port, subject):
    text = f"Subject: {subject}\r\n\r\n" + "woven and not torn\r\n" * 10_000
    with smtplib.SMTP(host, int(port), timeout=10) as server:
        return server.sendmail("a@example.org", ["b@example.org"], text)


print(json.dumps({"delay": delay, "redis": redis, "mail": mail}[sys.argv[1]](*sys.argv[2:])))
