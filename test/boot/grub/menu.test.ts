import assert from "node:assert/strict";
import { test } from "node:test";
import { makeMenu } from "../../../src/boot/grub/menu.ts";

const uuid = "11111111-2222-3333-4444-555555555555";

test("a menu has an entry for each kernel, in their order", () => {
  const kernels = [
    { version: "6.10.0-1-amd64", path: "/boot/vmlinuz-6.10.0-1-amd64", initrd: "/boot/initrd.img-6.10.0-1-amd64" },
    { version: "6.9.0", path: "/boot/vmlinuz-6.9.0" },
  ];
  const plain = `set timeout=5
set default=0
search --no-floppy --fs-uuid --set=root ${uuid}
if [ "$grub_platform" = "efi" ]; then
insmod all_video
fi
menuentry "Linux 6.10.0-1-amd64" {
  linux /boot/vmlinuz-6.10.0-1-amd64 root=UUID=${uuid} ro
  initrd /boot/initrd.img-6.10.0-1-amd64
}
menuentry "Linux 6.9.0" {
  linux /boot/vmlinuz-6.9.0 root=UUID=${uuid} ro
}
`;
  assert.equal(makeMenu({ kernels, bootUuid: uuid }, { timeoutSeconds: 5 }), plain);
  const serial = makeMenu(
    { kernels, bootUuid: uuid },
    { timeoutSeconds: 5, serial: true, kernelArguments: "console=ttyS0" },
  );
  assert.ok(serial.startsWith("serial\nterminal_input console serial\nterminal_output console serial\n"));
  assert.equal(serial.match(/ ro console=ttyS0$/gm)?.length, 2);
});

test("kernels for PCs and for arm64 are each shown where they can start", () => {
  const kernels = [
    { version: "6.2", path: "/boot/vmlinuz-6.2", architecture: "arm64" },
    { version: "6.1", path: "/boot/vmlinuz-6.1", architecture: "x86_64" },
  ] as const;
  const kernelArguments = ({ architecture }: { readonly architecture?: string }): string => `for=${architecture}`;
  const menu = makeMenu({ kernels, bootUuid: uuid }, { timeoutSeconds: 5, serial: true, kernelArguments });
  assert.match(menu, /^if \[ "\$grub_cpu" != "arm64" \]; then\nserial\n/);
  assert.match(menu, /!= "arm64" \]; then\nmenuentry "Linux 6.1" \{\n.* for=x86_64\n\}\nfi\n/);
  assert.match(menu, /\$grub_cpu" = "arm64" \]; then\nmenuentry "Linux 6.2" \{\n.* for=arm64\n\}\nfi\n/);
});

test("entries that the image had are kept: their titles and words, but not their root", () => {
  const entries = [
    {
      title: "It's Debian; $x",
      commandLine: "root=/dev/sda1 rw quiet 'a b=c d' x=$y",
      initrds: ["/boot/ucode", "/boot/i"],
    },
    {
      title: "the same\u001b[2J",
      commandLine: "root=UUID=1  rw  quiet 'a b=c d'",
      initrds: ["/boot/ucode", "/boot/i"],
    },
    { title: "single", commandLine: "BOOT_IMAGE=/x single console=ttyS0", initrds: [] },
  ];
  const kernel = { version: "6.1", path: "/vmlinuz-6.1", initrd: "/initrd-6.1", entries };
  const menu = makeMenu(
    { kernels: [kernel], bootUuid: "boot", rootUuid: "root" },
    { timeoutSeconds: 5, kernelArguments: "console=ttyS0" },
  );
  assert.equal(
    menu,
    String.raw`set timeout=5
set default=0
search --no-floppy --fs-uuid --set=root boot
if [ "$grub_platform" = "efi" ]; then
insmod all_video
fi
menuentry 'It'\''s Debian; $x' {
  linux /vmlinuz-6.1 root=UUID=root rw quiet 'a b=c d' console=ttyS0
  initrd /boot/ucode /boot/i
}
menuentry "single" {
  linux /vmlinuz-6.1 root=UUID=root ro single console=ttyS0
  initrd /initrd-6.1
}
`,
  );
});

test("unified images are shown by UEFI alone, and another kernel than the first is chosen by its title", () => {
  const kernels = [
    { version: "6.1", path: "/boot/vmlinuz-6.1" },
    { version: "6.2", path: "/boot/EFI/Linux/6.2.efi", isUnified: true },
  ] as const;
  const menu = makeMenu({ kernels, bootUuid: uuid, first: 1 }, { timeoutSeconds: 5 });
  assert.match(menu, /^set default="Linux 6.2"$/m);
  assert.ok(
    menu.endsWith(
      'if [ "$grub_platform" = "efi" ]; then\nmenuentry "Linux 6.2" {\n  chainloader /boot/EFI/Linux/6.2.efi\n}\nfi\n',
    ),
  );
});
