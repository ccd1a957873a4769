#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the corpora of the encryption formats' fuzz targets, which hold
public test keys only."""

import base64
import json
import os
import subprocess
import sys

TYPE_URL = "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey"


def varint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def key_value(segment_size, material):
    params = b"\x08" + varint(segment_size) + b"\x10\x20\x18\x03"
    return (b"\x12" + bytes([len(params)]) + params + b"\x1a"
            + bytes([len(material)]) + material)


def key(number, value, status="ENABLED"):
    return {
        "keyData": {
            "typeUrl": TYPE_URL,
            "keyMaterialType": "SYMMETRIC",
            "value": base64.b64encode(value).decode(),
        },
        "outputPrefixType": "RAW",
        "keyId": number,
        "status": status,
    }


def tink_keys():
    material = bytes(range(32))
    small, big = key_value(4096, material), key_value(1 << 20, material)
    one = json.dumps({"primaryKeyId": 1, "key": [key(1, small)]})
    two = json.dumps(
        {"primaryKeyId": 2,
         "key": [key(1, small, "DISABLED"), key(3, small), key(2, big)]},
        indent=2)
    return {
        "raw": material,
        "hex": material.hex().encode() + b"\n",
        "keyset-4k": one.encode(),
        "keyset-rotated": two.replace("/", "\\/").encode(),
        "keyset-encrypted": b'{"encryptedKeyset":"AAAA","keysetInfo":{}}',
        "keyset-values":
            b'{"x":[-0.5e-7,{"\\u00e4":null},"\\n",[],{}],"primaryKeyId":1}',
        "value-1m": big,
        "value-long": key_value(57, bytes(64)),
    }


def tink():
    text = bytes(i * 7 & 0xFF for i in range(200))
    return {
        "empty": bytes(5),
        "one-segment": bytes([0, 0, 0, 0, 0]) + b"a",
        "segments": bytes([7, 30, 0, 60, 0]) + text,
        "header": bytes([199, 0, 0, 0, 0]) + b"\x28" + text,
    }


def age():
    """Made by the age tool for the key of age's public test kit; they differ
    from run to run, so that they are made only where they are missing."""
    secret = ("AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UA"
              "WX40Q2P2LM0")
    recipient = ("age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0m"
                 "ypdrwsvlul66mv4q47ryef")

    def run(*options):
        return subprocess.run(["age", "-r", recipient, *options], check=True,
                              input=b"age", stdout=subprocess.PIPE).stdout

    return {
        "file": run(),
        "two-recipients": run("-r", recipient),
        "armor": run("-a"),
        "scrypt": b"age-encryption.org/v1\n-> scrypt rF0/NwblUHHTpgQgRpe5CQ "
                  b"10\ngUjEymFKMVXQEKdMMHL24oYexjE3TIC0O0zGSqJ2aUY\n"
                  b"--- IOXiQYStkoT1mvZW2tFOqZdhRVvj58egABx/sWfZQbc\n",
        "unknown": b"age-encryption.org/v1\n-> a b c\nQQ\n--- "
                   b"IOXiQYStkoT1mvZW2tFOqZdhRVvj58egABx/sWfZQbc\n",
        "identity": b"# created: today\n" + secret.encode() + b"\n",
        "recipients": b"# us\n" + recipient.encode() + b"\n",
        "list": recipient.encode() + b"," + recipient.encode(),
        "passphrase": b"correct horse\n",
    }


def main():
    here = os.path.dirname(os.path.abspath(sys.argv[0]))
    for name, files in (("tink-keys", tink_keys()), ("tink", tink()),
                        ("age", age())):
        folder = os.path.join(here, "corpus", name)
        os.makedirs(folder, exist_ok=True)
        for file, data in files.items():
            path = os.path.join(folder, file)
            if not os.path.exists(path):
                with open(path, "wb") as out:
                    out.write(data)


if __name__ == "__main__":
    main()
