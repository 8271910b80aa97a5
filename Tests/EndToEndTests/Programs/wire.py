#!/usr/bin/python3
"""Listens on a network interface, as somebody between two hosts could.

wire.py INTERFACE FILE NEEDLE...   touches FILE, listens until it is removed, and prints what it heard as JSON:
                                   frames, those the kernel had no room for, frames with payload by TCP port ("15008"),
                                   and in how many frames each NEEDLE stood
"""
import collections
import json
import os
import socket
import struct
import sys
import time

ETH_P_ALL, SOL_PACKET, PACKET_STATISTICS, SO_RCVBUFFORCE = 3, 263, 6, 33


def tcp_ports(frame):
    """The ports of a TCP segment with payload; none for everything else."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and frame[23] == 6:
        start = 14 + (frame[14] & 15) * 4
        end = 14 + struct.unpack_from(">H", frame, 16)[0]
    elif kind == b"\x86\xdd" and frame[20] == 6:
        start, end = 54, 54 + struct.unpack_from(">H", frame, 18)[0]
    else:
        return ()
    if end <= start + (frame[start + 12] >> 4) * 4:
        return ()
    return struct.unpack_from(">HH", frame, start)


def main(interface, path, *needles):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    wire.bind((interface, 0))
    wire.settimeout(0.1)
    needles = [needle.encode() for needle in needles]
    frames, ports, found = 0, collections.Counter(), collections.Counter()
    open(path, "w").close()
    while True:
        try:
            frame = wire.recv(1 << 17)
        except TimeoutError:
            # What was sent before the file was removed has been read.
            if not os.path.exists(path):
                break
            continue
        frames += 1
        ports.update(port for port in tcp_ports(frame) if port < 32768)
        found.update(needle for needle in needles if needle in frame)
    lost = struct.unpack("II", wire.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
    print(
        json.dumps(
            {
                "frames": frames,
                "lost": lost,
                "ports": {str(port): count for port, count in ports.items()},
                "found": {needle.decode(): found[needle] for needle in needles},
            }
        ),
        flush=True,
    )


main(*sys.argv[1:])
