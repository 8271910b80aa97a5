#!/usr/bin/python3
"""Says to a server of HTTP what no client says. Results are JSON on standard output.

raw.py HOST PORT SECONDS
    Each text of the JSON list on standard input, a byte for each character, on a connection of its own, all of them at
    the same time. An answer is awaited until its end, or until nothing has come for SECONDS. Then two good requests at
    once, on a connection of their own.
"""
import concurrent.futures
import json
import re
import socket
import sys

GOOD = b"GET /?good HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /?good HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def say(host, port, seconds, text):
    """All that is answered, and whether that has an end."""
    heard = b""
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        try:
            connection.settimeout(float(seconds))
            connection.sendall(text)
            while data := connection.recv(65536):
                heard += data
        except ConnectionError:
            pass
        except TimeoutError:
            return heard, False
    return heard, True


def statuses(heard):
    return [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d{3}) ", heard, re.MULTILINE)]


def attempt(host, port, seconds, text):
    heard, ended = say(host, port, seconds, text.encode("latin-1"))
    after, _ = say(host, port, 10, GOOD + LAST)
    last = heard.rpartition(b"HTTP/1.")[2].partition(b"\r\n\r\n")[0].lower()
    return {
        "statuses": statuses(heard),
        "ended": ended,
        "byWeft": b"\r\nserver: weft" in last,
        "after": statuses(after),
    }


def main(host, port, seconds):
    texts = json.load(sys.stdin)
    with concurrent.futures.ThreadPoolExecutor(len(texts)) as threads:
        print(json.dumps(list(threads.map(lambda text: attempt(host, port, seconds, text), texts))))


main(*sys.argv[1:])
