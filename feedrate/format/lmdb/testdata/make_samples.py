#!/usr/bin/python3
"""Makes the .lmdb files beside it with py-lmdb 1.4 and liblmdb 0.9.24 (Debian 12's python3-lmdb)."""
import pathlib

import lmdb

HERE = pathlib.Path(__file__).resolve().parent


def make(name, *transactions, database=None):
    path = HERE / name
    path.unlink(missing_ok=True)
    with lmdb.open(str(path), subdir=False, lock=False, map_size=1 << 20, max_dbs=2) as env:
        handle = env.open_db(database)
        for records in transactions:
            with env.begin(write=True, db=handle) as txn:
                for key, value in records:
                    txn.put(key, value)


def values(count, size):
    return [(b"%04d" % i, bytes([i % 256]) * size(i)) for i in range(count)]


make("leaves.lmdb", values(40, lambda i: 300))            # several leaves, splits half full
make("overflow.lmdb", values(6, lambda i: 3000 + 1000 * i))
make("mixed.lmdb", values(30, lambda i: 10 if i % 3 else 5000))
make("rewritten.lmdb", *[values(20, lambda i, r=r: 100 + r) for r in range(4)])  # free pages
make("empty.lmdb")
make("named.lmdb", values(3, lambda i: 10), database=b"train")
