import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { Failure, libc } from "../../base/index.ts";
import type { DeviceUse } from "../../device/index.ts";

const freezeRequest = 0xc0045877; // FIFREEZE, linux/fs.h
const thawRequest = 0xc0045878; // FITHAW
const alreadyFrozen = 16; // EBUSY

/**
 * Mounted file systems that stand still on their device: everything written is there, and whoever writes waits. Disposed,
 * they go on; should this program be killed, another process lets them go on.
 */
export class FrozenMounts implements AsyncDisposable {
  readonly #open: { readonly place: string; readonly fd: number }[] = [];
  readonly #guard: Guard;

  private constructor(guard: Guard) {
    this.#guard = guard;
  }

  /** Throws `refused` where one of them cannot stand still without this program doing so too. */
  static async freeze(uses: readonly DeviceUse[], target: string): Promise<FrozenMounts> {
    const places = [...new Set(uses.map(({ by }) => by))].filter((place) => !isReadOnly(place));
    for (const use of uses) refuseUse(use, target);
    const frozen = new FrozenMounts(await Guard.start(places));
    try {
      for (const place of places) frozen.#freeze(place);
    } catch (error) {
      await frozen[Symbol.asyncDispose]();
      throw error;
    }
    return frozen;
  }

  #freeze(place: string): void {
    const fd = fs.openSync(place, "r");
    const errno = libc()?.ioctl(fd, freezeRequest);
    if (errno === 0) {
      this.#open.push({ place, fd });
      return;
    }
    fs.closeSync(fd);
    const isFrozen = errno === alreadyFrozen;
    throw new Failure(
      "refused",
      `cannot freeze "${place}": ${isFrozen ? "it is frozen already" : "this file system does not let itself be"}`,
      {
        hint: isFrozen ? `"fsfreeze --unfreeze ${place}" lets it go on` : "unmount it, or mount it read-only meanwhile",
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { fd } of this.#open.splice(0)) {
      libc()?.ioctl(fd, thawRequest);
      fs.closeSync(fd);
    }
    await this.#guard[Symbol.asyncDispose]();
  }
}

function refuseUse({ kind, device, by, isSystem }: DeviceUse, target: string): void {
  if (kind !== "mount") {
    throw new Failure(
      "refused",
      `cannot save ${device} while it is in use by ${by}: only what is mounted can be frozen`,
    );
  }
  if (isSystem) {
    throw new Failure("refused", `cannot freeze "${by}": the running system is on it`, {
      hint: "save it from another system, such as a live one; or, if it is a logical volume of LVM, with --snapshot",
    });
  }
  const { dev } = fs.statSync(by);
  const written = [existingPlace(target), ...["/proc/self/fd/1", "/proc/self/fd/2"].filter((fd) => fs.existsSync(fd))];
  if (!written.some((place) => fs.statSync(place).dev === dev)) return;
  throw new Failure("refused", `cannot freeze "${by}": the backup or its messages are to be written there`);
}

function existingPlace(target: string): string {
  let place = path.resolve(target);
  while (!fs.existsSync(place) && place !== path.dirname(place)) place = path.dirname(place);
  return place;
}

/** proc(5), /proc/self/mountinfo: the last words are the options of the file system itself. */
function isReadOnly(place: string): boolean {
  const lines = fs.readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const line = lines.findLast((text) => unescapeMount(text.split(" ")[4] ?? "") === place);
  return line?.split(" ").at(-1)?.split(",").includes("ro") === true;
}

/** Spaces and the like are written as `\040`. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** A process of its own that lets file systems go on should this one end without doing so. */
class Guard implements AsyncDisposable {
  readonly #end: () => Promise<void>;

  private constructor(end: () => Promise<void>) {
    this.#end = end;
  }

  /** Returns once it has them open. */
  static async start(places: readonly string[]): Promise<Guard> {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const script = fileURLToPath(new URL(`./thaw-worker.${extension}`, import.meta.url));
    const child = spawn(process.execPath, [script, ...places], { stdio: ["pipe", "pipe", "inherit"], detached: true });
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    child.stdout.once("data", () => resolve());
    child.once("error", reject);
    child.once("exit", () => {
      end();
      reject(new Failure("failed", "cannot freeze: the process that would guard it has ended"));
    });
    child.stdin.on("error", () => undefined); // it has ended, and is heard of so
    await ready;
    return new Guard(async () => {
      child.stdin.end("done\n");
      await ended;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}
