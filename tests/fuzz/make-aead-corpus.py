#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the corpora of the encryption formats' fuzz targets, which hold
public test keys only."""

import base64
import json
import os
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


def main():
    here = os.path.dirname(os.path.abspath(sys.argv[0]))
    for name, files in (("tink-keys", tink_keys()), ("tink", tink())):
        folder = os.path.join(here, "corpus", name)
        os.makedirs(folder, exist_ok=True)
        for file, data in files.items():
            with open(os.path.join(folder, file), "wb") as out:
                out.write(data)


if __name__ == "__main__":
    main()
