/** Programs for UEFI beside those of the real grub-mkimage, damaged kernels, and a start in OVMF. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { makeEfiImage } from "../../src/boot/grub/efi-image.ts";
import type { ImageRequest } from "../../src/boot/grub/module-area.ts";
import { readPlatformFiles } from "../../src/boot/grub/platform-files.ts";
import { temporaryFolder } from "../temp.ts";
import { cacheFolder, fetchedPackage } from "./fetched-package.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, serialUntil } from "./qemu.ts";

const unpacked = path.join(cacheFolder, "grub-efi-arm64-bin");

/** Where the files of a platform are: installed, or of a package that is for other machines than this. */
const folders = {
  "x86_64-efi": "/usr/lib/grub/x86_64-efi",
  "i386-efi": "/usr/lib/grub/i386-efi",
  "arm64-efi": path.join(unpacked, "usr/lib/grub/arm64-efi"),
} as const;
const platforms = ["x86_64-efi", "i386-efi", "arm64-efi"] as const;
const armPackage = await fetchedPackage("grub-efi-arm64-bin", "arm64");
if (armPackage !== undefined && !skipWithout("dpkg-deb")) runPeer("dpkg-deb", ["-x", armPackage, unpacked]);

const requests: readonly ImageRequest[] = [
  { modules: [], prefix: "/boot/grub" },
  { modules: ["part_gpt", "fat", "ext2", "normal"], prefix: "(,gpt1)/boot/grub", config: "echo early\n" },
  { modules: ["normal", "linux", "all_video", "gfxmenu", "search", "loopback", "iso9660", "chain"], prefix: "/x" },
];

for (const platform of platforms) {
  test(
    `${platform}: the bytes of grub-mkimage`,
    { skip: skipWithout("grub-mkimage", `${folders[platform]}/kernel.img`) },
    async () => {
      await using folder = temporaryFolder();
      const grub = await readPlatformFiles({ platform, from: folders[platform] });
      for (const { modules, prefix, config } of requests) {
        const own = makeEfiImage(grub, { modules, prefix, ...(config === undefined ? {} : { config }) });
        fs.writeFileSync(folder.join("early.cfg"), config ?? "");
        const early = config === undefined ? [] : ["-c", folder.join("early.cfg")];
        runPeer("grub-mkimage", [
          "-d",
          folders[platform],
          "-O",
          platform,
          "-p",
          prefix,
          ...early,
          "-o",
          folder.join("real.efi"),
          ...modules,
        ]);
        assert.ok(fs.readFileSync(folder.join("real.efi")).equals(own), `${modules.join(" ")}: the same bytes`);
      }
    },
  );

  test(
    `${platform}: a damaged kernel is refused or linked, never more`,
    { skip: skipWithout(`${folders[platform]}/kernel.img`) },
    async () => {
      const grub = await readPlatformFiles({ platform, from: folders[platform] });
      const kernel = grub.files.get("kernel.img")!;
      const files = new Map(grub.files);
      const sectionsAt = Buffer.from(kernel).readUInt32LE(platform === "i386-efi" ? 0x20 : 0x28);
      let state = 12345;
      const next = (below: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % below;
      for (let n = 0; n < 300; n++) {
        const damaged = kernel.slice(0, n % 10 === 0 ? next(kernel.length) : kernel.length);
        for (let k = 0; k < 3; k++) {
          const at =
            n % 3 === 0 ? next(kernel.length) : n % 3 === 1 ? next(64) : sectionsAt + next(kernel.length - sectionsAt);
          if (at < damaged.length) damaged[at] = next(256);
        }
        files.set("kernel.img", damaged);
        try {
          makeEfiImage({ ...grub, files }, { modules: [], prefix: "/" });
        } catch (error) {
          assert.ok(error instanceof Failure && error.code === "damaged", `case ${n}: ${String(error)}`);
        }
      }
    },
  );
}

test("x86_64-efi: starts in OVMF", { skip: skipWithout("mformat", ...machinePeers.uefi) }, async () => {
  await using folder = temporaryFolder();
  const grub = await readPlatformFiles({ platform: "x86_64-efi" });
  const config = "serial\nterminal_output serial\necho holdfast-started\n";
  const image = makeEfiImage(grub, { modules: ["fat", "serial", "terminal", "echo"], prefix: "/boot/grub", config });
  const esp = folder.join("esp.img");
  fs.writeFileSync(folder.join("grub.efi"), image);
  fs.writeFileSync(esp, "");
  fs.truncateSync(esp, 64 * 1024 * 1024);
  runPeer("mformat", ["-i", esp, "-F", "::"]);
  runPeer("mmd", ["-i", esp, "::/EFI", "::/EFI/BOOT"]);
  runPeer("mcopy", ["-i", esp, folder.join("grub.efi"), "::/EFI/BOOT/BOOTX64.EFI"]);
  const said = await serialUntil(esp, "holdfast-started", "uefi");
  assert.ok(said.includes("holdfast-started"), said);
});
