import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { SerialLog } from "../../../src/disk/machine/serial-log.ts";
import { temporaryFolder } from "../../temp.ts";

test("what is written while nobody reads is read later, and what is written meanwhile", async () => {
  await using folder = temporaryFolder();
  const log = new SerialLog(folder.join("serial"));
  const writeSingly = (count: number): void => {
    for (let n = 0; n < count; n++) fs.writeSync(log.fd, Uint8Array.of(n % 251));
  };
  writeSingly(5000); // far more than a socket would hold of single bytes
  const seen: number[] = [];
  for await (const bytes of log) {
    if (seen.length === 0) {
      writeSingly(70_000);
      fs.closeSync(log.fd);
      log.end();
    }
    seen.push(...bytes);
  }
  assert.deepEqual(
    seen,
    [5000, 70_000].flatMap((count) => Array.from({ length: count }, (_, n) => n % 251)),
  );
});
