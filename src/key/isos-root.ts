import type { Timestamp, TreeSource } from "../tree/index.ts";

/** The root of isos as whoever owns the key wants it on ext4: file managers that are not root's may copy files there. */
export function isosRoot(now: Timestamp): TreeSource {
  return {
    name: "isos",
    async *entries() {
      yield [{ path: "", kind: "directory", mode: 0o777, uid: 0, gid: 0, sizeBytes: 0, modified: now }];
    },
    async [Symbol.asyncDispose]() {},
  };
}
