import * as fs from "node:fs";
import * as path from "node:path";
import { libc } from "../../../src/base/index.ts";

/** Bytes that look like nothing but are always the same. */
export function noise(seed: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let at = 0; at < lengthBytes; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

const sizes = [0, 1, 59, 60, 61, 100, 150, 1023, 1024, 1025, 4095, 4096, 4097, 12 * 1024 + 1, 65537, 300_000];

/** Puts a bit of everything that any user may make into a folder. */
export function fillSample(folder: string): void {
  const put = (name: string, bytes: Uint8Array) => fs.writeFileSync(path.join(folder, name), bytes);
  for (const size of sizes) put(`size-${size}`, noise(size, size));
  put("large", noise(7, 1_500_000));
  const sparse = fs.openSync(path.join(folder, "sparse"), "w");
  for (const at of [5_000, 900_000, 3_000_000]) fs.writeSync(sparse, noise(at, 3_000), 0, 3_000, at);
  fs.ftruncateSync(sparse, 4_000_001);
  fs.closeSync(sparse);
  fs.mkdirSync(path.join(folder, "many"));
  for (let n = 0; n < 400; n++) put(`many/a-file-with-a-rather-long-name-${n}`, noise(n, n));
  fs.mkdirSync(path.join(folder, "a/b/c/d"), { recursive: true });
  put("a/b/c/d/deep", noise(3, 30));
  fs.mkdirSync(path.join(folder, "empty"));
  put("ünïcödé 日本", noise(4, 40));
  put(`long-${"n".repeat(250)}`, noise(5, 50));
  fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/latin-`), Buffer.of(0xe9, 0xff)]), "latin");
  fs.linkSync(path.join(folder, "size-4097"), path.join(folder, "a/hard"));
  fs.symlinkSync("size-100", path.join(folder, "short-link"));
  fs.symlinkSync(`${"../".repeat(40)}far`, path.join(folder, "long-link"));
  fs.symlinkSync("/a/b/../b/c", path.join(folder, "absolute-link"));
  setXattr(path.join(folder, "size-1"), "user.short", "value");
  setXattr(path.join(folder, "size-61"), "user.long", "v".repeat(500));
  setXattr(path.join(folder, "a"), "user.of-a-directory", "d");
  fs.chmodSync(path.join(folder, "size-1024"), 0o4711);
  fs.chmodSync(path.join(folder, "empty"), 0o1777);
  fs.utimesSync(path.join(folder, "size-60"), 1, 1_234_567_890.5);
  fs.utimesSync(path.join(folder, "size-59"), 1, -3_600);
}

/** Sets an attribute where the folder can have any. */
function setXattr(file: string, name: string, value: string): void {
  libc()?.setXattr(Buffer.from(`${file}\0`), name, Buffer.from(value));
}
