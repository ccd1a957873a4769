#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the ciphers at GST_DEBUG=*:9 with dot files and verbose output, in
success and in failure, and looks for the secrets in all that was written: raw,
in hexadecimal and in base64, also for any 16 bytes of them."""

import base64
import os
import subprocess
import sys
import tempfile

PART = 16


def forms(secret):
    """What must not be found anywhere."""
    found = set()
    for start in range(len(secret) - PART + 1):
        part = secret[start:start + PART]
        found.add(part)
        found.add(part.hex().encode())
        found.add(part.hex().upper().encode())
        # base64 of the bytes behind 0, 1 or 2 others: the first and the last
        # characters depend on the neighbours
        for shift in range(3):
            text = base64.b64encode(bytes(shift) + part)
            found.add(text[4 if shift else 0:20])
    return found


def has_element(name):
    # --exists would compare our version with GStreamer's
    return subprocess.run(["gst-inspect-1.0", name], check=False,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


def run(folder, name, expected, *line):
    """Everything that one pipeline wrote."""
    dots = os.path.join(folder, name + ".dots")
    log = os.path.join(folder, name + ".log")
    os.mkdir(dots)
    environment = dict(os.environ, GST_DEBUG="*:9", GST_DEBUG_FILE=log,
                       GST_DEBUG_NO_COLOR="1", GST_DEBUG_DUMP_DOT_DIR=dots)
    try:
        result = subprocess.run(["gst-launch-1.0", "-v", "-m", *line],
                                env=environment, check=False, timeout=20,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
        assert (result.returncode == 0) == expected, result.stdout[-2000:]
        written = result.stdout
    except subprocess.TimeoutExpired as timeout:
        # gst-launch 1.22 misses an error that comes before its main loop
        # runs, whichever element posts it, and then waits for ever
        assert not expected
        written = timeout.stdout or b""
    for path in [log] + [os.path.join(dots, n) for n in os.listdir(dots)]:
        with open(path, "rb") as file:
            written += file.read()
    assert len(written) > 100000, "no debug output at all"
    return written


def main():
    if not has_element("aesgcmenc"):
        print("skipped: aesgcmenc was not built")
        sys.exit(77)

    key, other = os.urandom(32), os.urandom(32)
    secrets = {"key": key, "other key": other}
    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)

        def store(name, content):
            with open(path(name), "wb",
                      opener=lambda p, f: os.open(p, f, 0o600)) as file:
                file.write(content)

        store("key", key)
        store("hex", key.hex().encode())
        store("other", other)
        store("plain", os.urandom(20000))
        pipelines = [
            ("raw", True, ["filesrc", "location=" + path("plain"), "!",
                           "aesgcmenc", "key-file=" + path("key"), "!",
                           "aesgcmdec", "key-file=" + path("key"), "!",
                           "fakesink"]),
            ("hex", True, ["filesrc", "location=" + path("plain"), "!",
                           "aesgcmenc", "key-file=" + path("hex"), "!",
                           "filesink", "location=" + path("sealed")]),
            ("wrong", False, ["filesrc", "location=" + path("sealed"), "!",
                              "aesgcmdec", "key-file=" + path("other"), "!",
                              "fakesink"]),
        ]
        if has_element("chacha20poly1305enc"):
            identity = subprocess.run(
                ["age-keygen"], check=True, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL).stdout.decode().splitlines()
            recipient = identity[1].split(": ")[1]
            secret = identity[2].encode()
            phrase = base64.b64encode(os.urandom(24))
            secrets["identity"] = secret
            secrets["passphrase"] = phrase
            store("identity", b"\n".join(x.encode() for x in identity))
            store("phrase", phrase + b"\n")
            pipelines += [
                ("age", True, ["filesrc", "location=" + path("plain"), "!",
                               "chacha20poly1305enc",
                               "recipients=" + recipient, "!",
                               "chacha20poly1305dec",
                               "identity-file=" + path("identity"), "!",
                               "fakesink"]),
                ("age-phrase", True,
                 ["filesrc", "location=" + path("plain"), "!",
                  "chacha20poly1305enc", "work-factor=10",
                  "passphrase-file=" + path("phrase"), "!",
                  "chacha20poly1305dec",
                  "passphrase-file=" + path("phrase"), "!", "fakesink"]),
                # refused: what must not stand in a message is in each of them
                ("age-no-match", False,
                 ["filesrc", "location=" + path("age-sealed"), "!",
                  "chacha20poly1305dec",
                  "identity-file=" + path("identity"), "!", "fakesink"]),
                ("age-wrong-phrase", False,
                 ["filesrc", "location=" + path("phrase-sealed"), "!",
                  "chacha20poly1305dec",
                  "passphrase-file=" + path("phrase"), "!", "fakesink"]),
                ("age-bad-identity", False,
                 ["filesrc", "location=" + path("age-sealed"), "!",
                  "chacha20poly1305dec",
                  "identity-file=" + path("bad-identity"), "!", "fakesink"]),
                ("age-secret-as-recipient", False,
                 ["filesrc", "location=" + path("plain"), "!",
                  "chacha20poly1305enc",
                  "recipients-file=" + path("identity"), "!", "fakesink"]),
                ("age-damaged", False,
                 ["filesrc", "location=" + path("own-damaged"), "!",
                  "chacha20poly1305dec",
                  "identity-file=" + path("identity"), "!", "fakesink"]),
            ]
            others = subprocess.run(
                ["age-keygen"], check=True, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL).stdout.decode().splitlines()
            store("bad-identity", secret[:-1] + b"B" + b"\n")
            for name, key_of in (("age-sealed", others[1].split(": ")[1]),
                                 ("own-sealed", recipient)):
                subprocess.run(["age", "-r", key_of, "-o", path(name),
                                path("plain")], check=True)
            store("other-phrase", b"not the same\n")
            subprocess.run(
                ["gst-launch-1.0", "-q", "filesrc",
                 "location=" + path("plain"), "!", "chacha20poly1305enc",
                 "work-factor=10", "passphrase-file=" + path("other-phrase"),
                 "!", "filesink", "location=" + path("phrase-sealed")],
                check=True)
            with open(path("own-sealed"), "rb") as file:
                damaged = bytearray(file.read())
            damaged[-100] ^= 1
            store("own-damaged", bytes(damaged))
        needles = {name: forms(secret) for name, secret in secrets.items()}
        # the search must be able to find
        assert any(n in b"x" + base64.b64encode(b"y" + key)
                   for n in needles["key"])
        assert any(n in key.hex().encode() for n in needles["key"])
        leaks = []
        for name, expected, line in pipelines:
            written = run(folder, name, expected, *line)
            for secret, parts in needles.items():
                if any(part in written for part in parts):
                    leaks.append(f"{name}: the {secret} was written")
    for leak in leaks:
        print(leak)
    sys.exit(1 if leaks else 0)


if __name__ == "__main__":
    main()
