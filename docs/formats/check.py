"""Checks an evidence directory without Gnomon: python check.py DIR [VERIFIER-KEY]

Written from the specifications in this folder alone. Needs pyarrow, and cryptography for the key of a log.
"""

import base64
import hashlib
import json
import struct
import sys
from pathlib import Path

import pyarrow.parquet as pq


def sha256(octets):
    return hashlib.sha256(octets).digest()


def sealed(path):
    """manifest.md: one text form, with its own digest."""
    document = json.loads(path.read_bytes())
    whole = (json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()
    digest = document.pop("sha256")
    text = (json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()
    assert whole == path.read_bytes() and sha256(text).hex() == digest, f"{path} was changed"
    return document


def leaf(row):
    """segment.md: the canonical row."""
    texts = [row[name] for name in ("subject", "address", "ask", "server_name", "vantage")]
    parts = [(text or "").encode() for text in texts] + [row["query"], row["response"] or b""]
    present = (row["server_name"] is not None) + 2 * (row["rtt_us"] is not None) + 4 * (row["response"] is not None)
    head = struct.pack(">BBqqI", 1, present, row["seq"], row["sent_at_ns"], row["rtt_us"] or 0)
    head += struct.pack(">HHHBBi", row["port"], row["local_port"], row["attempt"], row["transport"], row["status"],
                        row["os_error"])  # fmt: skip
    return sha256(b"\x00" + head + struct.pack(">7I", *map(len, parts)) + b"".join(parts))


def root(leaves):
    """RFC 9162 section 2.1.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:]))


def root_of_path(node, index, size, path):
    """RFC 9162 section 2.1.3.2."""
    last = size - 1
    for other in path:
        assert last > 0, "a path is too long"
        if index & 1 or index == last:
            node = sha256(b"\x01" + other + node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + other)
        index, last = index >> 1, last >> 1
    assert last == 0, "a path is too short"
    return node


def check_receipt(path, document, of, name, key):
    """log.md: a tlog-proof whose entry is about the document, under a signed checkpoint."""
    head, text, signatures = path.read_text().split("\n\n")
    _, extra, index, *hashes = head.split("\n")
    entry = base64.b64decode(extra.removeprefix("extra "))
    said = json.loads(entry)
    assert (said["of"], said["name"], said["sha256"]) == (of, name, sha256(document).hex()), f"{path}: other document"
    origin, size, stated = text.split("\n")[:3]
    node = root_of_path(sha256(b"\x00" + entry), int(index.removeprefix("index ")), int(size),
                        [base64.b64decode(one) for one in hashes])  # fmt: skip
    assert node == base64.b64decode(stated), f"{path}: not under the root that was signed"
    if key is not None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        name, _, octets = key.split("+", 2)
        line = next(one for one in signatures.split("\n") if one.startswith(f"\u2014 {name} ") and name == origin)
        signature = base64.b64decode(line.split(" ")[2])[4:]
        Ed25519PublicKey.from_public_bytes(base64.b64decode(octets)[1:]).verify(signature, f"{text}\n".encode())


folder, key = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
run, before, rows, receipts = sealed(folder / "run.json"), "0" * 64, 0, 0
assert sha256((folder / "zones.txt").read_bytes()).hex() == run["zones_sha256"], "zones.txt was changed"
for file in sorted((folder / "manifests").glob("*.json")):
    manifest = sealed(file)
    assert manifest["previous_sha256"] == before and manifest["run_id"] == run["run_id"], f"{file} is out of the chain"
    before = sha256(file.read_bytes()).hex()
    record = folder / "withheld" / file.name
    withheld = {one["row"]: bytes.fromhex(one["leaf"]) for one in sealed(record)["rows"]} if record.exists() else {}
    table = pq.read_table(folder / manifest["file"]).to_pylist()
    leaves = [withheld.get(number) or leaf(row) for number, row in enumerate(table)]
    assert root(leaves).hex() == manifest["segment_root"], f"rows of {manifest['file']} were changed"
    rows += len(leaves)
for receipt in sorted((folder / "receipts").rglob("*.tlog-proof")):
    name = receipt.relative_to(folder / "receipts").as_posix().removesuffix(".tlog-proof")
    check_receipt(receipt, (folder / name).read_bytes(), run["run_id"], name, key)
    receipts += 1
print(f"{rows} rows, {receipts} receipts: unchanged")
