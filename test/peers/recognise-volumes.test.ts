/** Swap, LUKS and LVM2 made by their own tools: told as blkid and those tools tell of them. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { assertAsBlkid, makeBlank, numberAfter, recogniseFile } from "../filesystem/recognise/recognised-file.ts";
import { skipWithoutMount } from "../filesystem/ext/mounted.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

function words(line: string): string[] {
  return line.split(" ").filter((word) => word !== "");
}

function writeInto(image: string, at: number, bytes: Uint8Array): void {
  const file = fs.openSync(image, "r+");
  fs.writeSync(file, bytes, 0, bytes.length, at);
  fs.closeSync(file);
}

for (const [options, label, pageBytes] of [
  ["", "", 4096],
  ["-L Läbel☃", "Läbel☃", 4096],
  ["-p 8192 -L eight", "eight", 8192],
  ["-p 65536", "", 65_536],
] as const) {
  test(`swap ${options}`, { skip: skipWithout("mkswap", "blkid") }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    makeBlank(image, 7);
    const said = runPeer("mkswap", [...words(options), image], { stdio: ["ignore", "pipe", "ignore"] });
    const found = await recogniseFile(image);
    assertAsBlkid(found, image);
    assert.deepEqual([found.problems, found.notes, found.label], [[], [], label]);
    assert.equal(found.blockSizeBytes, pageBytes);
    assert.equal(found.sizeBytes - pageBytes, Number(/(\d+) bytes\)/.exec(said)?.[1])); // it leaves the header away
    assert.equal(found.usedBytes, 0);

    // What the kernel does when it goes to sleep: another signature, the rest of the header stays.
    writeInto(image, pageBytes - 10, Buffer.from("S1SUSPEND\0"));
    const asleep = await recogniseFile(image);
    if (pageBytes === 4096) assertAsBlkid(asleep, image, "swsuspend");
    assert.deepEqual([asleep.kind, asleep.uuid, asleep.label], ["swap", found.uuid, label]);
    assert.match(asleep.notes.join(), /^hibernated: /);
    assert.equal(asleep.usedBytes, asleep.sizeBytes);
  });
}

const quick = words("--pbkdf pbkdf2 --pbkdf-force-iterations 1000 --use-urandom");
const quick1 = words("--pbkdf-force-iterations 1000 --use-urandom");

function format(image: string, options: readonly string[]): void {
  const label = options.map((word) => word.replace("_", " "));
  runPeer("cryptsetup", ["--batch-mode", "luksFormat", ...label, "--key-file", "-", image], { input: "password" });
}

for (const [version, options, cipher] of [
  ["luks1", "", "aes-xts-plain64"],
  ["luks1", "--cipher aes-cbc-essiv:sha256 --key-size 256", "aes-cbc-essiv:sha256"],
  ["luks2", "--label Läbel_☃ --subsystem sub_system", "aes-xts-plain64"],
  ["luks2", "--sector-size 512", "aes-xts-plain64"],
  ["luks2", "--luks2-metadata-size 64k --luks2-keyslots-size 8m --offset 40960", "aes-xts-plain64"],
] as const) {
  test(`LUKS: ${version} ${options}`, { skip: skipWithout("cryptsetup", "blkid") }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    makeBlank(image, 40);
    format(image, ["--type", version, ...(version === "luks1" ? quick1 : quick), ...words(options)]);
    const found = await recogniseFile(image);
    assertAsBlkid(found, image, "crypto_LUKS");
    assert.deepEqual([found.problems, found.features], [[], [version, cipher]]);
    assert.equal(found.sizeBytes, fs.statSync(image).size);
    const said = runPeer("cryptsetup", ["luksDump", image]);
    const offset = version === "luks1" ? numberAfter(said, "Payload offset") * 512 : numberAfter(said, "offset");
    assert.equal(found.usedBytes, found.sizeBytes - offset);
    assert.match(found.notes.join(), new RegExp(`^${version.toUpperCase()}, ${cipher}, .*key slots in use: 1`));
    if (options.includes("subsystem")) {
      assert.deepEqual([found.label, found.notes[1]], ["Läbel ☃", "it belongs to sub system"]);
    }
  });
}

test("LUKS2 by its second header, and by neither", { skip: skipWithout("cryptsetup", "blkid") }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeBlank(image, 40);
  format(image, ["--type", "luks2", "--label", "name", ...quick]);
  const whole = await recogniseFile(image);
  writeInto(image, 5000, Buffer.from("x")); // in the JSON of the first
  const torn = await recogniseFile(image);
  assert.deepEqual(torn.problems, [
    { severity: "error", message: "the LUKS2 header is damaged: the second one is used" },
  ]);
  assert.deepEqual({ ...torn, problems: [] }, whole);
  writeInto(image, 0, Buffer.alloc(16_384));
  assert.deepEqual(await recogniseFile(image), torn);
  format(image, ["--type", "luks2", "--label", "name", ...quick]);
  writeInto(image, 16_384 + 5000, Buffer.from("x"));
  assert.deepEqual((await recogniseFile(image)).problems, [
    { severity: "error", message: "the second LUKS2 header is damaged" },
  ]);
  writeInto(image, 5000, Buffer.from("x"));
  const lost = await recogniseFile(image);
  assert.equal(lost.label, "name");
  assert.deepEqual(
    lost.problems.map(({ message }) => message),
    ["the LUKS2 header is damaged", "the second LUKS2 header is damaged"],
  );
});

/** LVM that knows only these devices, keeps nothing on this machine, and does not ask the kernel to make volumes. */
class IsolatedLvm {
  readonly #folder: string;

  constructor(folder: TemporaryFolder, devices: readonly string[]) {
    this.#folder = folder.join("lvm");
    const filter = JSON.stringify([...devices.map((device) => `a|^${device}$|`), "r|.*|"]);
    fs.mkdirSync(this.#folder);
    fs.writeFileSync(
      folder.join("lvm", "lvm.conf"),
      `devices { dir="/dev" scan=["/dev"] filter=${filter} global_filter=${filter} use_devicesfile=0
        obtain_device_list_from_udev=0 external_device_info_source="none" }
      global { use_lvmpolld=0 event_activation=0 locking_dir="${this.#folder}" }
      activation { udev_sync=0 udev_rules=0 monitoring=0 }
      backup { backup=0 archive=0 }`,
    );
  }

  run(line: string): string {
    const [program = "", ...args] = words(line);
    return runPeer(program, [...args, "--driverloaded", "n"], {
      env: { LVM_SYSTEM_DIR: this.#folder, LVM_SUPPRESS_FD_WARNINGS: "1" },
    });
  }
}

async function whileAttached(files: readonly string[], work: (devices: string[]) => Promise<void>): Promise<void> {
  const devices: string[] = [];
  try {
    for (const file of files) devices.push(runPeer("losetup", ["--find", "--show", file]).trim());
    await work(devices);
  } finally {
    for (const device of devices) runPeer("losetup", ["--detach", device]);
  }
}

const skipLvm = skipWithoutMount() || skipWithout("pvcreate", "losetup", "blkid");

test("LVM2 physical volumes, alone, in a volume group, and in use", { skip: skipLvm }, async () => {
  await using folder = temporaryFolder();
  const images = ["one", "two", "bare"].map((name) => folder.join(name));
  for (const image of images) makeBlank(image, 120);
  await whileAttached(images, async (devices) => {
    const lvm = new IsolatedLvm(folder, devices);
    const [one = "", two = "", bare = ""] = devices;
    lvm.run(`pvcreate -y --metadatasize 100k ${one}`);
    lvm.run(`pvcreate -y --metadatacopies 2 --setphysicalvolumesize 100m ${two}`);
    lvm.run(`pvcreate -y --metadatacopies 0 ${bare}`);
    const assertAlike = async () => {
      for (const [n, device] of devices.entries()) {
        const found = await recogniseFile(images[n]!);
        assertAsBlkid(found, images[n]!, "LVM2_member");
        const columns = "pv_uuid,vg_name,pv_used,pv_free,dev_size,pv_pe_alloc_count";
        const said = lvm.run(`pvs --noheadings --nosuffix --units b --separator ; -o ${columns} ${device}`).trim();
        const [id, group, used, free] = said.split(";");
        assert.deepEqual(found.problems, []);
        assert.equal(found.uuid, id);
        assert.equal(found.sizeBytes, device === two ? 100 * 2 ** 20 : fs.statSync(images[n]!).size);
        if (device === bare) {
          assert.match(found.notes.join(), /^physical volume without metadata/);
        } else if (group === "") {
          assert.deepEqual([found.notes, found.usedBytes], [["physical volume of no volume group"], undefined]);
        } else {
          assert.deepEqual([found.label, found.usedBytes, found.freeBytes], [group, Number(used), Number(free)]);
        }
      }
    };
    await assertAlike();
    lvm.run(`vgcreate -s 1m group-1.x ${one} ${two} ${bare}`);
    await assertAlike();
    const create = "lvcreate -y -an -Zn -Wn";
    lvm.run(`${create} -l 7 -n plain group-1.x ${one}`);
    lvm.run(`${create} -i 2 -I 64k -l 11 -n striped group-1.x ${one} ${two}`);
    lvm.run(`${create} -l 150 -n spread group-1.x`);
    await assertAlike();
    lvm.run("lvremove -y group-1.x/plain");
    lvm.run("lvextend -l +20 group-1.x/spread");
    // The text moves on through its area with each change, and begins again at its end.
    for (let n = 0; n < 40; n++) lvm.run(`lvchange --addtag ${"tag".repeat(40)}${n} group-1.x/spread`);
    await assertAlike();
    const { notes } = await recogniseFile(images[0]!);
    assert.match(
      notes.join(),
      /^physical volume of the volume group "group-1\.x" with 2 logical volumes: \d+ of \d+ extents of 1 MiB in use$/,
    );
  });
});

test("LVM2 whose first metadata is damaged, by the second", { skip: skipLvm }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeBlank(image, 60);
  await whileAttached([image], async ([device = ""]) => {
    const lvm = new IsolatedLvm(folder, [device]);
    lvm.run(`pvcreate -y --metadatacopies 2 ${device}`);
    lvm.run(`vgcreate group ${device}`);
    lvm.run(`lvcreate -y -an -Zn -Wn -l 3 -n some group`);
    lvm.run(`vgchange -x n group`);
  });
  const whole = await recogniseFile(image);
  assert.equal(whole.usedBytes, 3 * 4 * 2 ** 20);
  writeInto(image, 4096 + 20, Buffer.from("x"));
  const torn = await recogniseFile(image);
  assert.deepEqual(torn.problems, [
    {
      severity: "error",
      message: "cannot read the LVM2 metadata at byte 4096: the checksum of its header does not match",
    },
  ]);
  assert.deepEqual({ ...torn, problems: [] }, whole);
  writeInto(image, 512 + 100, Buffer.from("x"));
  assert.deepEqual((await recogniseFile(image)).problems[0], {
    severity: "error",
    message: "the checksum of the LVM2 label does not match",
  });
});
