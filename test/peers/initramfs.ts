/** What a Debian kernel of this machine starts from: busybox, modules, and a script as its first process. */
import * as fs from "node:fs";
import * as path from "node:path";
import { writeCpio, type CpioEntry } from "../../src/tree/index.ts";
import { someKernel } from "./qemu.ts";

export const busybox = "/bin/busybox";

/**
 * An initramfs that loads modules, with those that they need, in the order in which they are named, and then runs a
 * script of busybox's shell. What it prints goes to the first serial port. `more` are other files in it, and folders,
 * whose names end in `/`.
 */
export function makeInitramfs(
  modules: readonly string[],
  script: readonly string[],
  more: Readonly<Record<string, string | Uint8Array>> = {},
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
  const directory = (path: string): CpioEntry => ({ path, mode: 0o40755 });
  const file = (path: string, content: Buffer, mode = 0o100644): CpioEntry => ({ path, mode, content });
  return writeCpio([
    ...["bin", "dev", "proc", "modules", "mnt"].map(directory),
    file("bin/busybox", fs.readFileSync(busybox), 0o100755),
    ...files.map((one) => file(`modules/${path.basename(one)}`, fs.readFileSync(one))),
    file("init", Buffer.from(init), 0o100755),
    ...Object.entries(more).map(([name, content]) => {
      return name.endsWith("/") ? directory(name.slice(0, -1)) : file(name, Buffer.from(content));
    }),
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
