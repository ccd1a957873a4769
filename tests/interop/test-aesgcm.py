#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""aesgcmenc and aesgcmdec against an independent reader and writer of the
AES-GCM-HKDF streaming format, written here from its description on top of
python3-cryptography."""

import base64
import json
import os
import subprocess
import sys
import tempfile

try:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
except ImportError:
    print("skipped: python3-cryptography is not installed")
    sys.exit(77)


def segments(size, segment_size):
    """Where the segments of a plaintext begin and end."""
    capacity = segment_size - 16
    ends = list(range(capacity - 40, size, capacity))
    starts = [0] + ends
    return list(zip(starts, ends + [size]))


def derive(key, salt):
    return AESGCM(HKDF(hashes.SHA256(), 32, salt, b"").derive(key))


def nonce(prefix, index, last):
    return prefix + index.to_bytes(4, "big") + bytes([last])


def write(key, segment_size, plain):
    salt, prefix = os.urandom(32), os.urandom(7)
    cipher = derive(key, salt)
    parts = segments(len(plain), segment_size)
    out = bytes([40]) + salt + prefix
    for i, (start, end) in enumerate(parts):
        out += cipher.encrypt(nonce(prefix, i, i + 1 == len(parts)),
                              plain[start:end], None)
    return out


def read(key, segment_size, data):
    assert data[0] == 40
    salt, prefix = data[1:33], data[33:40]
    cipher = derive(key, salt)
    plain, position, index = b"", 40, 0
    while position < len(data):
        end = min((index + 1) * segment_size, len(data))
        plain += cipher.decrypt(nonce(prefix, index, end == len(data)),
                                data[position:end], None)
        position, index = end, index + 1
    return plain


def launch(environment, *line):
    subprocess.run(["gst-launch-1.0", "-q", *line], check=True,
                   env=dict(os.environ, **environment))


def keyset(key):
    value = bytes.fromhex("12080880804010201803" + "1a20") + key
    return json.dumps({"primaryKeyId": 7, "key": [{
        "keyData": {
            "typeUrl": "type.googleapis.com/google.crypto.tink."
                       "AesGcmHkdfStreamingKey",
            "keyMaterialType": "SYMMETRIC",
            "value": base64.b64encode(value).decode()},
        "outputPrefixType": "RAW", "keyId": 7, "status": "ENABLED"}]})


def check(folder, key_file, key, segment_size, size, environment):
    def path(name):
        return os.path.join(folder, name)

    plain = os.urandom(size)
    with open(path("plain"), "wb") as file:
        file.write(plain)
    options = [] if key_file == "keyset" else [f"segment-size={segment_size}"]
    key_option = "key-file=" + path(key_file)
    launch(environment, "filesrc", "location=" + path("plain"),
           "!", "aesgcmenc", key_option, *options,
           "!", "filesink", "location=" + path("sealed"))
    with open(path("sealed"), "rb") as file:
        assert read(key, segment_size, file.read()) == plain, "we wrote"

    with open(path("sealed"), "wb") as file:
        file.write(write(key, segment_size, plain))
    if segment_size in (4096, 1 << 20):
        options = []
    launch(environment, "filesrc", "location=" + path("sealed"),
           "!", "aesgcmdec", key_option, *options,
           "!", "filesink", "location=" + path("opened"))
    with open(path("opened"), "rb") as file:
        assert file.read() == plain, "we read"


def main():
    key = os.urandom(32)
    runs = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("raw", key), ("hex", key.hex().encode()),
                              ("keyset", keyset(key).encode())):
            with open(os.path.join(folder, name), "wb",
                      opener=lambda p, f: os.open(p, f, 0o600)) as file:
                file.write(content)
        for backend in ("libcrypto", "libsodium"):
            environment = {"GST_EEG_AEAD_BACKEND": backend}
            for segment_size, sizes in (
                    (57, (0, 1, 2, 100)),
                    (4096, (0, 1, 4040, 4041, 8120, 8121, 500000)),
                    (1 << 20, (0, (1 << 20) - 56, (1 << 20) - 55, 3000000))):
                for size in sizes:
                    check(folder, "raw", key, segment_size, size, environment)
                    runs += 1
            check(folder, "hex", key, 4096, 10000, environment)
            check(folder, "keyset", key, 1 << 20, 2000000, environment)
            runs += 2
    print(f"{runs} files, both ways")


if __name__ == "__main__":
    main()
