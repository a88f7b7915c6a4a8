/** Sticks that are files of the test's own, shown by the kernel as loop devices. Nothing else is ever written to. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { runPeer, skipWithout } from "./peer.ts";

export interface LoopStick extends AsyncDisposable {
  readonly file: string;
  /** `/dev/loop7` */
  readonly device: string;
}

/** False where this process may make loop devices; else why not. */
export function skipWithoutLoop(): string | false {
  if (process.getuid?.() !== 0) return "only root makes loop devices";
  return skipWithout("losetup", "/dev/loop-control");
}

/** A stick of a size, empty; or over a file that is there, as it is. */
export function plugIn(file: string, sizeBytes?: number, options: readonly string[] = []): LoopStick {
  if (sizeBytes !== undefined) {
    fs.writeFileSync(file, "");
    fs.truncateSync(file, sizeBytes);
  }
  const device = runPeer("losetup", ["--find", "--show", ...options, file]).trim();
  assertOurs({ device, file });
  return {
    file,
    device,
    async [Symbol.asyncDispose]() {
      runPeer("losetup", ["--detach", device]);
    },
  };
}

/** Fails where a device is not the loop device over just this file. */
export function assertOurs({ device, file }: Pick<LoopStick, "device" | "file">): void {
  assert.match(device, /^\/dev\/loop\d+$/);
  const backing = `/sys/block/${device.slice("/dev/".length)}/loop/backing_file`;
  assert.equal(fs.readFileSync(backing, "utf8").trim(), fs.realpathSync(file));
}
