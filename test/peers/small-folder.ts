import * as fs from "node:fs";
import { runPeer } from "./peer.ts";

/** Only root can make one. */
export const noSmallFolder = process.getuid?.() === 0 && process.platform === "linux" ? false : "only root mounts";

interface SmallFolder extends AsyncDisposable {
  readonly path: string;
}

/** A folder with room for little. It is gone at the end of the scope. */
export function smallFolder(path: string, mebibytes: number): SmallFolder {
  fs.mkdirSync(path);
  runPeer("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", path]);
  return {
    path,
    async [Symbol.asyncDispose]() {
      runPeer("umount", ["--lazy", path]);
    },
  };
}
