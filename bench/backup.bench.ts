import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench, Contest } from "./bench.ts";
import { debianTree, largeFile } from "./inputs.ts";

/** Source and target are in memory: what is measured is the program, not a disk. */
const memory = "/dev/shm";
const memoryLimitBytes = 512 * 2 ** 20;
const diskBytes = 8 * 2 ** 30;
const treeCopies = 6;
const randomBytes = 300 * 2 ** 20;
const deletedBytes = 200 * 2 ** 20;

function benchFolder(): string {
  const folder = path.join(memory, "holdfast-bench");
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

function shell(script: string, ...words: readonly string[]): void {
  execFileSync("sh", ["-ec", script, "sh", ...words], { stdio: ["ignore", "ignore", "inherit"] });
}

/** 8 GiB of ext4: some 2 GB of a Debian's files, 300 MiB that nothing makes smaller, 200 MiB that were deleted. */
function usedDisk(folder: string): string {
  const image = path.join(benchFolder(), "ext4.img");
  if (fs.existsSync(image)) return image;
  const tree = path.join(folder, "backup tree");
  fs.mkdirSync(tree, { recursive: true });
  for (let n = 1; n <= treeCopies; n++) execFileSync("cp", ["-a", debianTree(folder), path.join(tree, `debian-${n}`)]);
  shell(
    `head -c "$1" "$3" >"$4/random"; head -c "$2" "$3" >"$4/deleted"`,
    `${randomBytes}`,
    `${deletedBytes}`,
    largeFile(folder),
    tree,
  );
  fs.truncateSync(openNew(`${image}.part`), diskBytes);
  execFileSync("mke2fs", ["-q", "-t", "ext4", "-d", tree, `${image}.part`]);
  execFileSync("debugfs", ["-w", "-R", "rm /deleted", `${image}.part`], { stdio: "ignore" });
  fs.rmSync(tree, { recursive: true });
  fs.renameSync(`${image}.part`, image);
  return image;
}

function openNew(file: string): string {
  fs.writeFileSync(file, "");
  return file;
}

/** One GPT with eight partitions, 3 GB used. */
function eightPartitions(folder: string): string {
  const disk = path.join(benchFolder(), "eight.img");
  if (fs.existsSync(disk)) return disk;
  const [tree, part] = [debianTree(folder), path.join(benchFolder(), "part.img")];
  fs.truncateSync(openNew(`${disk}.part`), 10 * 2 ** 30);
  const table = [
    "label: gpt",
    "size=512M,type=U",
    ...Array.from({ length: 6 }, () => "size=1400M"),
    "size=500M,type=S",
  ];
  execFileSync("sfdisk", ["-q", `${disk}.part`], {
    input: `${table.join("\n")}\n`,
    stdio: ["pipe", "ignore", "inherit"],
  });
  const { partitiontable } = JSON.parse(execFileSync("sfdisk", ["--json", `${disk}.part`]).toString()) as {
    readonly partitiontable: { readonly partitions: readonly { readonly start: number; readonly size: number }[] };
  };
  for (const [n, { start, size }] of partitiontable.partitions.entries()) {
    fs.truncateSync(openNew(part), size * 512);
    if (n === 0)
      shell(`mkfs.fat -F 32 "$1"; mcopy -s -i "$1" "$2/usr/lib/git-core" ::/ 2>/dev/null || true`, part, tree);
    else if (n === 7) execFileSync("mkswap", [part], { stdio: "ignore" });
    else execFileSync("mke2fs", ["-q", "-t", "ext4", "-d", tree, part]);
    shell(
      `dd if="$1" of="$2" bs=1M seek="$3" conv=notrunc,sparse status=none oflag=seek_bytes`,
      part,
      `${disk}.part`,
      `${start * 512}`,
    );
  }
  fs.rmSync(part);
  fs.renameSync(`${disk}.part`, disk);
  return disk;
}

function oursSaved(image: string, name: string): string {
  const home = path.join(benchFolder(), "saved");
  const backup = path.join(home, name);
  if (!fs.existsSync(backup))
    execFileSync(process.execPath, ["src/cli/main.ts", "backup", "save", image, home, "--name", name], {
      stdio: "ignore",
    });
  return backup;
}

function theirsSaved(image: string): string {
  const packed = path.join(benchFolder(), "theirs.zst");
  if (!fs.existsSync(packed))
    shell(`partclone.ext4 -c -L /dev/null -s "$1" -o - 2>/dev/null | zstd -q -3 -T0 -o "$2"`, image, packed);
  return packed;
}

const [oursOut, theirsOut] = [
  path.join(memory, "holdfast-bench", "ours"),
  path.join(memory, "holdfast-bench", "theirs"),
];
const outputs = [oursOut, theirsOut];

function save(image: string): readonly string[] {
  return ["./holdfast", "backup", "save", image, oursOut, "--name", "x"];
}

const saveToPartclone: Bench = {
  name: "backup: save 2 GB of ext4 by zstd -3",
  peer: "partclone.ext4 -c, zstd -3 -T0",
  ratioLimit: 0.65,
  memoryLimitBytes,
  prepare(folder) {
    const image = usedDisk(folder);
    const script = `partclone.ext4 -c -L /dev/null -s "$0" -o - 2>/dev/null | zstd -q -3 -T0 -o "$1"`;
    return { ours: save(image), theirs: ["sh", "-c", script, image, theirsOut], outputs };
  },
};

const saveToZstd: Bench = {
  name: "backup: save 2 GB of ext4 by zstd -3, to zstd alone",
  peer: "zstd -3 -T0 of the used blocks",
  ratioLimit: 1.15,
  memoryLimitBytes,
  prepare(folder) {
    const image = usedDisk(folder);
    const used = path.join(benchFolder(), "used");
    if (!fs.existsSync(used)) execFileSync("zstd", ["-q", "-d", theirsSaved(image), "-o", used]);
    return {
      ours: save(image),
      theirs: ["zstd", "-q", "-3", "-T0", used, "-o", theirsOut],
      outputs,
      cleanUp: () => fs.rmSync(used),
    };
  },
};

const restoreToPartclone: Bench = {
  name: "backup: restore 2 GB of ext4 to a file",
  peer: "zstd -dc, partclone.restore",
  ratioLimit: 0.6,
  memoryLimitBytes,
  prepare(folder) {
    const image = usedDisk(folder);
    const script = `: >"$1"; zstd -q -dc "$0" | partclone.restore -L /dev/null -s - -O "$1" -C 2>/dev/null`;
    return {
      ours: ["./holdfast", "backup", "restore", oursSaved(image, "one"), oursOut],
      theirs: ["sh", "-c", script, theirsSaved(image), theirsOut],
      outputs,
    };
  },
};

const firstFile: Bench = {
  name: "backup: one file out of 2 GB",
  peer: "zstd -dc to the end",
  secondsLimit: 1,
  memoryLimitBytes,
  prepare(folder) {
    const image = usedDisk(folder);
    return {
      ours: ["./holdfast", "backup", "cat", `${oursSaved(image, "one")}:/debian-4/etc/passwd`],
      theirs: ["sh", "-c", `zstd -q -dc "$0" >/dev/null`, theirsSaved(image)],
      outputs,
    };
  },
};

/** Runs Clonezilla on a loop device over a file; `$1` is the file, `$2` the folder of its images. */
const withLoop = `
  device=$(losetup --find --show "$1")
  trap 'partx --delete "$device"; losetup --detach "$device"' EXIT
  partx --delete "$device" 2>/dev/null || true
  partx --add "$device" 2>/dev/null || true
`;

function clonezilla(words: string, ...args: readonly string[]): readonly string[] {
  const script = `${withLoop} name=\${device#/dev/}; LC_ALL=C.UTF-8 TERM=dumb setsid ocs-sr -or "$2" -batch -nogui -p true ${words} </dev/null >/dev/null 2>&1`;
  return ["bash", "-c", script, "bash", ...args];
}

const saveDisk: Bench = {
  name: "backup: save a disk of eight partitions",
  peer: "ocs-sr savedisk -z9p (root)",
  ratioLimit: 0.3,
  runs: 1,
  memoryLimitBytes,
  prepare(folder): Contest {
    const disk = eightPartitions(folder);
    return {
      ours: save(disk),
      theirs: clonezilla("-q2 -j2 -z9p -i 2000 -sfsck -scs savedisk x $name", disk, theirsOut),
      beforeTheirs: () => fs.mkdirSync(theirsOut),
      outputs,
    };
  },
};

const restoreDisk: Bench = {
  name: "backup: restore a disk of eight partitions",
  peer: "ocs-sr restoredisk (root)",
  ratioLimit: 0.3,
  runs: 1,
  memoryLimitBytes,
  prepare(folder): Contest {
    const backup = oursSaved(eightPartitions(folder), "eight");
    const target = path.join(benchFolder(), "theirs");
    return {
      ours: ["./holdfast", "backup", "restore", backup, oursOut],
      theirs: clonezilla("-scr -k0 -j2 restoredisk eight $name", target, path.dirname(backup)),
      beforeTheirs: () => fs.truncateSync(openNew(target), 10 * 2 ** 30),
      outputs,
    };
  },
};

export const benches = [saveToPartclone, saveToZstd, restoreToPartclone, firstFile, saveDisk, restoreDisk];
