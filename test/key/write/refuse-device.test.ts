/** Which disks a key is never written onto, told from trees as Linux shows them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../../src/base/index.ts";
import {
  confirmationOf,
  identityOf,
  refuseUnconfirmed,
  refuseUnwritable,
  type BlockIdentity,
} from "../../../src/device/index.ts";
import { refuseDevice } from "../../../src/key/write/refuse-device.ts";
import { fakeSystem, mountLine, type FakeDevice } from "../../device/fake-system.ts";
import { temporaryFolder } from "../../temp.ts";

type Proc = Parameters<typeof fakeSystem>[2];

async function identify(number: string, devices: readonly FakeDevice[], proc?: Proc): Promise<BlockIdentity> {
  await using folder = temporaryFolder();
  fakeSystem(folder.path, devices, proc);
  return identityOf("/dev/it", number, { root: folder.path });
}

const image = { path: "/k.img", sizeBytes: 2 ** 25 };

function refused(work: () => void): string {
  let said = "";
  assert.throws(work, (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, "refused");
    assert.doesNotMatch(error.message, /\n/);
    said = `${error.message}; ${error.hint ?? ""}`;
    return true;
  });
  return said;
}

const ata = "pci0/ata1/host0/target0:0:0/0:0:0:0/block/sda";
const sata: FakeDevice = {
  at: ata,
  number: "8:0",
  files: { "../../vendor": "ATA     ", "../../model": "Disk 860       ", "../../vpd_pg80": "\0\x80\0\x06S3Z9NB" },
};
const sataPart = (n: number, holders: readonly string[] = []): FakeDevice => {
  return { at: `${ata}/sda${n}`, number: `8:${n}`, isPartition: true, holders };
};
const mapped = (n: number, name: string, holders: readonly string[] = []): FakeDevice => {
  return { at: `virtual/block/dm-${n}`, number: `253:${n}`, files: { "dm/name": name }, holders };
};
const usb: FakeDevice = {
  at: "pci0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb",
  number: "8:16",
  files: {
    removable: "1",
    diskseq: "12",
    "../../vendor": "SanDisk ",
    "../../model": "Ultra",
    "../../../../../../idVendor": "0781",
    "../../../../../../serial": "4C530001",
  },
};

test("a stick on USB is known by the serial number of its USB device, and may be written", async () => {
  const stick = await identify("8:16", [usb]);
  assert.deepEqual(stick, {
    name: "sdb",
    path: "/dev/sdb",
    number: "8:16",
    vendor: "SanDisk",
    model: "Ultra",
    serial: "4C530001",
    transport: "usb",
    isRemovable: true,
    isReadOnly: false,
    sizeBytes: 15_728_640 * 512,
    sectorSizeBytes: 512,
    sequence: "12",
    uses: [],
  });
  refuseDevice(stick, image);
  refuseUnconfirmed(stick, " 4C530001\n");
  assert.match(
    refused(() => refuseUnconfirmed(stick, "y")),
    /its serial number is "4C530001", not "y"/,
  );
  assert.match(
    refused(() => refuseUnconfirmed(stick, undefined)),
    /nobody confirmed.*--dry-run/,
  );
});

test("without a serial number its model is typed, or its size; what is not removable is refused then", async () => {
  const bare = { ...usb, files: { ...usb.files, "../../../../../../serial": "" } };
  const stick = await identify("8:16", [bare]);
  assert.deepEqual(confirmationOf(stick), { word: "Ultra", what: "model" });
  assert.deepEqual(confirmationOf({ ...stick, model: "" }), { word: "8053063680", what: "size" });
  const fixed = { ...stick, isRemovable: false };
  assert.match(
    refused(() => refuseUnconfirmed(fixed, "Ultra")),
    /not removable, and has no serial number/,
  );
});

const roots: readonly (readonly [string, string, readonly FakeDevice[], Proc, RegExp])[] = [
  [
    "SATA",
    "8:0",
    [sata, sataPart(1), sataPart(2)],
    { mounts: [mountLine("8:2", "/", "/dev/root")] },
    /the system runs from it, sda2 is mounted on \//,
  ],
  [
    "NVMe with /boot on it",
    "259:0",
    [
      { at: "pci0/nvme/nvme0/nvme0n1", number: "259:0" },
      { at: "pci0/nvme/nvme0/nvme0n1/nvme0n1p1", number: "259:1", isPartition: true },
    ],
    {
      mounts: [mountLine("0:50", "/", "overlay", "overlay"), mountLine("259:1", "/boot/efi", "/dev/nvme0n1p1", "vfat")],
    },
    /the system runs from it, nvme0n1p1 is mounted on \/boot\/efi/,
  ],
  [
    "a memory card",
    "179:0",
    [
      { at: "soc/mmc0/mmc0:aaaa/block/mmcblk0", number: "179:0" },
      { at: "soc/mmc0/mmc0:aaaa/block/mmcblk0/mmcblk0p2", number: "179:2", isPartition: true },
    ],
    { mounts: [mountLine("179:2", "/", "/dev/mmcblk0p2")] },
    /the system runs from it, mmcblk0p2/,
  ],
  [
    "USB",
    "8:16",
    [usb],
    { mounts: [mountLine("8:16", "/", "/dev/sdb")] },
    /the system runs from it, sdb is mounted on \//,
  ],
  [
    "LVM on an encrypted partition",
    "8:0",
    [sata, sataPart(3, ["dm-0"]), mapped(0, "crypt", ["dm-1"]), mapped(1, "vg-root")],
    { mounts: [mountLine("253:1", "/", "/dev/mapper/vg-root")] },
    /the system runs from it, dm-1 is mounted on \//,
  ],
  [
    "RAID",
    "8:0",
    [sata, sataPart(1, ["md127"]), { at: "virtual/block/md127", number: "9:127" }],
    { mounts: [mountLine("9:127", "/usr", "/dev/md127")] },
    /the system runs from it, md127 is mounted on \/usr/,
  ],
  [
    "btrfs, which has a number of its own",
    "8:0",
    [sata, sataPart(2)],
    { mounts: [mountLine("0:24", "/", "/dev/sda2", "btrfs")] },
    /the system runs from it, sda2/,
  ],
  [
    "btrfs on a mapped device",
    "8:0",
    [sata, sataPart(2, ["dm-0"]), mapped(0, "luks-1")],
    { mounts: [mountLine("0:24", "/", "/dev/mapper/luks-1", "btrfs")] },
    /the system runs from it, dm-0/,
  ],
];

for (const [name, number, devices, proc, message] of roots) {
  test(`the system's disk is refused: ${name}`, async () => {
    const device = await identify(number, devices, proc);
    assert.match(
      refused(() => refuseDevice(device, image)),
      message,
    );
  });
}

test("what is in use is refused, with what uses it and how to free it", async () => {
  const inUse = async (devices: readonly FakeDevice[], proc: Proc): Promise<string> => {
    const device = await identify("8:0", devices, proc);
    return refused(() => refuseDevice(device, image));
  };
  assert.match(
    await inUse([sata, sataPart(1)], { mounts: [mountLine("8:1", String.raw`/media/my\040stick`, "/dev/sda1")] }),
    /sda1 is mounted on \/media\/my stick; run: umount/,
  );
  assert.match(await inUse([sata, sataPart(1)], { swaps: ["/dev/sda1 partition 1 0 -2"] }), /sda1 is in use as swap/);
  assert.match(
    await inUse([sata, sataPart(1, ["dm-0"]), mapped(0, "vg-home")], {}),
    /sda1 is in use by dm-0 \(vg-home\); .*close or stop/,
  );
  const loop = { at: "virtual/block/loop3", number: "7:3", files: { "loop/backing_file": "/dev/sda" } };
  assert.match(await inUse([sata, loop], {}), /loop3 is a loop device over sda; run: losetup -d/);
});

test("the system's disk is not changed either", async () => {
  const device = await identify("8:0", [sata, sataPart(2)], { mounts: [mountLine("8:2", "/", "/dev/sda2")] });
  assert.match(
    refused(() => refuseUnwritable(device, 'change "/dev/sda"')),
    /^cannot change "\/dev\/sda": the system runs from it, sda2 is mounted on \/; /,
  );
  assert.match(
    refused(() => refuseUnwritable({ uses: [], isReadOnly: true }, 'change "/dev/sda"')),
    /^cannot change "\/dev\/sda": it is read-only; /,
  );
});

test("what cannot hold the key is refused", async () => {
  const device = await identify("8:0", [sata]);
  assert.equal(device.transport, "sata");
  assert.equal(device.serial, "S3Z9NB");
  refuseDevice(device, image);
  refuseUnconfirmed(device, "S3Z9NB");
  assert.match(
    refused(() => refuseUnconfirmed(device, undefined)),
    /it is not removable; .*--confirm/,
  );
  assert.match(
    refused(() => refuseDevice({ ...device, isReadOnly: true }, image)),
    /it is read-only/,
  );
  assert.match(
    refused(() => refuseDevice({ ...device, sectorSizeBytes: 4096 }, image)),
    /sectors of 4096 bytes/,
  );
  assert.match(
    refused(() => refuseDevice({ ...device, sizeBytes: 2 ** 20 }, image)),
    /1 MiB .*needs 32 MiB/,
  );
});

test("a partition is refused, and its disk named", async () => {
  await using folder = temporaryFolder();
  fakeSystem(folder.path, [sata, sataPart(1)]);
  const said = refused(() => void identityOf("/dev/sda1", "8:1", { root: folder.path }));
  assert.match(said, /"\/dev\/sda1": it is a partition, .*; its disk is \/dev\/sda$/);
});

test("a logical volume is named by its group and itself, and written only where that is given", async () => {
  const uuid = `LVM-${"aB3".repeat(21)}x`;
  const volume = (more: Record<string, string>): FakeDevice => ({ ...mapped(0, "vg--1-my--root"), files: more });
  const root = await identify("253:0", [volume({ "dm/name": "vg--1-my--root", "dm/uuid": uuid })]);
  assert.deepEqual([root.path, root.transport, root.serial], ["/dev/mapper/vg--1-my--root", "lvm", "vg-1/my-root"]);
  assert.deepEqual(confirmationOf(root), { word: "vg-1/my-root", what: "volume" });
  assert.match(
    refused(() => refuseUnconfirmed(root, undefined)),
    /give its volume with --confirm/,
  );
  refuseUnconfirmed(root, "vg-1/my-root");
  for (const other of [
    { "dm/name": "vg--1-pool-tpool", "dm/uuid": `${uuid}-tpool` },
    { "dm/name": "home", "dm/uuid": "CRYPT-LUKS2-0-home" },
    { "dm/name": "vg--1", "dm/uuid": uuid },
  ]) {
    const { path, transport, serial } = await identify("253:0", [volume(other)]);
    assert.deepEqual([path, transport, serial], ["/dev/dm-0", "other", undefined]);
  }
});

test("NVMe, virtio and cards say their numbers themselves; only a card is removable", async () => {
  const nvme = await identify("259:0", [
    { at: "pci0/nvme/nvme0/nvme0n1", number: "259:0", files: { "device/serial": "S6B0", "device/model": "SSD 980" } },
  ]);
  assert.deepEqual([nvme.transport, nvme.serial, nvme.model, nvme.isRemovable], ["nvme", "S6B0", "SSD 980", false]);
  const card = await identify("179:0", [
    {
      at: "soc/mmc0/mmc0:aaaa/block/mmcblk0",
      number: "179:0",
      files: { "../../serial": "0x1a2b", "../../name": "SD32G", "../../type": "SD" },
    },
  ]);
  assert.deepEqual([card.transport, card.serial, card.model, card.isRemovable], ["mmc", "0x1a2b", "SD32G", true]);
  const virtual = await identify("254:0", [
    { at: "pci0/virtio1/block/vda", number: "254:0", files: { serial: "disk-1" } },
  ]);
  assert.deepEqual([virtual.transport, virtual.serial], ["virtio", "disk-1"]);
});
