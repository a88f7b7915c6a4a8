/** Keys beside firmware that lets only signed programs start, and on machines that are no PC of today. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { SerialText, startMachine, type MachineRequest } from "../../src/disk/machine/index.ts";
import { createKey } from "../../src/key/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { fetchedPackage } from "./fetched-package.ts";
import { livePeers, makeIso, makeLiveIso } from "./live-iso.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers } from "./qemu.ts";
import { done, folderForAnyone } from "./nobodys-key.ts";

const unsignedProgram = "/boot/memtest86+x64.efi";
const skip = skipWithout(...machinePeers.bios, ...machinePeers.uefi, ...machinePeers.secure, ...livePeers, "mcopy");
const skipCertificates = skip === false ? skipWithout("openssl", "mtype") : skip;
const limitMs = 300_000;
const isOn = "this is not signed by";

/** An entry of the key's own menu that tells which GRUB shows it. */
function putMarker(folder: TemporaryFolder, key: string, bootAt: number): void {
  const custom = folder.join("custom.cfg");
  fs.writeFileSync(custom, 'menuentry "whole=$whole_grub locked=$key_locked." { true; }\n');
  runPeer("mcopy", ["-i", `${key}@@${bootAt}`, custom, "::boot/grub/custom.cfg"]);
}

type Step = readonly [until: string, keys: string];

/** What a machine says on its serial port while keys are typed, each once a text is seen; fails where one is not. */
async function driven(
  key: string,
  steps: readonly Step[],
  machine: Partial<MachineRequest>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const request = {
    architecture: "x86_64",
    firmware: "uefi",
    cpus: 1,
    window: false,
    serial: "captured",
    accelerate: false,
    memoryBytes: 512 * 2 ** 20,
    disks: [{ path: key, format: "raw", bus: "virtio", snapshot: true }],
    ...machine,
  } as const;
  await using running = await startMachine(request, env);
  const limit = setTimeout(() => void running[Symbol.asyncDispose](), limitMs);
  let said = "";
  let seen = new SerialText();
  const left = [...steps];
  for await (const bytes of running.serial) {
    said += Buffer.from(bytes).toString("latin1");
    seen.add(bytes);
    const [step] = left;
    if (step === undefined || !seen.has(step[0])) continue;
    left.shift();
    if (left.length === 0) break;
    if (step[1] === "") continue;
    seen = new SerialText();
    running.type(step[1]);
  }
  clearTimeout(limit);
  assert.deepEqual(left, [], `not all was seen of: ${said}`);
  return said;
}

const [down, enter, escape] = ["\u000E", "\r", "\u001B"];

test("with Secure Boot on a signed kernel starts, and what is refused says why", { skip }, async () => {
  await using folder = folderForAnyone();
  const key = folder.join("key.img");
  done("create", key, "--size", "120MB", "--secure-boot", "--serial");
  const live = makeLiveIso(folder, "a-live.iso", "the ISO itself says so");
  const changed = folder.join("b-changed.iso");
  fs.copyFileSync(live, changed);
  changeKernel(changed);
  const memtest = makeIso(folder, "c-memtest.iso", { "EFI/BOOT/BOOTX64.EFI": fs.readFileSync(unsignedProgram) });
  const said = done("add", key, live, changed, memtest);
  assert.match(said, /^warning: c-memtest.iso is not signed, and will not start where Secure Boot is on$/m);
  assert.doesNotMatch(said, /a-live.iso is/);
  assert.match(done("list", key), /^a-live.iso +\S+ \S+ +BIOS, UEFI +signed +.*^c-memtest.iso .* UEFI +not signed /ms);
  putMarker(folder, key, 2 ** 20);

  const refused = await driven(
    key,
    [
      ["whole= locked=1.", down + down + enter],
      ["bad shim signature", ""],
      [isOn, ""],
      ["/EFI/BOOT/BOOTX64.EFI", escape],
      ["Press any key", enter],
      ["whole= locked=1.", down + enter],
      ["bad shim signature", ""],
      [isOn, escape],
      ["Press any key", enter],
      ["whole= locked=1.", ""],
    ],
    { secureBoot: true },
  );
  assert.match(refused, /\[not signed: Secure Boot refuses it\]/);

  const emulated = ["--no-acceleration", "--no-network", "--cpus", "1", "--disk", "virtio"];
  const proof = "running from /mnt/a-live.iso on /dev/vda2: the ISO itself says so";
  const started = done("run", key, "--secure-boot", "--choose", "a-live.iso", "--until", proof, ...emulated);
  assert.match(started, /Secure boot enabled/);
  const shown = done("run", key, "--uefi", "--until", "whole=1 locked=.", ...emulated);
  assert.doesNotMatch(shown, /not signed: Secure Boot/);
});

/** Changes one byte of the kernel in an ISO. */
function changeKernel(iso: string): void {
  const bytes = fs.readFileSync(iso);
  const at = bytes.indexOf("HdrS") + 2_000_000;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  fs.writeFileSync(iso, bytes);
}

test(
  "whom the key does not trust can be enrolled: the certificate is on the key",
  { skip: skipCertificates },
  async () => {
    await using folder = folderForAnyone();
    const key = folder.join("key.img");
    done("create", key, "--size", "70MB", "--secure-boot");
    const boot = ["-i", `${key}@@${2 ** 20}`];
    const settings = runPeer("mtype", [...boot, "::boot/grub/key.cfg"]);
    assert.match(settings, /^set key_secure_boot='Debian Secure Boot CA'$/m);
    fs.writeFileSync(folder.join("key.cfg"), settings.replace("Debian Secure Boot CA", "Some Other CA"));
    runPeer("mcopy", ["-o", ...boot, folder.join("key.cfg"), "::boot/grub/key.cfg"]);
    const live = makeLiveIso(folder, "live.iso", "");
    const said = done("add", key, live);
    const file = /is signed by "Debian Secure Boot CA".*: (certificates\/Debian-Secure-Boot-CA-\w{8}\.cer) on/.exec(
      said,
    )?.[1];
    assert.match(done("list", key), /^live.iso .* key needed /m);
    runPeer("mcopy", [...boot, `::${file}`, folder.join("found.cer")]);
    const names = runPeer("openssl", [
      "x509",
      "-inform",
      "DER",
      "-in",
      folder.join("found.cer"),
      "-noout",
      "-subject",
      "-issuer",
    ]);
    assert.match(names, /^subject=CN = Debian Secure Boot Signer .*\nissuer=CN = Debian Secure Boot CA\n$/);
  },
);

const ia32Firmware = {
  code: "/usr/share/OVMF/OVMF32_CODE_4M.secboot.fd",
  variables: "/usr/share/OVMF/OVMF32_VARS_4M.fd",
  grub: "/usr/lib/grub/i386-efi/kernel.img",
};
const otherMachines = [...machinePeers.bios, ...machinePeers.uefi, ...machinePeers.secure, ...machinePeers.arm64];
const skipOthers = skipWithout("mcopy", ...otherMachines, ...Object.values(ia32Firmware));

/** Signed shim and GRUB, and GRUB's modules. */
const armPackages = ["shim-signed", "shim-helpers-arm64-signed", "grub-efi-arm64-signed", "grub-efi-arm64-bin"];

test("arm64, with Secure Boot and without, and UEFI of 32 bits show the menu", { skip: skipOthers }, async (t) => {
  const packages = await Promise.all(armPackages.map((name) => fetchedPackage(name, "arm64")));
  const grubFrom = packages.filter((file) => file !== undefined);
  if (grubFrom.length < packages.length) return t.skip(`${armPackages.join(", ")} cannot be fetched`);
  await using folder = temporaryFolder();
  const key = folder.join("key.img");
  const wish = { sizeBytes: "auto", table: "gpt", isosKind: "ext4", secureBoot: true, serial: true } as const;
  const { warnings } = await createKey({ ...wish, path: key, force: false, grubFrom, nowMs: 1_700_000_000_000 });
  assert.ok(fs.statSync(key).size <= 32 * 2 ** 20);
  assert.match(warnings.join("\n"), /^with Secure Boot on, the key will not start machines with UEFI of 32 bits \(/m);
  putMarker(folder, key, 2 ** 21);
  const arm = { architecture: "aarch64" } as const;
  await driven(key, [["whole=1 locked=.", ""]], arm);
  await driven(key, [["whole= locked=1.", ""]], { ...arm, secureBoot: true });
  await driven(key, [["whole=1 locked=.", ""]], {}, ia32Environment(folder));
});

/** In which the firmware of PCs has 32 bits. */
function ia32Environment(folder: TemporaryFolder): NodeJS.ProcessEnv {
  const raw = (filename: string): object => ({ filename, format: "raw" });
  const { code, variables } = ia32Firmware;
  const description = {
    "interface-types": ["uefi"],
    mapping: { device: "flash", executable: raw(code), "nvram-template": raw(variables) },
    targets: [{ architecture: "x86_64" }],
    features: ["requires-smm"],
  };
  fs.mkdirSync(folder.join("qemu/firmware"), { recursive: true });
  fs.writeFileSync(folder.join("qemu/firmware/00-ia32.json"), JSON.stringify(description));
  return { ...process.env, XDG_CONFIG_HOME: folder.path };
}
