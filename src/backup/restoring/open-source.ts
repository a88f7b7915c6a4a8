import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, systemReason } from "../../base/index.ts";
import { FileDevice, type BlockReader } from "../../device/index.ts";
import type { BackupPart } from "../clonezilla/index.ts";
import { openPartAnywhere } from "../open-backup.ts";
import { contentBytesOf, copyPart, type Restoring } from "./copy-part.ts";

/**
 * The contents of partitions, to be read anywhere: in the backup, or, where that cannot be, from files in a folder for
 * passing things, which are unpacked into. They stay open, and the files there, until all are closed.
 */
export class Sources implements AsyncDisposable {
  readonly #scratch: string;
  readonly #open = new Map<string, Promise<BlockReader>>();

  constructor(scratch: string) {
    this.#scratch = scratch;
  }

  /** It stays the sources' to close. */
  open(restoring: Restoring, part: BackupPart): Promise<BlockReader> {
    const opened = this.#open.get(part.name) ?? this.#openNew(restoring, part);
    opened.catch(() => undefined); // whoever waits for it hears of it
    this.#open.set(part.name, opened);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of await Promise.allSettled(this.#open.values())) {
      if (opened.status === "fulfilled") await opened.value[Symbol.asyncDispose]();
    }
  }

  async #openNew(restoring: Restoring, part: BackupPart): Promise<BlockReader> {
    try {
      return await openPartAnywhere(restoring.folder, part, { env: restoring.env });
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "unsupported") throw error;
    }
    return await unpackInto(restoring, part, this.#scratch);
  }
}

async function unpackInto(restoring: Restoring, part: BackupPart, scratch: string): Promise<BlockReader> {
  const sizeBytes = await contentBytesOf(restoring, part);
  await using stack = new AsyncDisposableStack();
  const filePath = path.join(scratch, `.holdfast-${crypto.randomUUID()}`);
  const fd = openUnnamed(filePath);
  stack.defer(() => fs.closeSync(fd));
  const device = stack.use(FileDevice.overNewFile(filePath, fd, sizeBytes));
  await copyPart(restoring, part, { device, isFresh: true });
  const open = stack.move();
  return {
    sizeBytes,
    read: (at, into) => device.read(at, into),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** A file that nobody else sees, and that is gone with its descriptor. */
function openUnnamed(filePath: string): number {
  try {
    const fd = fs.openSync(filePath, "wx+", 0o600);
    fs.rmSync(filePath);
    return fd;
  } catch (error) {
    throw new Failure("failed", `cannot unpack into "${path.dirname(filePath)}": ${systemReason(error)}`, {
      hint: "TMPDIR names a folder with room for one unpacked partition",
      cause: error,
    });
  }
}
