/** Writing a key is cut off, or the stick is no good: what is there is then no key, and doing it again makes it one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { MemoryDevice } from "../../src/device/index.ts";
import { makeEqual, type EqualRequest } from "../../src/key/write/make-equal.ts";

const mib = 2 ** 20;
const sizeBytes = 8 * mib;
const headBytes = mib / 4;
const extents = [
  { startBytes: 0, lengthBytes: headBytes + 65_536 },
  { startBytes: 2 * mib, lengthBytes: 4096 },
  { startBytes: 3 * mib, lengthBytes: mib + 12_288 },
  { startBytes: sizeBytes - 4096, lengthBytes: 4096 },
];

/** Bytes that repeat nowhere, the same for the same seed. */
function noise(seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from(
    { length: sizeBytes },
    () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 16,
  );
}

const wanted = noise(1);
const before = noise(2);
const request: EqualRequest = { target: new MemoryDevice(wanted), extents, headBytes };
const sectorBytes = 512;
const tableOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.subarray(0, sectorBytes));

function isEqual(bytes: Uint8Array): boolean {
  return extents.every(({ startBytes: at, lengthBytes }) => {
    return Buffer.compare(bytes.subarray(at, at + lengthBytes), wanted.subarray(at, at + lengthBytes)) === 0;
  });
}

/** Counts its writes, and takes no more after so many; the one that fails is written in part. */
class Stick extends MemoryDevice {
  writeCount = 0;
  readonly #limit: number;

  constructor(bytes: Uint8Array, limit = Infinity) {
    super(bytes);
    this.#limit = limit;
  }

  override async write(at: number, from: Uint8Array): Promise<void> {
    if (this.writeCount === this.#limit) {
      await super.write(at, from.subarray(0, Math.floor(from.length / 2 / sectorBytes) * sectorBytes));
      throw new Failure("failed", "it was taken out");
    }
    this.writeCount++;
    await super.write(at, from);
  }
}

for (const [name, start] of [
  ["another content", before],
  ["the same key with one file changed", changedIn(wanted, 3 * mib + 100)],
  ["the same key with another table", changedIn(wanted, 446)],
] as const) {
  test(`cut off at any write over ${name}, it is no key; done again it is one`, async () => {
    for (let limit = 0; ; limit++) {
      const stick = new Stick(Uint8Array.from(start), limit);
      const isDone = await makeEqual(stick, request).then(
        () => true,
        () => false,
      );
      const hasTable = tableOf(stick.bytes).some((byte) => byte !== 0);
      assert.equal(hasTable, isDone, `after ${limit} writes`);
      const again = new Stick(stick.bytes);
      await makeEqual(again, request);
      assert.ok(isEqual(again.bytes));
      if (isDone) {
        assert.equal(again.writeCount, 0, "what is equal is not written");
        break;
      }
    }
  });
}

function changedIn(bytes: Uint8Array, at: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

test("what no file system uses is left alone", async () => {
  const stick = new Stick(Uint8Array.from(before));
  await makeEqual(stick, request);
  for (const at of [headBytes + 65_536, 2 * mib + 4096, sizeBytes - 8192]) assert.equal(stick.bytes[at], before[at]);
});

test("interrupted, it stops; done again, it finishes", async () => {
  const stopping = new AbortController();
  const stick = new Stick(Uint8Array.from(before));
  const options = { signal: stopping.signal, onProgress: () => stopping.abort() };
  await assert.rejects(makeEqual(stick, request, options), { code: "interrupted" });
  assert.ok(tableOf(stick.bytes).every((byte) => byte === 0));
  await makeEqual(stick, request);
  assert.ok(isEqual(stick.bytes));
});

/** A stick that says that it is larger than it is: what is written behind its end comes out at its beginning. */
class FakeStick extends MemoryDevice {
  readonly #realBytes: number;

  constructor(bytes: Uint8Array, realBytes: number) {
    super(bytes);
    this.#realBytes = realBytes;
  }

  override async write(at: number, from: Uint8Array): Promise<void> {
    await super.write(at % this.#realBytes, from);
  }

  override async read(at: number, into: Uint8Array): Promise<void> {
    await super.read(at % this.#realBytes, into);
  }
}

test("a stick that does not keep what is written gets no table", async () => {
  const bytes = Uint8Array.from(before);
  const stick = new FakeStick(bytes, 3 * mib);
  await assert.rejects(makeEqual(stick, request), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, "mismatch");
    assert.match(error.message, /does not keep what is written at byte \d+/);
    return true;
  });
  assert.notDeepEqual(tableOf(bytes), tableOf(wanted));
});
