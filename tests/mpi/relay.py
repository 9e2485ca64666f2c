#!/usr/bin/env python3
"""A network in user space, for kernels without netem: carries packets between interfaces, late, and loses some.

    relay.py NETWORK DELAY_MS LOSS_PERCENT INTERFACE...

makes these TUN interfaces, prints "ready", and carries IPv4 packets to NETWORK.i out of the i-th. One packet in
100 / LOSS_PERCENT is lost, by a seeded generator; the others arrive DELAY_MS late, in order. Runs until it is killed.
"""
import collections
import fcntl
import os
import random
import select
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
LARGEST_PACKET = 65536


def tun(name):
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return file


network = bytes(int(part) for part in sys.argv[1].split("."))
delay, loss = float(sys.argv[2]) / 1000, float(sys.argv[3]) / 100
interfaces = [tun(name) for name in sys.argv[4:]]
by_address = {network + bytes([i]): file for i, file in enumerate(interfaces, start=1)}
print("ready", flush=True)

drawn = random.Random(1)
under_way = collections.deque()  # (when, to which interface, packet): one delay for all, so they leave as they came
while True:
    wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
    for file in select.select(interfaces, [], [], wait)[0]:
        packet = os.read(file, LARGEST_PACKET)
        target = by_address.get(packet[16:20]) if packet[0] >> 4 == 4 else None
        if target is not None and drawn.random() >= loss:
            under_way.append((time.monotonic() + delay, target, packet))
    while under_way and under_way[0][0] <= time.monotonic():
        _, target, packet = under_way.popleft()
        try:
            os.write(target, packet)
        except OSError:  # the interface is down, or its queue full: lost, as packets are
            pass
