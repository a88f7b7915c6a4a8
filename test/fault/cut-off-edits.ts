/** Edits that are cut off, for file systems without a journal, links and owners: FAT and exFAT. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { MemoryDevice } from "../../src/device/index.ts";
import { editFileSystem, openFileSystem, treeOf } from "../../src/filesystem/index.ts";
import { applyRandomEdit, randomEdit, type Dice, type RandomEdit } from "../filesystem/random-edits.ts";
import type { TemporaryFolder } from "../temp.ts";
import { CrashDevice, type CrashState } from "./crash-device.ts";

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
function mended(folder: TemporaryFolder, state: CrashState, { program, mend, look }: Mender, what: string): Uint8Array {
  const image = folder.join("state");
  fs.writeFileSync(image, state.bytes);
  const said: string[] = [];
  const run = (option: string): number => {
    const { status, stdout, stderr } = spawnSync(`/usr/sbin/${program}`, [option, image], { encoding: "utf8" });
    said.push(stdout, stderr);
    return status ?? -1;
  };
  for (let turn = 0; turn < 4 && run(mend) !== 0; turn++);
  assert.equal(run(look), 0, `${what}: ${said.join("\n")}`);
  return fs.readFileSync(image);
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
    folder,
    mender,
    what,
  }: { readonly dice: Dice; readonly folder: TemporaryFolder; readonly mender: Mender; readonly what: string },
): Promise<Uint8Array> {
  const device = new CrashDevice(bytes);
  const before = await contentsIn(bytes);
  await editOnce(device, dice);
  const after = await contentsIn(device.bytes);
  for (const state of moments(device, dice)) {
    const moment = `${what}, ${state.how}`;
    const left = await contentsIn(mended(folder, state, mender, moment));
    for (const content of before) if (after.has(content)) assert.ok(left.has(content), `${moment}: lost ${content}`);
  }
  return device.bytes;
}
