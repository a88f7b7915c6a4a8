import * as fs from "node:fs";
import * as os from "node:os";

/** Which process has made a snapshot, on which machine since which start of it. */
export interface Maker {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  /** When it began, in the kernel's ticks: numbers of processes come again. */
  readonly started: string;
}

/** This process. */
export function thisMaker(): Maker {
  return {
    host: os.hostname().replaceAll(/[^A-Za-z0-9_.-]/g, "_"),
    boot: thisBoot(),
    pid: process.pid,
    started: startOf(process.pid) ?? "0",
  };
}

/** As a tag of LVM's, which has letters, digits and few other signs (lvm(8)). */
export function tagOf({ host, boot, pid, started }: Maker): string {
  return `holdfast:${host}:${boot}:${pid}:${started}`;
}

/** Undefined for a tag of somebody else's. */
export function makerOf(tag: string): Maker | undefined {
  const [, host, boot, pid, started] = /^holdfast:([A-Za-z0-9_.-]+):([0-9a-f-]+):(\d+):(\d+)$/.exec(tag) ?? [];
  if (host === undefined || boot === undefined || pid === undefined || started === undefined) return undefined;
  return { host, boot, pid: Number(pid), started };
}

/** Whether a process is known to have ended; of other machines, which may see the same disks, that is never known. */
export function hasEnded({ host, boot, pid, started }: Maker): boolean {
  if (host !== thisMaker().host) return false;
  return boot !== thisBoot() || startOf(pid) !== started;
}

function thisBoot(): string {
  return fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** proc(5), /proc/PID/stat: the 22nd word; the second is a name in brackets, with anything in it. */
function startOf(pid: number): string | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .at(22 - 3);
  } catch {
    return undefined; // there is none
  }
}
