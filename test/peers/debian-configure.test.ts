/**
 * What our shell makes of the scripts of packages, against what dpkg and the real programs make of them in a chroot:
 * the same files, modes, owners, links, accounts, alternatives, enabled units and records of dpkg.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { fetchPackages, makeSystem, type DebianPackage } from "../../src/debian/index.ts";
import { copyTree, FolderTarget } from "../../src/tree/index.ts";
import { temporaryFolder } from "../temp.ts";
import { sharedArchiveCache } from "./debian-packages.ts";
import { runPeer, skipWithout } from "./peer.ts";

const isRoot = process.getuid?.() === 0;
const skip = isRoot
  ? skipWithout("chroot", "mknod", "apt-get", "/usr/share/keyrings/debian-archive-keyring.gpg")
  : "needs root";
const nowMs = Date.now();

/** Packages whose scripts do something of every kind; the kernel's lists are compared with depmod's. */
const include =
  "apt usr-is-merged systemd-sysv udev dbus libpam-systemd libnss-systemd systemd-resolved systemd-timesyncd iproute2 iputils-ping netbase less nano openssh-server klibc-utils linux-image-cloud-amd64".split(
    " ",
  );

/** What may be otherwise, and why. */
const allowed: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^var\/log\//, "programs write logs"],
  [/^run\//, "is emptied at every start"],
  [/^tmp\//, "is emptied at every start"],
  [/^dev\//, "is the kernel's when the system runs"],
  [/^var\/cache\/(debconf|ldconfig)\//, "caches, made again where they are missing"],
  [/^etc\/ld\.so\.cache$/, "a cache, made after the first start"],
  [/^(usr\/)?lib\/udev\/hwdb\.bin$/, "made after the first start"],
  [/^var\/lib\/systemd\/catalog/, "made after the first start"],
  [/^etc\/systemd\/system\/(.*\.wants\/?)?(finish-installation|ssh-host-keys)\.service$/, "what is left for later"],
  [/^etc\/systemd\/system\/ssh\.service\.wants$/, "what is left for later"],
  [/^etc\/ssh\/ssh_host_/, "every machine makes its own"],
  [/^etc\/(passwd|group|shadow|gshadow)-$/, "backups"],
  [/^etc\/\.pwd\.lock$/, "a lock"],
  [/^etc\/(passwd|group|shadow|gshadow)$/, "compared by name below"],
  [
    /^var\/lib\/dpkg\/(status|status-old|lock.*|available|diversions-old|statoverride-old|triggers\/.*)$/,
    "compared below, or left over",
  ],
  [/^var\/lib\/dpkg\/info$/, "compared file by file"],
  [/^var\/lib\/ucf\//, "its own backups"],
  [/^usr\/lib\/holdfast/, "the script of the first start"],
  [/^etc\/(mtab|resolv\.conf|\.resolv.*)$/, "systemd-tmpfiles makes them at every start"],
  [
    /^(home|srv|root\/\.ssh|var\/lib\/(private|systemd\/(coredump|pstore))|var\/cache\/private|var\/lib\/dbus.*)$/,
    "systemd-tmpfiles",
  ],
  [/^(usr\/)?lib\/modules\/[^/]+\/modules\.[\w.]+$/, "compared below"],
  [/^etc\/machine-id$/, "every machine gets its own"],
  [/^initrd\.img(\.old)?$/, "the script of the first start makes no initrd"],
  [/^boot\/initrd\.img-/, "ours is smaller than that of initramfs-tools"],
  [/^var\/lib\/initramfs-tools/, "where initramfs-tools keeps the sum of its initrd"],
];

interface Facts {
  readonly ours: ReadonlyMap<string, string>;
  readonly theirs: ReadonlyMap<string, string>;
  readonly ourRoot: string;
  readonly theirRoot: string;
  readonly unconfigured: readonly unknown[];
}

let facts: Facts;
const folder = temporaryFolder();

before(async () => {
  if (skip !== false) return;
  const { packages } = await fetchPackages({
    release: "bookworm",
    architecture: "amd64",
    include,
    priorities: ["required"],
    cacheFolder: sharedArchiveCache(),
    env: process.env,
    nowMs,
  });
  const [ourRoot, theirRoot] = [folder.join("ours"), folder.join("theirs")];
  const { unconfigured } = await unpackTo(ourRoot, packages, false);
  await unpackTo(theirRoot, packages, true);
  fs.mkdirSync(path.join(theirRoot, "dev"), { recursive: true });
  runPeer("mknod", ["-m", "666", path.join(theirRoot, "dev/null"), "c", "1", "3"]);
  runPeer("chroot", [theirRoot, "/usr/lib/holdfast/first-boot"], { env: { PATH: "/usr/sbin:/usr/bin" } });
  facts = { ours: factsOf(ourRoot), theirs: factsOf(theirRoot), ourRoot, theirRoot, unconfigured };
});

async function unpackTo(
  root: string,
  packages: readonly DebianPackage[],
  leaveAll: boolean,
): Promise<{ unconfigured: readonly unknown[] }> {
  const settings = { hostname: "debian", rootUuid: "0", sources: [], sshKeys: [] };
  const now = { seconds: Math.floor(nowMs / 1000), nanoseconds: 0 };
  const request = {
    packages,
    architecture: "amd64",
    wanted: new Set<string>(),
    settings,
    beforehand: false,
    leaveAll,
    now,
  };
  const { tree, unconfigured } = await makeSystem(request);
  await using target = await FolderTarget.create(root);
  await using source = tree.source("Debian");
  await copyTree(source, target);
  return { unconfigured };
}

/** Node's own recursion follows links, and out of the tree. */
function* entriesBelow(folderPath: string): Generator<fs.Dirent, void, void> {
  for (const entry of fs.readdirSync(folderPath, { withFileTypes: true })) {
    yield entry;
    if (entry.isDirectory()) yield* entriesBelow(path.join(folderPath, entry.name));
  }
}

/** A line for each path: kind, permissions, owners by name, what a link says, a sum of the content. */
function factsOf(root: string): Map<string, string> {
  const nameOf = (list: string): ((id: number) => string) => {
    const names = new Map<string, string>();
    for (const line of fs.readFileSync(path.join(root, "etc", list), "utf8").split("\n")) {
      const [name = "", , id = ""] = line.split(":");
      names.set(id, name);
    }
    return (id) => names.get(String(id)) ?? String(id);
  };
  const [userName, groupName] = [nameOf("passwd"), nameOf("group")];
  const found = new Map<string, string>();
  for (const entry of entriesBelow(root)) {
    const full = path.join(entry.parentPath, entry.name);
    const stat = fs.lstatSync(full);
    const content = entry.isFile() ? createHash("md5").update(fs.readFileSync(full)).digest("hex") : "";
    const link = entry.isSymbolicLink() ? fs.readlinkSync(full) : "";
    const mode = entry.isSymbolicLink() ? "" : (stat.mode & 0o7777).toString(8);
    const owner = `${userName(stat.uid)}:${groupName(stat.gid)}`;
    found.set(
      path.relative(root, full),
      [entry.isDirectory() ? "directory" : "", mode, owner, link, content].join(" "),
    );
  }
  return found;
}

test("our shell follows every script of a usual system", { skip }, () => {
  assert.deepEqual(facts.unconfigured, []);
});

test("files, modes, owners and links are the same", { skip }, () => {
  const { ours, theirs } = facts;
  const differences: string[] = [];
  for (const name of new Set([...ours.keys(), ...theirs.keys()])) {
    if (ours.get(name) === theirs.get(name) || allowed.some(([pattern]) => pattern.test(name))) continue;
    differences.push(`${name}: ours ${ours.get(name) ?? "none"}, theirs ${theirs.get(name) ?? "none"}`);
  }
  assert.deepEqual(differences, []);
});

test("accounts are the same but for the numbers of those that packages add", { skip }, () => {
  for (const list of ["passwd", "group", "shadow", "gshadow"]) {
    const lines = (root: string): string[] => {
      return fs
        .readFileSync(path.join(root, "etc", list), "utf8")
        .split("\n")
        .map((line) => (list.includes("shadow") ? line : line.replace(/:(?:1\d\d|9\d\d)(?=:)/g, ":N")))
        .sort();
    };
    assert.deepEqual(lines(facts.ourRoot), lines(facts.theirRoot), list);
  }
});

test("dpkg has the same records", { skip }, () => {
  const stanzas = (root: string): string[] => {
    return fs.readFileSync(path.join(root, "var/lib/dpkg/status"), "utf8").split("\n\n").sort();
  };
  assert.deepEqual(stanzas(facts.ourRoot), stanzas(facts.theirRoot));
  const audit = runPeer("chroot", [facts.ourRoot, "dpkg", "--audit"], { env: { PATH: "/usr/sbin:/usr/bin" } });
  assert.equal(audit, "");
});

test("lists of kernel modules say what those of depmod say", { skip }, () => {
  const [version = ""] = fs.readdirSync(path.join(facts.ourRoot, "usr/lib/modules"));
  const lines = (root: string, name: string): string[] => {
    const text = fs.readFileSync(path.join(root, "usr/lib/modules", version, name), "latin1");
    return text
      .split("\n")
      .map((line) => line.split(" ").sort().join(" "))
      .sort();
  };
  for (const name of ["modules.dep", "modules.alias", "modules.symbols", "modules.softdep", "modules.devname"]) {
    assert.deepEqual(lines(facts.ourRoot, name), lines(facts.theirRoot, name), name);
  }
  // What does not need each other may come in any order.
  const ask = (root: string, name: string): string[] => {
    const words = [root, "modprobe", "-S", version, "--show-depends", name];
    return runPeer("chroot", words, { env: { PATH: "/usr/sbin:/usr/bin" } })
      .split("\n")
      .sort();
  };
  const card = "pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00";
  for (const name of ["virtio_net", "vfat", "nfs", card, "ext4", "overlay"]) {
    assert.deepEqual(ask(facts.ourRoot, name), ask(facts.theirRoot, name), name);
  }
});

after(() => folder[Symbol.asyncDispose]());
