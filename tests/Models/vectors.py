"""Generator of the test vectors in ../Datacake.Crdt.Tests/Vectors: merges and known sets, computed by the model.

    python3 vectors.py                     writes the files
    python3 vectors.py --check             compares them with the committed files, and exits with 1 if they differ

A seed always gives the same files. ModelAgreementTests compares the C# library with them.
"""
from __future__ import annotations

import argparse
import functools
import json
import random
import sys
from pathlib import Path

from replication_model import NODE_BITS, NOTHING, REMOVED, Cell, Doc, Known, content, is_alive, merge, shown_cells

FOLDER = Path(__file__).parent.parent / "Datacake.Crdt.Tests" / "Vectors"
CASES = 300
NODES = (0, 1, 2, 255)                 # the smallest and the greatest node id, and two between
POLICIES = {"LastWriterWins": False, "DeleteWins": True}


def make_stamp(rng: random.Random, node: int | None = None, small: bool = False) -> int:
    """Returns a stamp. Small ones are close to each other; the others use all 63 bits that a test can write as a number."""
    node = rng.choice(NODES) if node is None else node
    return rng.randrange(1, 40 if small else 1 << 55) << NODE_BITS | node


# ------------------------------------------------------------------------------------------ documents [R2], [R3]

def make_transactions(rng: random.Random) -> list[tuple[str, int, dict]]:
    """Returns transactions on one document: (kind, stamp, path -> value). Each has a stamp of its own."""
    small = rng.random() < 0.5
    bases = [0, *(make_stamp(rng, small=small) for _ in range(2))]
    runs = [make_stamp(rng, small=small) for _ in range(2)]
    stamps = {*bases[1:], *(make_stamp(rng, small=small) for _ in range(rng.randrange(1, 8)))}
    transactions = []
    for stamp in rng.sample(sorted(stamps), k=rng.randrange(len(stamps) + 1)):
        kind = rng.choice(("put", "update", "update", "delete"))
        cells = {} if kind == "delete" else dict(
            make_cell(rng, bases if kind == "update" else [stamp], runs) for _ in range(rng.randrange(5)))
        transactions.append((kind, stamp, cells))
    return transactions


def make_cell(rng: random.Random, bases: list[int], runs: list[int]) -> tuple[tuple, object]:
    name = rng.choice(("Name", "Price", "Tags"))
    path = rng.choice(((name,), (name, rng.choice(("", "a", "b"))), (name, rng.choice(bases), rng.choice(runs))))
    return path, REMOVED if rng.random() < 0.2 else rng.randrange(1000)


def document_of(transactions: list[tuple[str, int, dict]]) -> Doc:
    def delta(kind: str, stamp: int, cells: dict) -> Doc:
        stamped = {path: Cell(stamp, value) for path, value in cells.items()}
        return {"put": Doc(stamp, 0, 0, stamped), "update": Doc(0, stamp, 0, stamped), "delete": Doc(0, 0, stamp)}[kind]
    return functools.reduce(merge, (delta(*transaction) for transaction in transactions), NOTHING)


def document_case(rng: random.Random) -> dict:
    """Returns the merge of two sides, which have some transactions in common."""
    transactions = make_transactions(rng)
    left, right = ([t for t in transactions if rng.random() < 0.7] for _ in range(2))
    rng.shuffle(right)
    merged = merge(document_of(left), document_of(right))
    return {
        "left": [as_json(*transaction) for transaction in left],
        "right": [as_json(*transaction) for transaction in right],
        "merged": {"born": merged.born, "touched": merged.touched, "died": merged.died,
                   "cells": ordered([path, cell.stamp, number(cell.value)] for path, cell in merged.cells.items())},
        "alive": {name: is_alive(merged, delete_wins) for name, delete_wins in POLICIES.items()},
        "shown": ordered(shown_cells(merged)),
        "content": {name: entries(content(merged, delete_wins)) for name, delete_wins in POLICIES.items()}}


def as_json(kind: str, stamp: int, cells: dict) -> list:
    return [kind, stamp, [[path, number(value)] for path, value in cells.items()]]


def number(value: object) -> object:
    return None if value is REMOVED else value


def entries(shown: dict | None) -> list | None:
    return None if shown is None else ordered(shown.items())


def ordered(items) -> list:
    return sorted(items, key=json.dumps)


# -------------------------------------------------------------------------------------------------- known sets [R4]

def make_known(rng: random.Random, near: Known) -> Known:
    """Returns a known set. Some of its intervals begin or end where one of the other set does."""
    known = Known()
    for node in rng.sample(NODES, k=rng.randrange(len(NODES) + 1)):
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            bounds = [bound for span in near.spans.get(node, ()) for bound in span]
            low, high = sorted(rng.choice(bounds) if bounds and rng.random() < 0.4 else make_stamp(rng, node) for _ in range(2))
            known |= Known.span(node, low, high)
    return known


def known_case(rng: random.Random) -> dict:
    a = make_known(rng, Known())
    b = make_known(rng, a)
    node, (low, high) = rng.choice(NODES), sorted(make_stamp(rng) for _ in range(2))
    bounds = [bound for known in (a, b) for spans in known.spans.values() for span in spans for bound in span]
    probes = [make_stamp(rng) for _ in range(5)] + rng.sample(bounds, k=min(4, len(bounds)))
    return {"a": spans(a), "b": spans(b), "union": spans(a | b), "difference": spans(a - b), "intersection": spans(a & b),
            "covers": a >= b, "top": a.top(), "low": low, "high": high, "between": spans(a.between(low, high)),
            "node": node, "ofNode": spans(a.of(node)), "contains": [[probe, probe in a] for probe in probes]}


def spans(known: Known) -> dict:
    return {str(node): known.spans[node] for node in sorted(known.spans)}


# ------------------------------------------------------------------------------------------------------------ files

def text_of(case, seed: int) -> str:
    rng = random.Random(seed)
    return "[\n" + ",\n".join(json.dumps(case(rng), separators=(",", ":")) for _ in range(CASES)) + "\n]\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing them")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    differs = False
    for name, case in (("documents.json", document_case), ("known-sets.json", known_case)):
        text = text_of(case, arguments.seed)
        if not arguments.check:
            (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
        elif (FOLDER / name).read_text(encoding="utf-8") != text:
            differs = True
            print(f"{name} differs from what the model computes; run vectors.py, and look at the difference.")
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
