import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { test } from "node:test";
import { startHasher } from "../../../src/key/verify/file-hasher.ts";
import type { HashTask } from "../../../src/key/verify/hash-task.ts";

const mib = 2 ** 20;
const sha256 = (bytes: Uint8Array): string => crypto.hash("sha256", bytes, "hex");

/** Small files are hashed in this thread, large ones in others. */
for (const sizeBytes of [0, 3 * mib + 17, 40 * mib + 5]) {
  test(`${sizeBytes} bytes: sums of all, of a part with blanks, of parts; holes are zeros`, async () => {
    const whole = crypto.randomBytes(sizeBytes);
    const [holeAt, holeBytes] = [Math.floor(sizeBytes / 3), Math.floor(sizeBytes / 4)];
    whole.fill(0, holeAt, holeAt + holeBytes);
    const parts = [
      { at: 0, lengthBytes: 0, algorithm: "md5" },
      { at: Math.floor(sizeBytes / 5), lengthBytes: Math.floor(sizeBytes / 2), algorithm: "sha256" },
      { at: Math.floor(sizeBytes / 4), lengthBytes: Math.floor(sizeBytes / 3), algorithm: "sha256" },
    ] as const;
    const blank = { at: 100, lengthBytes: 2 * mib };
    const tasks: readonly HashTask[] = [
      { kind: "sum", algorithm: "sha256" },
      { kind: "sum", algorithm: "sha256", sizeBytes: Math.floor(sizeBytes / 2), blank },
      { kind: "parts", parts },
      { kind: "sum", algorithm: "blake2b512" },
    ];
    await using hasher = startHasher(tasks, sizeBytes);
    const pieceBytes = 1_300_000;
    for (const [start, end] of [
      [0, holeAt],
      [holeAt + holeBytes, sizeBytes],
    ] as const) {
      for (let at = start; at < end; at += pieceBytes) {
        // The buffer is used again, as those who read files do.
        const bytes = Uint8Array.from(whole.subarray(at, Math.min(end, at + pieceBytes)));
        await hasher.update({ at, bytes });
        bytes.fill(0xee);
      }
    }
    const blanked = Buffer.from(whole.subarray(0, Math.floor(sizeBytes / 2)));
    blanked.fill(" ", Math.min(blanked.length, blank.at), Math.min(blanked.length, blank.at + blank.lengthBytes));
    const [, second, third] = parts;
    const sumOf = ({ at, lengthBytes }: { at: number; lengthBytes: number }): string => {
      return sha256(whole.subarray(at, at + lengthBytes));
    };
    assert.deepEqual(await hasher.results(), [
      { kind: "sum", hex: sha256(whole) },
      { kind: "sum", hex: sha256(blanked) },
      { kind: "parts", hexes: sizeBytes === 0 ? ["", "", ""] : [crypto.hash("md5", ""), sumOf(second), sumOf(third)] },
      { kind: "sum", hex: crypto.hash("blake2b512", whole, "hex") },
    ]);
  });
}
