/** Edits that are cut off, for file systems without a journal, links and owners: FAT and exFAT. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { MemoryDevice } from "../../src/device/index.ts";
import { editFileSystem, openFileSystem, treeOf } from "../../src/filesystem/index.ts";
import { applyRandomEdit, randomEdit, type Dice, type RandomEdit } from "../filesystem/random-edits.ts";
import { CrashDevice, type CrashState } from "./crash-device.ts";
import type { StateFile } from "./state-file.ts";

const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const notHere: ReadonlySet<RandomEdit["verb"]> = new Set(["link", "symlink", "chmod", "chown"]);

function possibleEdit(dice: Dice): RandomEdit {
  for (;;) {
    const edit = randomEdit(dice);
    if (!notHere.has(edit.verb)) return edit;
  }
}

async function editOnce(device: CrashDevice, dice: Dice): Promise<void> {
  await using fileSystem = await editFileSystem(device, { now });
  const count = 1 + dice.below(8);
  for (let n = 0; n < count; n++) await applyRandomEdit(fileSystem, possibleEdit(dice));
  await fileSystem.commit();
}

/** The program that mends a file system, and how it is told to mend and only to look. */
export interface Mender {
  readonly program: string;
  readonly mend: string;
  readonly look: string;
}

/** What a program makes of a state that power failing left, run until it finds nothing more. */
function mended(image: StateFile, state: CrashState, { program, mend, look }: Mender, what: string): Uint8Array {
  image.write(state.bytes);
  const turns = `for n in 1 2 3 4; do ${program} ${mend} "$0" && break; done; exec ${program} ${look} "$0"`;
  const script = `PATH="$PATH:/usr/sbin:/sbin"; ${turns}`;
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script, image.path], { encoding: "utf8" });
  assert.equal(status, 0, `${what}: ${stdout}${stderr}`);
  return image.read();
}

/** The sizes and hashes of all files, wherever they are. */
async function contentsIn(bytes: Uint8Array): Promise<Set<string>> {
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  const contents = new Set<string>();
  for await (const batch of treeOf(fileSystem, "/").entries()) {
    for (const entry of batch) {
      if (entry.kind !== "file" || entry.sizeBytes === 0) continue;
      const hash = createHash("sha256");
      for await (const piece of entry.content ?? []) hash.update(piece.bytes);
      contents.add(`${entry.sizeBytes} bytes ${hash.digest("hex").slice(0, 16)}`);
    }
  }
  return contents;
}

/** All moments between two writes of small edits, some of larger ones, and reordered and torn writes. */
function* moments(device: CrashDevice, dice: Dice): Generator<CrashState> {
  const { writeCount } = device;
  for (let count = 0; count < writeCount; count++)
    if (writeCount < 12 || dice.below(4) === 0) yield device.after(count);
  if (writeCount === 0) return;
  for (let n = 0; n < 4; n++) {
    const torn = 1 + dice.below(writeCount);
    yield device.after(torn, dice.below(1 + device.sectorsOf(torn)));
    yield device.reordered(1 + dice.below(writeCount), () => dice.below(1 + n) === 0);
  }
}

/** Edits a file system, and sees at many moments that nothing is lost that was there before and was not to go. */
export async function assertNothingLost(
  bytes: Uint8Array,
  {
    dice,
    image,
    mender,
    what,
  }: { readonly dice: Dice; readonly image: StateFile; readonly mender: Mender; readonly what: string },
): Promise<Uint8Array> {
  const device = new CrashDevice(bytes);
  const before = await contentsIn(bytes);
  await editOnce(device, dice);
  const after = await contentsIn(device.bytes);
  for (const state of moments(device, dice)) {
    const moment = `${what}, ${state.how}`;
    const left = await contentsIn(mended(image, state, mender, moment));
    for (const content of before) if (after.has(content)) assert.ok(left.has(content), `${moment}: lost ${content}`);
  }
  return device.bytes;
}
