/** Power fails while FAT or exFAT is changed: what was there before, and was not to go, is there afterwards. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { MemoryDevice } from "../../src/device/index.ts";
import { editFileSystem, openFileSystem, treeOf } from "../../src/filesystem/index.ts";
import { applyRandomEdit, Dice, randomEdit, type RandomEdit } from "../filesystem/random-edits.ts";
import { temporaryFolder } from "../temp.ts";
import { CrashDevice, type CrashState } from "./crash-device.ts";
import { StateFile } from "./state-file.ts";

const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const notThere: ReadonlySet<RandomEdit["verb"]> = new Set(["link", "symlink", "chmod", "chown"]);

export interface Crashes {
  /** The file system to begin with. */
  readonly bytes: Uint8Array;
  /** How often a few changes are made as one, which power may cut off at any write. */
  readonly editCount: number;
  /** The program that mends it, and the option with which it asks nothing. */
  readonly mender: readonly [program: string, option: string];
}

export async function assertNothingIsLost({ bytes: first, editCount, mender }: Crashes): Promise<void> {
  await using folder = temporaryFolder();
  const image = new StateFile(folder.join("state"));
  const seed = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  const dice = new Dice(seed);
  let bytes = first;
  for (let edit = 0; edit < editCount; edit++) {
    const device = new CrashDevice(bytes);
    const before = await contentsIn(bytes);
    await editOnce(device, dice);
    const after = await contentsIn(device.bytes);
    for (const state of moments(device, dice)) {
      const what = `seed ${seed}, edit ${edit}, ${state.how}`;
      image.write(state.bytes);
      mend(image.path, mender, what);
      const left = await contentsIn(image.read());
      for (const content of before) if (after.has(content)) assert.ok(left.has(content), `${what}: lost ${content}`);
    }
    bytes = device.bytes;
  }
}

async function editOnce(device: CrashDevice, dice: Dice): Promise<void> {
  await using fileSystem = await editFileSystem(device, { now });
  const count = 1 + dice.below(8);
  for (let n = 0; n < count; n++) await applyRandomEdit(fileSystem, possibleEdit(dice));
  await fileSystem.commit();
}

function possibleEdit(dice: Dice): RandomEdit {
  for (;;) {
    const edit = randomEdit(dice);
    if (!notThere.has(edit.verb)) return edit;
  }
}

/**
 * Has the program mend a state that power failing left, until it finds nothing. Of a directory that was moved, and has
 * both names, `fsck.fat` empties one, and sees only when run again that no directory is left there, nor its long name.
 */
function mend(image: string, [program, option]: Crashes["mender"], what: string): void {
  const script = 'PATH="$PATH:/usr/sbin:/sbin"; for n in 1 2 3 4; do "$0" "$1" "$2" && break; done; exec "$0" -n "$2"';
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script, program, option, image], { encoding: "utf8" });
  assert.equal(status, 0, `${what}: ${stdout}${stderr}`);
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
