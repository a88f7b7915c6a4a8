import assert from "node:assert/strict";
import * as fs from "node:fs";
import type { BlockReader } from "../../src/device/index.ts";
import type { FileSystem } from "../../src/filesystem/index.ts";

/** A copy of what is in use alone, onto what was never zero. */
export async function copyUsed(fileSystem: FileSystem, reader: BlockReader, target: string): Promise<void> {
  const out = fs.openSync(target, "w");
  const filling = Buffer.alloc(2 ** 20, 0xa5);
  for (let at = 0; at < reader.sizeBytes; at += filling.length) fs.writeSync(out, filling, 0, filling.length, at);
  let end = -1;
  for await (const { startBytes, lengthBytes } of fileSystem.usedExtents()) {
    assert.ok(startBytes > end && lengthBytes > 0, "in order, neighbours joined");
    end = startBytes + lengthBytes;
    const bytes = Buffer.alloc(lengthBytes);
    await reader.read(startBytes, bytes);
    fs.writeSync(out, bytes, 0, lengthBytes, startBytes);
  }
  fs.closeSync(out);
}
