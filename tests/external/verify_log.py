"""Has a foreign C2SP verifier, aics-tlog from PyPI, check an exported log.

    python verify_log.py DIR --vkey-file FILE [--old-checkpoint FILE]
                         [--witness-key VKEY] [--index N ...]

DIR holds `checkpoint` and `tile/`. Checks the checkpoint, the inclusion of some entries, and,
given an older checkpoint, that the log has only grown. Then spoils copies of the log one bit
at a time and asks for the same checks to fail, so that a verifier which says yes to
everything is noticed. Prints one line per check; exit 0 if all are as they must be.

Needs aics-tlog in the interpreter that runs this:
`pip install --ignore-requires-python aics-tlog`
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile


def main():
    arguments = parse_arguments()
    trust = ["--vkey-file", str(arguments.vkey_file)]
    if arguments.witness_key:
        trust += ["--witness-key", arguments.witness_key, "--quorum", "1"]
    log = arguments.log
    size = int((log / "checkpoint").read_text().split("\n")[1])
    indices = arguments.index or sorted({0, size // 2, size - 1})

    results = [ask("checkpoint", ["verify-checkpoint", "--tiles", log, *trust])]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for index in indices:
            results.append(ask(f"inclusion of {index}", inclusion(log, index, scratch, trust)))
        if arguments.old_checkpoint:
            consistency = ["verify-consistency", "--old-checkpoint", arguments.old_checkpoint]
            results.append(ask("consistency", [*consistency, "--tiles", log, *trust]))

        # The same questions about spoiled logs must be answered with no.
        spoiled = spoil(log, scratch / "a", "checkpoint", at=0)
        results.append(
            ask("a spoiled checkpoint", ["verify-checkpoint", "--tiles", spoiled, *trust], False)
        )
        index = indices[0]
        if index ^ 1 < size:
            # One bit of the hash beside the entry's; a log of one entry has none.
            tile = tile_of(log, size, index, level="0")
            spoiled = spoil(log, scratch / "b", tile, at=32 * (index % 256 ^ 1))
            question = inclusion(spoiled, index, scratch, trust)
            results.append(ask("a spoiled tile", question, False))
        other = inclusion(log, index, scratch, trust, leaf=b"an entry that was never logged")
        results.append(ask("another entry", other, False))
        if arguments.old_checkpoint:
            note = pathlib.Path(arguments.old_checkpoint).read_bytes()
            root = len(b"\n".join(note.split(b"\n")[:2])) + 1
            old = scratch / "old-checkpoint"
            old.write_bytes(flipped(note, at=root))
            consistency = ["verify-consistency", "--old-checkpoint", old]
            results.append(
                ask("a spoiled old checkpoint", [*consistency, "--tiles", log, *trust], False)
            )
    return 0 if all(results) else 1


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("log", type=pathlib.Path)
    parser.add_argument("--vkey-file", type=pathlib.Path, required=True)
    parser.add_argument("--old-checkpoint", type=pathlib.Path)
    parser.add_argument("--witness-key")
    parser.add_argument("--index", type=int, action="append")
    return parser.parse_args()


def ask(name, command, accepted=True):
    """Whether the verifier answers as it must; prints the answer."""
    ran = subprocess.run(
        [sys.executable, "-m", "aics_tlog", *map(str, command)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    right = (ran.returncode == 0) == accepted and "Traceback" not in ran.stderr
    print(f"{'ok' if right else 'WRONG'}\t{name}\t{'accepted' if ran.returncode == 0 else 'refused'}")
    if not right:
        print(ran.stdout, ran.stderr, sep="\n", file=sys.stderr)
    return right


def inclusion(log, index, scratch, trust, leaf=None):
    size = int((log / "checkpoint").read_text().split("\n")[1])
    if leaf is None:
        leaf = entry(log / tile_of(log, size, index, level="entries"), index % 256)
    file = scratch / f"leaf-{index}-{len(leaf)}"
    file.write_bytes(leaf)
    return ["verify-inclusion", "--leaf", file, "--index", index, "--tiles", log, *trust]


def entry(bundle, position):
    """Entry `position` of a bundle: each stands behind its length in two bytes."""
    data = bundle.read_bytes()
    at = 0
    for _ in range(position):
        at += 2 + int.from_bytes(data[at : at + 2], "big")
    length = int.from_bytes(data[at : at + 2], "big")
    return data[at + 2 : at + 2 + length]


def tile_of(log, size, index, level):
    """Path of the tile with entry `index`, partial if that is all there is."""
    number = index // 256
    groups = []
    while number >= 1000:
        groups.append(number % 1000)
        number //= 1000
    groups.append(number)
    *high, low = reversed(groups)
    path = f"tile/{level}/" + "".join(f"x{group:03}/" for group in high) + f"{low:03}"
    partial = f"{path}.p/{size % 256}"
    return path if (log / path).is_file() else partial


def spoil(log, copy, file, at):
    shutil.copytree(log, copy)
    target = copy / file
    target.write_bytes(flipped(target.read_bytes(), at))
    return copy


def flipped(data, at):
    """The bytes with one bit changed."""
    data = bytearray(data)
    data[at] ^= 1
    return bytes(data)


if __name__ == "__main__":
    sys.exit(main())
