import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as net from "node:net";
import * as path from "node:path";
import { libc } from "../../../src/base/index.ts";
import { runPeer, skipWithout } from "../../peers/peer.ts";
import { noise } from "./sample-folder.ts";

/** False where this process may mount a file through a loop device; else why not. */
export function skipWithoutMount(): string | false {
  if (process.getuid?.() !== 0) return "only root may mount";
  return skipWithout("mke2fs", "mount", "umount", "/dev/loop-control");
}

/** Mounts an image for as long as `work` runs. */
export async function whileMounted(
  image: string,
  mountPoint: string,
  options: string,
  work: () => Promise<void>,
): Promise<void> {
  fs.mkdirSync(mountPoint, { recursive: true });
  runPeer("mount", ["-o", `loop,${options}`, image, mountPoint]);
  try {
    await work();
  } finally {
    runPeer("umount", [mountPoint]);
  }
}

/** Makes what only a kernel makes: indexes that grew, maps of all depths, reserved blocks, attributes of all kinds. */
export async function fillMounted(root: string): Promise<void> {
  const at = (name: string) => path.join(root, name);
  fs.mkdirSync(at("indexed"));
  for (let n = 0; n < 3000; n++) fs.writeFileSync(at(`indexed/entry-${n}-${"x".repeat(n % 60)}`), "");
  for (let n = 0; n < 3000; n += 3) fs.unlinkSync(at(`indexed/entry-${n}-${"x".repeat(n % 60)}`));
  for (let n = 1; n < 600; n += 3) {
    fs.renameSync(at(`indexed/entry-${n}-${"x".repeat(n % 60)}`), at(`indexed/renamed-${n}-é`));
  }
  writeAt(at("far"), [0, 20_000, 400_000, 5_000_000, 100_000_000], 3_000);
  writeAt(
    at("fragmented"),
    Array.from({ length: 1200 }, (_, n) => n * 8192),
    1_024,
  );
  reserve(at("reserved"), 600_000);
  growSlowly(at("grown"));
  fs.mkdirSync(at("growing"));
  for (let n = 0; n < 40; n++) fs.writeFileSync(at(`growing/${n}`), noise(n, n * 7));
  fs.mkdirSync(at("small"));
  fs.writeFileSync(at("small/one"), "1");
  fs.symlinkSync("t".repeat(59), at("link-59"));
  fs.symlinkSync("t".repeat(60), at("link-60"));
  fs.symlinkSync("t".repeat(900), at("link-900"));
  fs.linkSync(at("grown"), at("small/hard"));
  setAttributes(at("far"), at("growing"), at("link-59"));
  fs.chownSync(at("grown"), 70_000, 4_000_000_000);
  fs.lutimesSync(at("link-60"), 1, 5_000_000_000.123456);
  fs.utimesSync(at("small/one"), 1, -1_000_000.25);
  makeNodes(at);
  await makeSocket(at("socket"));
}

function writeAt(file: string, places: readonly number[], lengthBytes: number): void {
  const fd = fs.openSync(file, "w");
  for (const place of places) fs.writeSync(fd, noise(place, lengthBytes), 0, lengthBytes, place);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

/** Blocks that are reserved and never written read as zeros. */
function reserve(file: string, lengthBytes: number): void {
  const fd = fs.openSync(file, "w");
  libc()?.preallocate(fd, 0, lengthBytes);
  fs.writeSync(fd, noise(1, 10_000), 0, 10_000, 200_000);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

function growSlowly(file: string): void {
  for (let n = 0; n < 30; n++) fs.appendFileSync(file, noise(n, 37));
}

const acl = Buffer.from(
  "0200000001000700ffffffff02000500d204000004000500ffffffff08000400591b000010000700ffffffff20000400ffffffff",
  "hex",
);
const capability = Buffer.from("0100000200300000000000000000000000000000", "hex");

function setAttributes(file: string, directory: string, link: string): void {
  const set = (place: string, name: string, value: Uint8Array) => {
    libc()?.setXattr(Buffer.from(`${place}\0`), name, value); // what the file system has no room for is left out
  };
  set(file, "user.empty", Buffer.alloc(0));
  set(file, "user.some", noise(1, 40));
  set(file, "user.more", noise(2, 700));
  set(file, "user.huge", noise(3, 9_000));
  set(file, "trusted.t", noise(4, 3));
  set(file, "security.capability", capability);
  set(file, "system.posix_acl_access", acl);
  set(directory, "system.posix_acl_default", acl);
  set(link, "trusted.on-a-link", noise(5, 20));
}

function makeNodes(at: (name: string) => string): void {
  const make = (name: string, mode: number, major: number, minor: number) => {
    const device = ((major & 0xfff) << 8) | (minor & 0xff) | ((minor & 0xfff00) << 12);
    libc()?.makeNode(Buffer.from(`${at(name)}\0`), mode, BigInt(device));
  };
  make("tty", 0o020620, 4, 64);
  make("disk", 0o060660, 259, 1_000_000);
  make("pipe", 0o010644, 0, 0);
}

async function makeSocket(file: string): Promise<void> {
  const server = net.createServer();
  const here = process.cwd();
  process.chdir(path.dirname(file)); // the path of a socket may have 107 bytes only
  try {
    await new Promise<void>((resolve) => server.listen(path.basename(file), resolve));
    fs.linkSync(path.basename(file), "socket-kept"); // closing the server removes its own name
    await new Promise((resolve) => server.close(resolve));
  } finally {
    process.chdir(here);
  }
}

const addKeyRequest = 0xc0506617; // FS_IOC_ADD_ENCRYPTION_KEY
const setPolicyRequest = 0x800c6613; // FS_IOC_SET_ENCRYPTION_POLICY

/** Makes an empty directory encrypted (linux/fscrypt.h, policy version 2). False where the kernel cannot. */
export function encryptDirectory(directory: string): boolean {
  const koffi = (createRequire(import.meta.url)("koffi") as typeof import("koffi")).default;
  const ioctl = koffi.load(null).func("int ioctl(int fd, unsigned long request, uint8_t *argument)");
  const rawKey = noise(9, 64);
  const key = Buffer.alloc(80 + rawKey.length);
  key.writeUInt32LE(2, 0); // named by its identifier, which the kernel works out
  key.writeUInt32LE(rawKey.length, 40);
  rawKey.copy(key, 80);
  const fd = fs.openSync(directory, "r");
  try {
    if (ioctl(fd, addKeyRequest, key) !== 0) return false;
    const policy = Buffer.alloc(24);
    policy.set([2, 1, 4, 3]); // version 2, AES-256-XTS, AES-256-CTS, names padded to 32 bytes
    key.copy(policy, 8, 8, 24);
    return ioctl(fd, setPolicyRequest, policy) === 0;
  } finally {
    fs.closeSync(fd);
  }
}
