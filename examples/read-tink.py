#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Decrypts what aesgcmenc wrote, without this project: the AES-GCM-HKDF
streaming format of Tink, read with the Python package cryptography.

usage: read-tink.py KEY-FILE ENCRYPTED PLAIN [SEGMENT-SIZE]

KEY-FILE holds 32 raw bytes. SEGMENT-SIZE is 1048576 unless given. PLAIN is
complete only if the exit status is 0: it ends with the segment that is marked
as the last one.
"""

import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HEADER_SIZE = 40  # its own size, a salt of 32 bytes, a nonce prefix of 7


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__.strip())
    segment_size = int(sys.argv[4]) if len(sys.argv) == 5 else 1 << 20
    with open(sys.argv[1], "rb") as file:
        key = file.read()
    if len(key) != 32:
        sys.exit("the key file does not hold 32 bytes")

    with open(sys.argv[2], "rb") as source, open(sys.argv[3], "wb") as plain:
        header = source.read(HEADER_SIZE)
        if len(header) != HEADER_SIZE or header[0] != HEADER_SIZE:
            sys.exit("this is no file of that format")
        salt, prefix = header[1:33], header[33:]
        cipher = AESGCM(HKDF(SHA256(), 32, salt, b"").derive(key))

        segment = source.read(segment_size - HEADER_SIZE)
        index = 0
        while True:
            following = source.read(segment_size)
            last = not following
            nonce = prefix + struct.pack(">IB", index, last)
            try:
                plain.write(cipher.decrypt(nonce, segment, None))
            except InvalidTag:
                sys.exit(f"segment {index}: wrong key, damaged or cut short")
            if last:
                break
            segment = following
            index += 1


main()
