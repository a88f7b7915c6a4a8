/** What a Debian kernel of this machine starts from: busybox, modules, and a script as its first process. */
import * as fs from "node:fs";
import * as path from "node:path";
import { someKernel } from "./qemu.ts";

export const busybox = "/bin/busybox";

/**
 * An initramfs that loads modules, with those that they need, in the order in which they are named, and then runs a
 * script of busybox's shell. What it prints goes to the first serial port. `signs` are empty files, for who looks into it.
 */
export function makeInitramfs(
  modules: readonly string[],
  script: readonly string[],
  signs: readonly string[] = [],
): Buffer {
  const files = modulesInOrder(modules);
  const init = [
    "#!/bin/busybox sh",
    "export PATH=/bin",
    "/bin/busybox --install /bin",
    "mount -t devtmpfs dev /dev",
    "mount -t proc proc /proc",
    "exec > /dev/ttyS0 2>&1",
    ...files.map((file) => `insmod /modules/${path.basename(file)}`),
    ...script,
    "",
  ].join("\n");
  return Buffer.concat([
    ...["bin", "dev", "proc", "modules", "mnt"].map((name) => cpioEntry(name, 0o40755)),
    cpioEntry("bin/busybox", 0o100755, fs.readFileSync(busybox)),
    ...files.map((file) => cpioEntry(`modules/${path.basename(file)}`, 0o100644, fs.readFileSync(file))),
    cpioEntry("init", 0o100755, Buffer.from(init)),
    ...signs.map((name) => cpioEntry(name.replace(/\/$/, ""), name.endsWith("/") ? 0o40755 : 0o100644)),
    cpioEntry("TRAILER!!!", 0),
  ]);
}

/** The files of the modules, each after those that it needs. */
function modulesInOrder(modules: readonly string[]): readonly string[] {
  const root = path.join("/lib/modules", path.basename(someKernel()).replace(/^vmlinuz-/, ""));
  const needs = new Map<string, readonly string[]>();
  for (const line of fs.readFileSync(path.join(root, "modules.dep"), "utf8").split("\n")) {
    const [file = "", list = ""] = line.split(":");
    needs.set(
      file,
      list.split(" ").filter((word) => word !== ""),
    );
  }
  const ordered = new Set<string>();
  const add = (file: string): void => {
    for (const needed of needs.get(file) ?? []) add(needed);
    ordered.add(file);
  };
  for (const name of modules) {
    const file = [...needs.keys()].find((one) => path.basename(one) === `${name}.ko`);
    if (file !== undefined) add(file); // else it is part of the kernel
  }
  return Array.from(ordered, (file) => path.join(root, file));
}

let nextInode = 1;

/** One file of a cpio archive in the `newc` format, which kernels unpack. */
function cpioEntry(name: string, mode: number, content = Buffer.alloc(0)): Buffer {
  const numbers = [nextInode++, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
  const header = `070701${numbers.map((value) => value.toString(16).padStart(8, "0")).join("")}${name}\0`;
  const pad = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  return Buffer.concat([pad(Buffer.from(header, "latin1")), pad(content)]);
}
