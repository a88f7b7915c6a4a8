/** The verbs on damaged file systems: each is done or refused for a reason, in bounded time. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { parseEditScript } from "../../src/cli/disk/edit-script.ts";
import { MemoryDevice } from "../../src/device/index.ts";
import { applyEdit } from "../../src/disk/apply-edit.ts";
import { editFileSystem } from "../../src/filesystem/index.ts";
import { Dice } from "../filesystem/random-edits.ts";
import { sampleImage } from "../filesystem/ext/sample-image.ts";
import { BoundedDevice } from "./bounded-device.ts";

/** The runs are the same each time; another seed makes others. A failure names the seed of its run. */
const firstSeed = Number(process.env["HOLDFAST_SEED"] ?? 1);
const roundCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 50);
/** No damage may make these edits read more than so many times the device. */
const readLimit = 300;

const kinds = ["ext2", "ext3", "ext4"] as const;
const images = new Map<string, Uint8Array>();
const now = { seconds: 1_700_000_000, nanoseconds: 0 };

const edits = parseEditScript(`
chmod -R go-w /a
write /a/b/deep some text
append /large at the end
append /fragmented at the end
mkdir -p /a/b/c/d /indexed/new
ln /large /indexed/large
ln -s up /a/link
mv /attributes /a/b
mv /indexed/new /a
chown -R 5:6 /a
rm /hard
write /fragmented short
rm -r /indexed
rm -rf /a /empty /long-link
`);

before(async () => {
  for (const kind of kinds) images.set(kind, (await sampleImage({ kind })).bytes);
});

/** Makes the edits and commits them, each if it can be; what cannot has to say so. Gives how many were done. */
async function editAll(bytes: Uint8Array): Promise<number> {
  let doneCount = 0;
  for (let next = 0; next < edits.length;) {
    try {
      await using fileSystem = await editFileSystem(new BoundedDevice(bytes, readLimit * bytes.length), { now });
      for (; next < edits.length; next++) {
        const context = { fileSystem, image: "/", now, isRehearsal: false, job: {} };
        await applyEdit(context, edits[next]!.edit);
        await fileSystem.commit();
        doneCount++;
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      next++;
    }
  }
  return doneCount;
}

for (const kind of kinds) {
  test(`all edits can be made in an undamaged ${kind}, which stays sound`, async () => {
    const bytes = Uint8Array.from(images.get(kind)!);
    assert.equal(await editAll(bytes), edits.length);
    const fileSystem = await editFileSystem(new MemoryDevice(bytes), { now });
    for await (const { message } of fileSystem.check()) assert.fail(message);
  });

  test(`withstands flipped bits in ${kind}`, async () => {
    for (let seed = firstSeed; seed < firstSeed + roundCount; seed++) {
      const bytes = Uint8Array.from(images.get(kind)!);
      const dice = new Dice(seed);
      for (let n = dice.below(6); n >= 0; n--) {
        const end = dice.pick([2048, 4096, 400_000, 1_500_000, bytes.length]);
        let at = dice.below(end);
        while (bytes[at] === 0 && at < end - 1) at++; // empty room is mostly not looked at
        bytes[at] = bytes[at]! ^ (1 << dice.below(8));
      }
      await editAll(bytes).catch((error) => assert.fail(`HOLDFAST_SEED=${seed}, ${kind}: ${error.stack}`));
    }
  });

  test(`withstands garbage in place of whole blocks of ${kind}`, async () => {
    for (let seed = firstSeed; seed < firstSeed + roundCount / 2; seed++) {
      const bytes = Uint8Array.from(images.get(kind)!);
      const dice = new Dice(seed + 7_777);
      for (let n = 0; n < 3; n++) bytes.set(dice.bytes(1024), (1 + dice.below(n === 0 ? 300 : 2000)) * 1024);
      await editAll(bytes).catch((error) => assert.fail(`HOLDFAST_SEED=${seed}, ${kind}: ${error.stack}`));
    }
  });
}
