import assert from "node:assert/strict";
import { test } from "node:test";
import { armImageHeader, dosHeader, peHeader, setupHeader } from "../../../src/key/recognise/kernel-image.ts";

/** Where each field of a record begins. */
function offsets({ fields }: { readonly fields: Readonly<Record<string, readonly [number, unknown]>> }): unknown {
  return Object.fromEntries(Object.entries(fields).map(([name, [offset]]) => [name, offset]));
}

test("the headers of kernels and programs are where their specifications have them", () => {
  assert.deepEqual(offsets(setupHeader), {
    setupSectors: 497,
    bootFlag: 510,
    magic: 514,
    version: 518,
    versionText: 526,
    loadFlags: 529,
    extendedLoadFlags: 566,
  });
  assert.deepEqual(offsets(armImageHeader), { magic: 56 });
  assert.deepEqual(offsets(dosHeader), { magic: 0, peOffset: 60 });
  assert.deepEqual(offsets(peHeader), { signature: 0, machine: 4, subsystem: 92 });
});
