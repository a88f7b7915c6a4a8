/** `disk vm` as a user types it: what it prints, what files it leaves, what it refuses. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { commands } from "../../src/cli/commands.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { plain, type Output } from "../../src/cli/output.ts";
import { temporaryFolder } from "../temp.ts";
import { runHoldfast } from "./run-holdfast.ts";

const folder = temporaryFolder();
const disk = folder.join("my disk.img");
const version = "6.1.0-1-amd64";
const kernel = Buffer.alloc(8192, 1);
const initrd = Buffer.alloc(5000, 2);

before(async () => {
  fs.mkdirSync(folder.join("tree/boot/grub"), { recursive: true });
  kernel.write("HdrS", 0x202);
  fs.writeFileSync(folder.join("tree/boot", `vmlinuz-${version}`), kernel);
  fs.writeFileSync(folder.join("tree/boot", `initrd.img-${version}`), initrd);
  fs.writeFileSync(folder.join("tree/boot", `config-${version}`), "CONFIG_XEN_PV=y\n# CONFIG_XEN_PVH is not set\n");
  const menu = `menuentry "Linux" {\n  linux /boot/vmlinuz-${version} root=LABEL=root ro quiet\n  initrd /boot/initrd.img-${version}\n}\n`;
  fs.writeFileSync(folder.join("tree/boot/grub/grub.cfg"), menu);
  const uuid = "00000000-0000-4000-8000-000000000001";
  await run("disk", "create", disk, "--size", "64MiB", "--uuid", uuid, "--from", folder.join("tree"));
});

after(() => folder[Symbol.asyncDispose]());

/** What files there are, beside those that were there before. */
const newFiles = (): string[] => fs.readdirSync(folder.path).filter((name) => !["tree", "my disk.img"].includes(name));

/** Runs a command in this process, which takes a tenth of the time. Gives what it printed, or throws why not. */
async function run(...words: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const said = { stdout: "", stderr: "" };
  const output = (name: keyof typeof said): Output => ({
    isTerminal: false,
    columns: 80,
    style: plain,
    write(data) {
      said[name] += Buffer.from(data).toString();
      return Promise.resolve();
    },
    flush: () => Promise.resolve(),
  });
  await dispatch(words, {
    stdout: output("stdout"),
    stderr: output("stderr"),
    env: {},
    signal: new AbortController().signal,
    lendTerminal: (work) => work(),
    commands,
  });
  return said;
}

const vm = (...words: readonly string[]): ReturnType<typeof run> => run("disk", "vm", disk, ...words);

/** Asserts that a command fails with a message and hint, and leaves no file. */
async function refused(words: readonly string[], message: RegExp): Promise<void> {
  const before = newFiles();
  await assert.rejects(run(...words), (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.match(`${error.message}\nhint: ${error.hint ?? ""}`, message);
    return true;
  });
  assert.deepEqual(newFiles(), before);
}

test("for Xen the kernel's own configuration says that it is pv, and pygrub reads the rest", async () => {
  const words = ["--name", "web", "--memory", "512MiB", "--cpus", "1"];
  const { stdout, stderr, status } = await runHoldfast(["disk", "vm", disk, "--for", "xl", ...words]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const shown = stdout.replaceAll(folder.path, "/srv").replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "UUID");
  assert.equal(
    shown.replace(/(:[0-9a-f]{2}){3}"/, ':XX:XX:XX"'),
    `# xl create THIS-FILE starts it; xl console web is its console, Ctrl-] leaves that.
name = "web"
uuid = "UUID"
type = "pv"
memory = 512
vcpus = 1
bootloader = "pygrub"
extra = "console=hvc0"
disk = [ "format=raw,vdev=xvda,access=rw,target=/srv/my disk.img" ]
vif = [ "mac=00:16:3e:XX:XX:XX" ]
`,
  );
  assert.equal((await vm("--for", "xen", ...words)).stdout, stdout);
  assert.deepEqual(newFiles(), []);
});

test("--direct puts kernel and initrd beside the disk, and again only with --force", async () => {
  const words = ["--for", "xen", "--direct", "--output", folder.join("my disk.cfg")];
  const { stdout, stderr } = await vm(...words);
  assert.equal(stderr, "");
  assert.equal(stdout, `xl create '${folder.join("my disk.cfg")}'\nxl console my-disk\n`);
  assert.deepEqual(newFiles(), ["my disk.cfg", "my disk.img.initrd", "my disk.img.vmlinuz"]);
  assert.ok(fs.readFileSync(`${disk}.vmlinuz`).equals(kernel));
  assert.ok(fs.readFileSync(`${disk}.initrd`).equals(initrd));
  const text = fs.readFileSync(folder.join("my disk.cfg"), "utf8");
  assert.match(
    text,
    /^kernel = ".*\/my disk.img.vmlinuz"\nramdisk = ".*.initrd"\nroot = "LABEL=root"\nextra = "ro quiet console=hvc0"$/m,
  );

  fs.rmSync(`${disk}.initrd`);
  await refused(["disk", "vm", disk, ...words], /vmlinuz": it is there already.*\nhint: .*--force/);
  assert.deepEqual(newFiles(), ["my disk.cfg", "my disk.img.vmlinuz"]);
  await vm(...words, "--force");
  for (const name of newFiles()) fs.rmSync(folder.join(name));

  fs.mkdirSync(folder.join("kernels"));
  await vm("--for", "qemu", "--direct", "--into", folder.join("kernels"));
  assert.deepEqual(fs.readdirSync(folder.join("kernels")), ["my disk.img.initrd", "my disk.img.vmlinuz"]);
  fs.rmSync(folder.join("kernels"), { recursive: true });
});

test("a script can be run; --json tells all of it", async () => {
  const { stdout } = await vm("--for", "qemu", "--direct", "-o", folder.join("start"), "--json");
  const { configuration, kernel: started, ...told } = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(configuration, fs.readFileSync(folder.join("start"), "utf8"));
  assert.equal(fs.statSync(folder.join("start")).mode & 0o100, 0o100);
  assert.deepEqual(started, { version, path: `${disk}.vmlinuz`, initrd: `${disk}.initrd` });
  assert.deepEqual(told["nextSteps"], [folder.join("start")]);
  assert.deepEqual(told["disk"], { path: disk, format: "raw" });
  assert.equal(told["firmware"], undefined);
  for (const name of newFiles()) fs.rmSync(folder.join(name));
});

test("a serial console that may stay empty is told of", async () => {
  const { stderr } = await run("disk", "vm", await withBootCode(), "--for", "libvirt");
  assert.match(stderr, /^warning: the boot menu on the disk does not tell the kernel console=ttyS0: /);
});

test("a qcow2 file is named so, and is not looked into", async () => {
  const other = folder.join("tree/other.qcow2");
  fs.writeFileSync(other, Buffer.concat([Buffer.from("QFI\xfb\0\0\0\x03", "latin1"), Buffer.alloc(65536)]));
  const { stdout } = await run("disk", "vm", other, "--for", "libvirt");
  assert.match(stdout, /<driver name="qemu" type="qcow2"/);
  const words = ["disk", "vm", other, "--for", "qemu", "--direct"];
  await refused(words, /it is a qcow2 file, which is not looked into\nhint: "qemu-img convert -O raw"/);
});

test("a kernel on a partition of its own is found, with all that is loaded with it; the root is the other one", async () => {
  const boot = folder.join("tree/separate");
  fs.mkdirSync(path.join(boot, "grub"), { recursive: true });
  fs.mkdirSync(folder.join("tree/root/etc"), { recursive: true });
  fs.mkdirSync(folder.join("tree/root/usr"));
  fs.writeFileSync(path.join(boot, `vmlinuz-${version}`), kernel);
  fs.writeFileSync(path.join(boot, `initrd.img-${version}`), initrd);
  fs.writeFileSync(path.join(boot, "amd-ucode.img"), "early.");
  const two = folder.join("tree/two");
  const specs = [`size=16MiB,fs=ext4,from=${boot}`, `fs=ext4,from=${folder.join("tree/root")}`];
  await run("disk", "create", two, "--size", "64MiB", ...specs.flatMap((spec) => ["--partition", spec]));
  const report = JSON.parse((await run("disk", "show", two, "--json")).stdout) as {
    readonly partitions: readonly { readonly fileSystem: { readonly uuid: string } }[];
  };
  const uuid = report.partitions[1]!.fileSystem.uuid;
  const { stdout } = await run("disk", "vm", two, "--for", "xen", "--direct");
  assert.match(stdout, new RegExp(`^root = "UUID=${uuid}"\nextra = "ro console=hvc0"$`, "m"));
  assert.ok(fs.readFileSync(`${two}.initrd`).equals(Buffer.concat([Buffer.from("early.\0\0"), initrd])));
  const kept = (await run("disk", "vm", two, "--for", "xen")).stdout;
  assert.match(kept, /"--offset=1048576", "--kernel=\/vmlinuz-6.1.0-1-amd64", "--ramdisk=\/initrd.img-6.1.0-1-amd64"/);
  await refused(
    ["disk", "vm", `${two}:1`, "--for", "qemu", "--direct", "-f"],
    /cannot tell the root.*\nhint: .*--append root=/,
  );
});

test("what cannot be is refused in a line with a hint, and nothing is left", async () => {
  const empty = folder.join("tree/empty");
  await run("disk", "create", empty, "--size", "16MiB");
  const { stdout, stderr, status } = await runHoldfast(["disk", "vm", disk, "--for", "qemu"]);
  assert.deepEqual([stdout, status], ["", 1]);
  assert.match(stderr, /^holdfast: cannot start .*: it has no boot code, .*\nhint: --direct starts .*\n$/);
  const cannot = (file: string, words: string, message: RegExp): Promise<void> => {
    return refused(["disk", "vm", file, ...words.split(" ")], message);
  };
  const output = `--output ${folder.join("new")}`;
  await cannot(folder.join("nothing"), `--for qemu ${output}`, /cannot open ".*nothing": /);
  await cannot(folder.path, `--for qemu ${output}`, /^cannot /);
  await cannot(
    disk,
    `--for qemu ${output}`,
    /has no boot code, neither for BIOS nor for UEFI\nhint: --direct starts the kernel/,
  );
  await cannot(empty, `--for qemu ${output}`, /neither for BIOS nor for UEFI\nhint: disk create --boot/);
  await cannot(disk, `--for qemu --uefi ${output}`, /no program for UEFI.*\nhint: --direct/);
  await cannot(empty, `--for xen --direct ${output}`, /there is none in \/boot\nhint: name the partition/);
  await cannot(`${disk}:3`, "--for xen", /cannot find partition 3/);
  await cannot(disk, `--for xen --type pvh`, /built without CONFIG_XEN_PVH\nhint: use --type pv/);
  await cannot(disk, "--for qemu --type pv", /cannot use --type but for Xen/);
  await cannot(disk, "--for xen --bios --uefi", /--bios with --uefi/);
  await cannot(disk, "--for xen --into x", /--into without --direct/);
  await cannot(disk, "--for xen --direct --bootloader pygrub", /--bootloader with --direct/);
  await cannot(disk, "--for qemu --append x", /--append/);
  await cannot(disk, "--for xen --bridge br0 --no-network", /--bridge with --no-network/);
  await cannot(disk, "--for qemu --bridge br0 --forward 2222:22", /--forward with --bridge/);
  await cannot(disk, "--for xen --forward 2222:22", /--forward but for QEMU/);
  await cannot(disk, "--for xen --user-network --direct", /network of its user.*\nhint: leave --user-network out/);
  await cannot(disk, "--for xen --bridge a,b", /as a bridge/);
  await cannot(disk, "--for proxmox --name a_b --direct", /takes a host name.*\nhint: such as a-b/);
  await cannot(disk, "--for vmware", /vmware/);
  await cannot(disk, "--for qemu --direct --memory 1000", /whole MiB/);
  await cannot(disk, `--for qemu --direct --output ${folder.join("tree", "no", "such")}`, /cannot create/);
});

/** The disk as one that has boot code, whatever that is. */
async function withBootCode(): Promise<string> {
  const copy = folder.join("tree/bootable.img");
  fs.copyFileSync(disk, copy);
  const fd = fs.openSync(copy, "r+");
  fs.writeSync(fd, Buffer.of(0xeb, 0xfe), 0, 2, 0);
  fs.closeSync(fd);
  return copy;
}
