/** Keys that are made and filled by whoever may do nothing else. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { holdfast } from "./holdfast-as-nobody.ts";
import { runPeer } from "./peer.ts";

/** A folder that others may write to. */
export function folderForAnyone(): TemporaryFolder {
  const folder = temporaryFolder();
  fs.chmodSync(folder.path, 0o777);
  return folder;
}

/** Runs a verb of `key`, which has to do what it is told; gives what it said. */
export function done(...words: readonly string[]): string {
  const { status, said } = holdfast("key", ...words);
  assert.equal(status, 0, said);
  return said;
}

/** Where `isos` is on a key, as mtools name it. */
export function isosOf(key: string): string {
  const start = Array.from(runPeer("sfdisk", ["-d", key]).matchAll(/start= *(\d+)/g), ([, sector]) => sector).at(-1);
  return `${key}@@${Number(start) * 512}`;
}
