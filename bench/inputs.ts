import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

const treeBytes = 300 * 1024 * 1024;
const smallFolders = 100;
const filesAFolder = 1000;

/** About 300 MB of a real Debian tree: the beginning of this machine's own `/usr`, as far as it can be read. */
export function debianTree(folder: string): string {
  return made(path.join(folder, "debian"), (target) => {
    let room = treeBytes;
    for (const part of ["lib", "bin", "share"]) room = copyPart(path.join("/usr", part), path.join(target, part), room);
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

/** Copies files, folders and links in order of name until the room is used up; gives the room left. */
function copyPart(from: string, to: string, room: number): number {
  fs.mkdirSync(to, { recursive: true });
  let left = room;
  for (const entry of fs.readdirSync(from, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (left <= 0) break;
    const source = path.join(from, entry.name);
    const target = path.join(to, entry.name);
    if (entry.isDirectory()) left = copyPart(source, target, left);
    else if (entry.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(source), target);
    else if (entry.isFile() && isReadable(source)) {
      fs.copyFileSync(source, target);
      left -= fs.statSync(target).size;
    }
  }
  return left;
}

function isReadable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
