import * as fs from "node:fs";

const blockDevices = "/sys/block";

/**
 * The loop device (`/dev/loop0`) that shows a file of the system as a block device, as far as Linux tells; undefined
 * where there is none. What the kernel holds of such a file does not learn of changes made beside it.
 */
export function loopDeviceOf({ dev, ino }: Pick<fs.BigIntStats, "dev" | "ino">): string | undefined {
  const name = loopNames().find((loop) => {
    const backing = statOfBacking(loop);
    return backing?.dev === dev && backing.ino === ino;
  });
  return name === undefined ? undefined : `/dev/${name}`;
}

function loopNames(): string[] {
  try {
    return fs.readdirSync(blockDevices).filter((name) => /^loop\d+$/.test(name));
  } catch {
    return []; // no Linux, or none of its sysfs to be seen
  }
}

/** Undefined for a loop device without a file, or with one that is out of sight. */
function statOfBacking(loop: string): fs.BigIntStats | undefined {
  try {
    const path = fs.readFileSync(`${blockDevices}/${loop}/loop/backing_file`, "utf8").replace(/\n$/, "");
    return fs.statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
