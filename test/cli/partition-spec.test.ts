import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { parsePartitionSpec } from "../../src/cli/disk/partition-spec.ts";

test("a spec is what its keys say", () => {
  assert.deepEqual(parsePartitionSpec("size=512MiB,type=efi,fs=fat32,label=ESP"), {
    sizeBytes: 512 * 2 ** 20,
    type: "efi",
    fileSystem: { kind: "fat32", label: "ESP" },
    active: false,
    from: [],
  });
  assert.deepEqual(parsePartitionSpec("size=rest,fs=ext4,label=root,from=./tree,from=more.tar,active"), {
    sizeBytes: "rest",
    fileSystem: { kind: "ext4", label: "root" },
    active: true,
    from: ["./tree", "more.tar"],
  });
  assert.deepEqual(parsePartitionSpec("fs=none,guid=G,name=N,size=auto"), {
    sizeBytes: "auto",
    fileSystem: "none",
    guid: "G",
    name: "N",
    active: false,
    from: [],
  });
  assert.deepEqual(
    parsePartitionSpec(
      "block=4K,inode-ratio=16K,inodes=100,inode-size=256,journal=64M,reserved=2.5%,features=^64bit+quota,uuid=U",
    ),
    {
      active: false,
      from: [],
      fileSystem: {
        uuid: "U",
        blockSizeBytes: 4096,
        inodeRatioBytes: 16384,
        inodeCount: 100,
        inodeSizeBytes: 256,
        journalBytes: 64 * 2 ** 20,
        reservedPercent: 2.5,
        features: ["^64bit", "quota"],
      },
    },
  );
});

test("commas and backslashes of a value are escaped, other backslashes are not touched", () => {
  const spec = String.raw`label=a\,b\\c,from=C:\new\tree`;
  const { fileSystem, from } = parsePartitionSpec(spec);
  assert.deepEqual(fileSystem, { label: String.raw`a,b\c` });
  assert.deepEqual(from, [String.raw`C:\new\tree`]);
});

test("any text survives as a value when it is escaped", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (label) => {
      const { fileSystem } = parsePartitionSpec(`size=1M,label=${label.replace(/[\\,]/g, String.raw`\$&`)},active`);
      assert.deepEqual(fileSystem, { label });
    }),
  );
});

const refused: Readonly<Record<string, readonly [message: string, hint?: string]>> = {
  "": ["it says nothing"],
  "size=1M,lable=x": ['there is no key "lable"', "did you mean label?"],
  "filesystem=ext4": ['there is no key "filesystem"', "did you mean fs?"],
  bootable: ['there is no key "bootable"', "did you mean active?"],
  "toString=1": ['there is no key "toString"'],
  "size=1M,size=2M": ["size is there twice"],
  size: ["size needs a value"],
  "label=": ["label needs a value"],
  "active=yes": ["active takes no value"],
  "fs=none,label=x": ["label needs a file system, and fs=none asks for none"],
  "fs=none,from=tree": ["from needs a file system, and fs=none asks for none"],
};

for (const [spec, [message, hint]] of Object.entries(refused)) {
  test(`refused: "${spec}"`, () => {
    assert.throws(
      () => parsePartitionSpec(spec),
      (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.code, "usage");
        assert.equal(error.message, `cannot understand the partition "${spec}": ${message}`);
        if (hint !== undefined) assert.equal(error.hint, hint);
        return true;
      },
    );
  });
}

test("a bad value is named with its key and spec", () => {
  const cases = {
    "fs=ext4,size=1Q": 'cannot understand "size" in the partition "fs=ext4,size=1Q": "1Q" is no size',
    "reserved=60": 'cannot understand "reserved" in the partition "reserved=60": "60" is not a percentage from 0 to 50',
    "inodes=0":
      'cannot understand "inodes" in the partition "inodes=0": "0" is not a whole number from 1 to 4294967295',
  };
  for (const [spec, message] of Object.entries(cases)) assert.throws(() => parsePartitionSpec(spec), { message });
});
