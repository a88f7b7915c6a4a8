import { execFileSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

const release = "bookworm";
const packages = ["python3", "git", "ca-certificates", "man-db", "openssh-client"];
const initrdBytes = 30 * 1024 * 1024;
const smallFolders = 100;
const filesAFolder = 1000;
const largeFileBytes = 1024 * 1024 * 1024;

/** A root tree of Debian, about 300 MB: the essential packages and a few that a machine has. Made as root, once. */
export function debianTree(folder: string): string {
  return made(path.join(folder, "debian"), (target) => {
    const args = ["--variant=minbase", `--include=${packages.join(",")}`, release, target];
    execFileSync("debootstrap", args, { stdio: ["ignore", "ignore", "inherit"] });
    for (const leftover of ["var/cache/apt/archives", "var/lib/apt/lists"]) {
      fs.rmSync(path.join(target, leftover), { recursive: true, force: true });
    }
  });
}

/** The same tree with a kernel of this machine and its initrd, or a file as large as one. */
export function bootableTree(folder: string): string {
  return made(path.join(folder, "debian-kernel"), (target) => {
    execFileSync("cp", ["-a", `${debianTree(folder)}/.`, target]);
    const kernel = fs.readdirSync("/boot").find((name) => name.startsWith("vmlinuz-"));
    if (kernel === undefined) throw new Error("this machine has no kernel in /boot");
    fs.copyFileSync(path.join("/boot", kernel), path.join(target, "boot", kernel));
    const initrd = randomFillSync(new Uint8Array(initrdBytes));
    fs.writeFileSync(path.join(target, "boot", kernel.replace("vmlinuz-", "initrd.img-")), initrd);
  });
}

/** 100,000 files of 20 to 2019 bytes in 100 folders. */
export function smallFiles(folder: string): string {
  return made(path.join(folder, "small"), (target) => {
    for (let n = 0; n < smallFolders; n++) {
      const below = path.join(target, `folder-${String(n).padStart(3, "0")}`);
      fs.mkdirSync(below);
      for (let m = 0; m < filesAFolder; m++) {
        const content = Buffer.alloc(20 + ((m * 7) % 2000), `${n} ${m} `);
        fs.writeFileSync(path.join(below, `file-${String(m).padStart(4, "0")}.txt`), content);
      }
    }
  });
}

/** 1 GiB that nothing makes smaller. */
export function largeFile(folder: string): string {
  const file = path.join(folder, "large-file");
  if (fs.existsSync(file)) return file;
  const piece = new Uint8Array(64 * 1024 * 1024);
  const fd = fs.openSync(`${file}.part`, "w");
  for (let done = 0; done < largeFileBytes; done += piece.length) fs.writeSync(fd, randomFillSync(piece));
  fs.closeSync(fd);
  fs.renameSync(`${file}.part`, file);
  return file;
}

/** An ISO file with so much in it that nothing makes smaller, which starts as GRUB's `loopback.cfg` in it says. */
export function isoFile(folder: string, contentBytes: number): string {
  const iso = path.join(folder, `${contentBytes}.iso`);
  if (fs.existsSync(iso)) return iso;
  const tree = made(path.join(folder, "iso tree"), (part) => {
    fs.mkdirSync(path.join(part, "boot/grub"), { recursive: true });
    const menu = "menuentry one {\n  linux /vmlinuz findiso=${iso_path}\n  initrd /initrd\n}\n";
    fs.writeFileSync(path.join(part, "boot/grub/loopback.cfg"), menu);
    for (const name of ["vmlinuz", "initrd"]) fs.writeFileSync(path.join(part, name), name);
    fs.copyFileSync(largeFile(folder), path.join(part, "content"));
    fs.truncateSync(path.join(part, "content"), contentBytes);
  });
  execFileSync("xorriso", ["-as", "mkisofs", "-quiet", "-r", "-o", `${iso}.part`, tree], { stdio: "ignore" });
  fs.rmSync(tree, { recursive: true });
  fs.renameSync(`${iso}.part`, iso);
  return iso;
}

/** A key by `key create` with these words. */
export function makeKey(key: string, ...words: readonly string[]): string {
  const create = ["src/cli/main.ts", "key", "create", key, "--force", ...words];
  execFileSync(process.execPath, create, { stdio: "ignore" });
  return key;
}

/** A disk by `disk create` with these words. */
export function makeDisk(disk: string, ...words: readonly string[]): string {
  const create = ["src/cli/main.ts", "disk", "create", disk, "--force", ...words];
  execFileSync(process.execPath, create, { stdio: "ignore" });
  return disk;
}

/** The same tree as a tar with everything in it. */
export function tarOf(tree: string): string {
  const tar = `${tree}.tar`;
  if (!fs.existsSync(tar)) {
    execFileSync("tar", ["--xattrs", "--format=pax", "--numeric-owner", "-C", tree, "-cf", `${tar}.part`, "."]);
    fs.renameSync(`${tar}.part`, tar);
  }
  return tar;
}

function made(target: string, make: (part: string) => void): string {
  if (fs.existsSync(target)) return target;
  const part = `${target}.part`;
  fs.rmSync(part, { recursive: true, force: true });
  fs.mkdirSync(part, { recursive: true });
  make(part);
  fs.renameSync(part, target);
  return target;
}
