/** What is recognised, damaged at random: there is always an answer, soon, and of numbers that can be. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { test } from "node:test";
import { crc32c } from "../../src/bytes/index.ts";
import { FileReader, OverlayDevice, readBytes, SliceReader, type BlockReader } from "../../src/device/index.ts";
import { recognise, type Recognised } from "../../src/filesystem/index.ts";
import { luks2Header } from "../../src/filesystem/recognise/luks2.ts";
import { rawCrc32 } from "../../src/filesystem/recognise/raw-crc32.ts";
import { makeBlank } from "../filesystem/recognise/recognised-file.ts";
import { runPeer, skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";
import { randomFrom } from "./look-at-all.ts";

/** The runs are the same each time; another seed makes others. A failure names the seed of its run. */
const firstSeed = Number(process.env["HOLDFAST_SEED"] ?? 1);
const roundCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 1000);
const sectorBytes = 512;

/** Remembers which sectors were read, and calls a halt where reading is without bound. */
class WatchedReader implements BlockReader {
  readonly sizeBytes: number;
  readonly sectors = new Set<number>();
  readonly #under: BlockReader;
  #readBytes = 0;

  constructor(under: BlockReader) {
    this.#under = under;
    this.sizeBytes = under.sizeBytes;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    this.#readBytes += into.length;
    if (this.#readBytes > this.sizeBytes + 64 * 2 ** 20) throw new Error("reads without end");
    await this.#under.read(at, into);
    const first = Math.floor(at / sectorBytes);
    const last = Math.floor((at + into.length - 1) / sectorBytes);
    for (let sector = first; sector <= last && this.sectors.size < 4096; sector++) this.sectors.add(sector);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Makes the checksum of a structure right again, so that damage gets further than to it. */
interface Seal {
  readonly at: number;
  readonly lengthBytes: number;
  readonly apply: (bytes: Uint8Array) => void;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** A CRC32C of all the bytes, with zeros in its own place. */
function crc32cSeal(at: number, lengthBytes: number, checksumAt: number): Seal {
  return {
    at,
    lengthBytes,
    apply(bytes) {
      viewOf(bytes).setUint32(checksumAt, 0, true);
      viewOf(bytes).setUint32(checksumAt, ~crc32c(bytes) >>> 0, true);
    },
  };
}

/** A CRC-32 of what stands from one place to another. */
function crc32Seal(
  at: number,
  lengthBytes: number,
  crc: { readonly checksumAt: number; readonly from: number; readonly to: number; readonly seed: number },
): Seal {
  return {
    at,
    lengthBytes,
    apply(bytes) {
      viewOf(bytes).setUint32(crc.checksumAt, rawCrc32(bytes.subarray(crc.from, crc.to), crc.seed), true);
    },
  };
}

function luks2Seal(at: number): Seal {
  return {
    at,
    lengthBytes: 16_384,
    apply(bytes) {
      luks2Header.patch(bytes, { checksum: new Uint8Array(64) });
      const checksum = new Uint8Array(64);
      checksum.set(createHash("sha256").update(bytes).digest());
      luks2Header.patch(bytes, { checksum });
    },
  };
}

const lvmSeed = 0xf597a6cf;
const f2fsSeed = 0xf2f52010;

interface Kind {
  readonly program: string;
  readonly sizeMiB: number;
  readonly make: (image: string) => void;
  readonly seals?: readonly Seal[];
}

const kinds: Readonly<Record<string, Kind>> = {
  xfs: {
    program: "mkfs.xfs",
    sizeMiB: 300,
    make: (image) => runPeer("mkfs.xfs", ["-q", "-L", "label", image]),
    seals: [crc32cSeal(0, 512, 224), crc32cSeal(512, 512, 216)],
  },
  btrfs: {
    program: "mkfs.btrfs",
    sizeMiB: 120,
    make: (image) => runPeer("mkfs.btrfs", ["-q", "-L", "label", image]),
    seals: [
      {
        at: 65_536,
        lengthBytes: 4096,
        apply: (bytes) => viewOf(bytes).setUint32(0, ~crc32c(bytes.subarray(32)) >>> 0, true),
      },
    ],
  },
  f2fs: {
    program: "mkfs.f2fs",
    sizeMiB: 60,
    make: (image) => runPeer("mkfs.f2fs", ["-q", "-l", "label", image]),
    seals: [crc32Seal(512 * 4096, 4096, { checksumAt: 4092, from: 0, to: 4092, seed: f2fsSeed })],
  },
  squashfs: {
    program: "mksquashfs",
    sizeMiB: 1,
    make: (image) => runPeer("mksquashfs", [import.meta.dirname, image, "-quiet", "-noappend"]),
  },
  swap: {
    program: "mkswap",
    sizeMiB: 1,
    make: (image) => runPeer("mkswap", ["-L", "label", image], { stdio: ["ignore", "pipe", "ignore"] }),
  },
  luks: {
    program: "cryptsetup",
    sizeMiB: 20,
    make: (image) => format(image, "luks1"),
  },
  "luks 2": {
    program: "cryptsetup",
    sizeMiB: 20,
    make: (image) => format(image, "luks2"),
    seals: [luks2Seal(0), luks2Seal(16_384)],
  },
  lvm2: {
    program: "blkid", // it is made by hand
    sizeMiB: 8,
    make: makePhysicalVolume,
    seals: [
      crc32Seal(512, 512, { checksumAt: 16, from: 20, to: 512, seed: lvmSeed }),
      crc32Seal(4096, 512, { checksumAt: 0, from: 4, to: 512, seed: lvmSeed }),
    ],
  },
};

function format(image: string, type: string): void {
  const pbkdf = type === "luks2" ? ["--pbkdf", "pbkdf2"] : [];
  const options = ["--type", type, ...pbkdf, "--pbkdf-force-iterations", "1000", "--key-file", "-"];
  runPeer("cryptsetup", ["--batch-mode", "luksFormat", ...options, image], { input: "password" });
}

/** A physical volume as LVM makes it, of which it needs a device. */
function makePhysicalVolume(image: string): void {
  const id = "oNCXuRjktsIhDybqfQbehiD3XbUOYgfU";
  const text = `group { id = "x" seqno = 3 status = ["READ"] extent_size = 2048
    physical_volumes { pv0 { id = "oNCXuR-jkts-IhDy-bqfQ-behi-D3Xb-UOYgfU" pe_start = 2048 pe_count = 7 } }
    logical_volumes { one { status = ["READ", "VISIBLE"] segment_count = 1
      segment1 { start_extent = 0 extent_count = 4 type = "striped" stripe_count = 1 stripes = ["pv0", 1] } } } }
    # Written by a test
    version = 1\n`;
  const bytes = Buffer.alloc(8 * 2 ** 20);
  bytes.write(`LABELONE`, 512);
  bytes.writeUInt32LE(1, 512 + 8);
  bytes.writeUInt32LE(32, 512 + 20);
  bytes.write(`LVM2 001${id}`, 512 + 24);
  for (const [n, value] of [bytes.length, 2 ** 20, 0, 0, 0, 4096, 2 ** 20 - 4096].entries()) {
    bytes.writeBigUInt64LE(BigInt(value), 512 + 64 + n * 8);
  }
  bytes.write(" LVM2 x[5A%r0N*>", 4100);
  bytes.writeUInt32LE(1, 4096 + 20);
  for (const [n, value] of [4096, 2 ** 20 - 4096, 512, text.length].entries()) {
    bytes.writeBigUInt64LE(BigInt(value), 4096 + 24 + n * 8);
  }
  bytes.writeUInt32LE(rawCrc32(Buffer.from(text), lvmSeed), 4096 + 56);
  bytes.write(text, 4096 + 512);
  for (const { at, lengthBytes, apply } of kinds["lvm2"]?.seals ?? []) apply(bytes.subarray(at, at + lengthBytes));
  fs.writeFileSync(image, bytes);
}

/** Recognises, and sees that whatever is told can be. */
async function look(reader: BlockReader): Promise<Recognised | undefined> {
  const found = await recognise(new WatchedReader(reader));
  if (found === undefined) return undefined;
  const { sizeBytes, usedBytes = 0, freeBytes = 0, blockSizeBytes, problems, notes } = found;
  assert.ok(Number.isSafeInteger(sizeBytes) && sizeBytes > 0, `size ${sizeBytes}`);
  assert.ok(usedBytes >= 0 && usedBytes <= sizeBytes, `used ${usedBytes} of ${sizeBytes}`);
  assert.ok(freeBytes >= 0 && freeBytes <= sizeBytes, `free ${freeBytes} of ${sizeBytes}`);
  assert.ok(Number.isSafeInteger(blockSizeBytes) && blockSizeBytes > 0, `blocks of ${blockSizeBytes}`);
  assert.equal(found.usedBytes === undefined, found.freeBytes === undefined);
  for (const text of [...notes, ...problems.map(({ message }) => message)]) {
    assert.doesNotMatch(text, /NaN|undefined|Infinity|e\+/, text);
  }
  return found;
}

/** Flips bits and sets what numbers of all widths are, in sectors that are looked at. */
async function damage(device: OverlayDevice, sectors: readonly number[], seed: number): Promise<void> {
  const random = randomFrom(seed);
  const values = [0n, 1n, 0x7fn, 0xffn, 0x7fff_ffffn, 0xffff_ffffn, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
  const count = 1 + random(4);
  for (let n = 0; n < count; n++) {
    const start = sectors[random(sectors.length)]! * sectorBytes;
    const sector = Buffer.from(await readBytes(device, start, Math.min(sectorBytes, device.sizeBytes - start)));
    let at = random(sector.length);
    // Empty room is mostly not looked at.
    if (random(3) !== 0) while (sector[at] === 0 && at < sector.length - 1) at++;
    if (random(2) === 0) {
      sector[at] = sector[at]! ^ (1 << random(8));
    } else {
      const width = [1, 2, 4, 8][random(4)]!;
      const place = Math.min(at - (at % width), sector.length - width);
      const raw = Buffer.alloc(8);
      raw.writeBigUInt64LE(values[random(values.length)]!);
      raw.copy(sector, Math.max(0, place), 0, width);
    }
    await device.write(start, sector);
  }
}

async function seal(device: OverlayDevice, seals: readonly Seal[]): Promise<void> {
  for (const { at, lengthBytes, apply } of seals) {
    const bytes = await readBytes(device, at, lengthBytes);
    apply(bytes);
    await device.write(at, bytes);
  }
}

for (const [name, { program, sizeMiB, make, seals = [] }] of Object.entries(kinds)) {
  test(`withstands damage to ${name}`, { skip: skipWithout(program) }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    makeBlank(image, sizeMiB);
    make(image);
    await using file = await FileReader.open(image);
    const watched = new WatchedReader(file);
    const whole = await recognise(watched);
    assert.deepEqual([whole?.kind, whole?.problems], [name.replace(" 2", ""), []], "all is well at first");
    const resealed = new OverlayDevice(file);
    await seal(resealed, seals);
    assert.deepEqual(await look(resealed), whole, "the seals of this test are right");
    const sectors = [...watched.sectors];
    for (let seed = firstSeed; seed < firstSeed + roundCount; seed++) {
      const device = new OverlayDevice(file);
      await damage(device, sectors, seed);
      if (seed % 3 !== 0) await seal(device, seals);
      await look(device).catch((error) => assert.fail(`HOLDFAST_SEED=${seed}, ${name}: ${error.stack}`));
    }
    const lengths = [0, 1, 511, 512, 600, 1024, 2048, 4096, 8192, 20_000, 65_536, 70_000, 2 ** 20 - 1];
    for (const length of [...lengths, Math.floor(file.sizeBytes / 2), file.sizeBytes - 512, file.sizeBytes - 1]) {
      if (length < file.sizeBytes) await look(new SliceReader(file, 0, length));
    }
  });
}
