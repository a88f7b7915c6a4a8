import { MemoryDevice } from "../../../src/device/index.ts";
import { makeExt, type ExtOptions } from "../../../src/filesystem/ext/index.ts";
import type { Metadata, TreeEntry, TreeSource } from "../../../src/tree/index.ts";
import { noise } from "./sample-folder.ts";

const metadata: Metadata = {
  mode: 0o755,
  uid: 1000,
  gid: 1000,
  modified: { seconds: 1_600_000_000, nanoseconds: 123 },
};

function* sampleEntries(): Generator<TreeEntry> {
  const file = (path: string, sizeBytes: number, more: object = {}): TreeEntry => {
    const content = sizeBytes === 0 ? {} : { content: [{ at: 0, bytes: noise(sizeBytes, sizeBytes) }] };
    return { path, kind: "file", ...metadata, sizeBytes, ...content, ...more };
  };
  const directory = (path: string): TreeEntry => ({ path, kind: "directory", ...metadata, sizeBytes: 0 });
  yield directory("");
  yield directory("a");
  yield directory("a/b");
  yield file("a/b/deep", 5_000);
  yield directory("empty");
  yield directory("indexed");
  for (let n = 0; n < 500; n++) yield file(`indexed/some-name-that-takes-room-${n}`, n % 5);
  yield file("large", 400_000);
  const holes = Array.from({ length: 400 }, (_, n) => ({ at: n * 4096, bytes: noise(n, 1024) }));
  yield file("fragmented", 400 * 4096, { content: holes });
  yield file("attributes", 10, {
    xattrs: new Map([
      ["user.short", noise(1, 10)],
      ["user.long", noise(2, 600)],
    ]),
  });
  yield { path: "hard", kind: "hardlink", linkTarget: "large" };
  yield { path: "short-link", kind: "symlink", ...metadata, sizeBytes: 0, linkTarget: "a/b/deep" };
  yield { path: "long-link", kind: "symlink", ...metadata, sizeBytes: 0, linkTarget: "x/".repeat(60) };
  yield { path: "tty", kind: "character", ...metadata, sizeBytes: 0, device: { major: 4, minor: 64 } };
}

/** A file system with a bit of everything, made by this program, in memory. */
export async function sampleImage(
  options: Pick<ExtOptions, "kind"> & Partial<ExtOptions>,
  sizeBytes = 8 * 1024 * 1024,
): Promise<MemoryDevice> {
  const device = new MemoryDevice(new Uint8Array(sizeBytes));
  const source: TreeSource = {
    name: "sample",
    async *entries() {
      for (const entry of sampleEntries()) yield [entry];
    },
    async [Symbol.asyncDispose]() {},
  };
  const uuid = "6b1bd8a1-1c2d-4f3e-8a9b-0c1d2e3f4a5b";
  const now = { seconds: 1_700_000_000, nanoseconds: 0 };
  await makeExt(device, [source], { blockSizeBytes: 1024, uuid, now, ...options });
  return device;
}
