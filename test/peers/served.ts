import * as fs from "node:fs";
import { skipWithoutMount } from "../filesystem/ext/mounted.ts";
import { runPeer, skipWithout } from "./peer.ts";

/** False where file systems can be mounted by programs that serve files themselves; else why not. */
export const skipServed = skipWithoutMount() || skipWithout("/dev/fuse");

/** Attaches a file to a loop device for as long as `work` runs. */
export async function whileAttached(
  file: string,
  options: readonly string[],
  work: (device: string) => Promise<void> | void,
): Promise<void> {
  const device = runPeer("losetup", [...options, "--find", "--show", file]).trim();
  try {
    await work(device);
  } finally {
    runPeer("losetup", ["--detach", device]);
  }
}

/** Mounts by a program that serves files itself, for as long as `work` runs. */
export async function whileServed(
  program: string,
  device: string,
  mountPoint: string,
  work: () => Promise<void> | void,
  options: readonly string[] = [],
): Promise<void> {
  fs.mkdirSync(mountPoint, { recursive: true });
  runPeer(program, [...options, device, mountPoint], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    await work();
  } finally {
    runPeer("umount", [mountPoint]);
  }
}
