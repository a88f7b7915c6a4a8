/** ISO 9660 and UDF images that were damaged at random: whatever is found wrong is a failure, soon and without bound on nothing. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { crc16Itut } from "../../src/bytes/index.ts";
import { descriptorTag } from "../../src/filesystem/udf/records.ts";
import { tagChecksum } from "../../src/filesystem/udf/tag.ts";
import { runPeer, skipWithout } from "../peers/peer.ts";
import { sparseImage } from "../filesystem/iso/image-builder.ts";
import { metadataImage, sampleUdf } from "../filesystem/udf/sample-udf.ts";
import { temporaryFolder } from "../temp.ts";
import { lookAtAll, randomFrom } from "./look-at-all.ts";

/** The runs are the same each time; another seed makes others. A failure names the seed of its run. */
const firstSeed = Number(process.env["HOLDFAST_SEED"] ?? 1);
const roundCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 150);
const sectorBytes = 2048;

function makeTree(root: string): void {
  fs.mkdirSync(`${root}/a/b/c/d/e/f/g/h/i`, { recursive: true });
  fs.writeFileSync(`${root}/a/b/c/d/e/f/g/h/i/deep`, "deep\n");
  fs.writeFileSync(`${root}/numbers`, Array.from({ length: 9000 }, (_, n) => `${n}\n`).join(""));
  fs.linkSync(`${root}/numbers`, `${root}/a/hard`);
  fs.symlinkSync("a/b/../hard", `${root}/link`);
  fs.symlinkSync("/usr/bin/env", `${root}/absolute`);
  for (let n = 0; n < 40; n++) fs.writeFileSync(`${root}/a/${n}${"-some-long-name".repeat(9)}`, `${n}\n`);
  fs.writeFileSync(`${root}/image`, Buffer.alloc(2048, "boot"));
}

/** Makes an image of a tree. */
type Maker = (tree: string, image: string) => void;

const mkisofs = (...options: readonly string[]): Maker => {
  return (tree, image) => runPeer("genisoimage", ["-quiet", ...options, "-o", image, tree]);
};
const boot = ["-b", "image", "-no-emul-boot"];

const makers: Readonly<Record<string, { readonly program?: string; readonly make: Maker }>> = {
  "UDF with every kind of file": { make: (_, image) => fs.writeFileSync(image, sampleUdf().bytes) },
  "metadata of UDF": { make: (_, image) => fs.writeFileSync(image, metadataImage().bytes) },
  "sparse files": { make: (_, image) => fs.writeFileSync(image, sparseImage()) },
  "Rock Ridge": { program: "genisoimage", make: mkisofs("-R", ...boot) },
  Joliet: { program: "genisoimage", make: mkisofs("-J", "-D") },
  "plain ISO 9660": { program: "genisoimage", make: mkisofs("-D", "-iso-level", "3") },
  zisofs: {
    program: "xorriso",
    make: (tree, image) => {
      runPeer("xorriso", ["-outdev", image, "-map", tree, "/", "-set_filter_r", "--zisofs", "/", "--", "-commit"]);
    },
  },
  UDF: { program: "genisoimage", make: mkisofs("-udf", "-D") },
  "virtual UDF": {
    program: "mkudffs",
    make: (_, image) => {
      fs.writeFileSync(image, "");
      fs.truncateSync(image, 320 * sectorBytes);
      runPeer("mkudffs", ["--media-type=cdr", "--udfrev=2.01", image]);
    },
  },
  "sparable UDF": {
    program: "mkudffs",
    make: (_, image) => {
      fs.writeFileSync(image, "");
      fs.truncateSync(image, 4096 * sectorBytes);
      runPeer("mkudffs", ["--media-type=dvdrw", "--udfrev=2.01", image]);
    },
  },
};
const paths = ["a/b/c/d/e", "link", "absolute", "a/hard", "none"];

/** Where damage does most: in sectors that have anything but zeros, of which the content of files is left out. */
function structureSectors(bytes: Uint8Array): number[] {
  const sectors: number[] = [];
  for (let at = 0; at < bytes.length; at += sectorBytes) {
    const sector = bytes.subarray(at, at + sectorBytes);
    if (sector.some((byte) => byte !== 0) && !Buffer.from(sector).includes("\n1\n2\n")) sectors.push(at);
  }
  return sectors;
}

/** Sets what some bits are, or whole numbers, where they are of a structure. */
function damage(bytes: Uint8Array, sectors: readonly number[], seed: number): void {
  const random = randomFrom(seed);
  const interesting = [0, 1, 0x7f, 0x80, 0xff];
  const count = 1 + random(6);
  for (let n = 0; n < count; n++) {
    let at = sectors[random(sectors.length)]! + random(sectorBytes);
    const end = at - (at % sectorBytes) + sectorBytes - 1;
    while (bytes[at] === 0 && at < end) at++; // empty room is mostly not looked at
    bytes[at] = random(2) === 0 ? bytes[at]! ^ (1 << random(8)) : interesting[random(interesting.length)]!;
  }
}

/** Where tags of UDF stand that are good. */
function tagPlaces(bytes: Uint8Array): number[] {
  const places: number[] = [];
  for (let at = 0; at + descriptorTag.sizeBytes <= bytes.length; at += 4) {
    const { id, checksum, crc, crcBytes } = descriptorTag.decode(bytes, at);
    if (id === 0 || id > 266 || tagChecksum(bytes.subarray(at, at + 16)) !== checksum) continue;
    if (crc16Itut(bytes.subarray(at + 16, at + 16 + crcBytes)) === crc) places.push(at);
  }
  return places;
}

/** Makes tags good again, so that damage gets further than to them. */
function seal(bytes: Uint8Array, places: readonly number[]): void {
  for (const at of places) {
    const end = Math.min(bytes.length, at + 16 + descriptorTag.get(bytes, "crcBytes", at));
    descriptorTag.patch(bytes, { crc: crc16Itut(bytes.subarray(at + 16, end)) }, at);
    descriptorTag.patch(bytes, { checksum: tagChecksum(bytes.subarray(at, at + 16)) }, at);
  }
}

for (const [kind, { program, make }] of Object.entries(makers)) {
  test(`withstands damage to ${kind}`, { skip: program !== undefined && skipWithout(program) }, async () => {
    await using folder = temporaryFolder();
    makeTree(folder.join("tree"));
    make(folder.join("tree"), folder.join("image"));
    const whole: Uint8Array = fs.readFileSync(folder.join("image"));
    const isOther = program === undefined || program === "mkudffs"; // with none of the paths
    // Without Rock Ridge there are no links; and "none" is never there.
    const noPathTables = kind === "sparse files" ? 2 : 0;
    const missing = noPathTables + (isOther ? paths.length : kind === "Rock Ridge" || kind === "zisofs" ? 2 : 3);
    assert.equal(await lookAtAll(Uint8Array.from(whole), paths), missing, "all is well at first");
    const sectors = structureSectors(whole);
    const tags = tagPlaces(whole);
    for (let seed = firstSeed; seed < firstSeed + roundCount; seed++) {
      const bytes = Uint8Array.from(whole);
      damage(bytes, sectors, seed);
      if (seed % 4 !== 0) seal(bytes, tags);
      await lookAtAll(bytes, paths).catch((error) => assert.fail(`HOLDFAST_SEED=${seed}, ${kind}: ${error.stack}`));
    }
    for (const length of [0, 1, 32_767, 32_768, 34_816, 40_000, 100_000, 526_336, whole.length - 1]) {
      await lookAtAll(whole.slice(0, length), paths);
    }
  });
}
