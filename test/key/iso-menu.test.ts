import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { grubChoice, grubWord, grubWordWith } from "../../src/key/grub-words.ts";
import { isoMenu } from "../../src/key/iso-menu.ts";
import { isSafePath, pathOfName, safeName } from "../../src/key/iso-name.ts";
import { kernelWords, withParts } from "../../src/key/kernel-parts.ts";
import type { BootEntry } from "../../src/key/recognise/index.ts";

const anyPc = { firmwares: ["bios", "uefi"], architecture: "x86_64" } as const;
const live: BootEntry = {
  title: "Live",
  how: {
    kind: "linux",
    kernel: "/live/vmlinuz",
    initrds: ["/live/ucode.img", "/live/initrd.img"],
    words: ["boot=live", "findiso=${isoPath}", "img_dev=/dev/disk/by-uuid/${isosUuid}"],
  },
  ...anyPc,
};

test("one entry stands in the menu by itself, and only where it can be started", () => {
  const expected = `if [ "$grub_cpu" != "arm64" ]; then
menuentry 'It'\\''s live' --id '/a.iso' {
  key_open '/a.iso'
  if linux '/live/vmlinuz' 'boot=live' 'findiso='"$iso_path" 'img_dev=/dev/disk/by-uuid/'"$isos_uuid" $key_arguments; then
    initrd '/live/ucode.img' '/live/initrd.img'
  else
    key_refused '/live/vmlinuz'
  fi
}
else
menuentry 'It'\\''s live (not on this kind of machine)' --id '/a.iso' { true; }
fi
`;
  assert.equal(isoMenu("/a.iso", { title: "It's live", entries: [live] }), expected);
});

test("entries for different machines are one on each of them; several for one machine are a submenu", () => {
  const floppy: BootEntry = {
    title: "Memory test",
    how: { kind: "memdisk", image: { kind: "file", path: "/boot/floppy.img" }, medium: "floppy" },
    ...anyPc,
    firmwares: ["bios"],
  };
  const program: BootEntry = {
    title: "Memory test",
    how: { kind: "efi", program: "/EFI/BOOT/bootx64.efi", image: { kind: "sectors", start: 80, count: 8 } },
    ...anyPc,
    firmwares: ["uefi"],
  };
  const flat = isoMenu("/m.iso", { title: "Memory test", entries: [floppy, program] });
  assert.doesNotMatch(flat, /submenu/);
  assert.match(flat, /^if \[ "\$grub_platform" = "pc" \]; then\nmenuentry 'Memory test' --id '\/m.iso' \{\n/);
  assert.match(flat, /  linux16 "\$prefix\/memdisk" floppy raw\n  initrd16 '\(loop\)\/boot\/floppy.img'\n/);
  assert.match(flat, /else\nif \[ "\$grub_platform" = "efi" -a "\$grub_cpu" = "x86_64" \]; then\n/);
  assert.match(
    flat,
    /  loopback image '\(loop\)80\+8'\n  set root="\$isos"\n  if chainloader '\(image\)\/EFI\/BOOT\/bootx64.efi'; then\n/,
  );
  const inside: BootEntry = {
    ...live,
    how: {
      kind: "linux",
      image: { kind: "file", path: "/efi.img" },
      kernel: "/vmlinuz",
      initrds: ["/initrd"],
      words: [],
    },
  };
  const fromImage = isoMenu("/m.iso", { title: "Inside", entries: [inside] });
  const lines =
    "  loopback image '(loop)/efi.img'\n  if linux '(image)/vmlinuz' $key_arguments; then\n    initrd '(image)/initrd'\n";
  assert.ok(fromImage.includes(lines), fromImage);
  const several = isoMenu("/m.iso", { title: "Both", entries: [live, floppy] });
  assert.match(several, /^submenu 'Both ...' --id '\/m.iso' \{\n/);
  assert.match(several, /menuentry 'Live' --id '\/m.iso#1' \{/);
  assert.match(several, /menuentry 'Memory test' --id '\/m.iso#2' \{/);
});

test("on a key for Secure Boot the title says what that refuses", () => {
  const titles = (signers: readonly string[] | undefined, how: BootEntry["how"] = live.how): string | undefined => {
    const entry = { ...live, how, ...(signers === undefined ? {} : { signers }) };
    const menu = isoMenu("/a.iso", { title: "Live", entries: [entry] }, { secureBootSigners: ["Some CA", "Other CA"] });
    return /^menuentry (.*) --id/m.exec(menu)?.[1];
  };
  assert.equal(titles([]), `'Live'"$key_unsigned"`);
  assert.equal(titles(["Foreign CA"]), `'Live'"$key_foreign"`);
  for (const signers of [["Foreign CA", "Other CA"], ["Microsoft Corporation UEFI CA 2011"], undefined]) {
    assert.equal(titles(signers), "'Live'");
  }
  assert.equal(
    titles(undefined, { kind: "multiboot", kernel: "/xen", words: [], modules: [] }),
    `'Live'"$key_unsigned"`,
  );
  const ownMenu: BootEntry = { ...live, how: { kind: "configfile", path: "/loopback.cfg" }, signers: [] };
  const menu = isoMenu("/a.iso", { title: "Live", entries: [ownMenu] }, { secureBootSigners: [] });
  assert.match(menu, /  key_menu '\/loopback.cfg' "\$key_unsigned"\n/);
  const unsigned = isoMenu("/a.iso", { title: "Live", entries: [{ ...live, signers: [] }] });
  assert.doesNotMatch(unsigned, /key_unsigned/, "other keys do not start there at all");
});

/** What GRUB makes of a word of quoted parts and variables, without its variables' values. */
function read(word: string): string {
  return word.replaceAll(/'([^']*)'|\\(.)|"\$(\w+)"/g, (_, quoted?: string, escaped?: string, name?: string) => {
    return quoted ?? escaped ?? `<${name ?? ""}>`;
  });
}

test("any text is one word that means it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.equal(read(grubWord(text)), text);
      const filled = grubWordWith(`${text}!\${isoPath}!${text}`, new Map([["${isoPath}", "iso_path"]]));
      assert.equal(read(filled), `${text}!<iso_path>!${text}`.replaceAll("${isoPath}", "<iso_path>"));
    }),
  );
  assert.equal(grubChoice(["/a>b/", "/a>b/c.iso"]), "/a>>b/>/a>>b/c.iso");
});

test("a name made for a key is one that every initrd finds", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (name) => {
      const made = safeName(name, "iso");
      assert.ok(isSafePath(made) && made.length <= 240 && made.endsWith(".iso"), made);
      assert.equal(pathOfName(made, "iso"), `/${made}`);
      assert.equal(safeName(made, "iso"), made);
    }),
  );
  const cases = [
    ["debian-live-12.4.0-amd64.iso", "debian-live-12.4.0-amd64.iso"],
    ["Größe & Maß (1).ISO", "Grosse_Mass_1.iso"],
    [".hidden", "hidden.iso"],
    ["日本.iso", "image.iso"],
  ] as const;
  assert.equal(safeName("vmlinuz-6.1 (old)", "kernel"), "vmlinuz-6.1_old");
  assert.equal(safeName("index", "kernel"), "index_", "the entries of a folder have that name");
  assert.equal(safeName("Shell.EFI", "efi-program"), "Shell.efi");
  assert.equal(safeName("dos.ima", "floppy-image"), "dos.img");
  for (const [name, made] of cases) assert.equal(safeName(name, "iso"), made);
});

test("a name that a user gives is a path without surprises, or refused", () => {
  assert.equal(pathOfName("/tools//it's a $name", "iso"), "/tools/it's a $name.iso");
  for (const name of ["", "/", "a:b", "a\nb", "../x", "x/.iso", "dir./x", "x".repeat(241)]) {
    assert.throws(() => pathOfName(name, "iso"), { code: "usage" }, name);
  }
  assert.equal(pathOfName("k/vmlinuz", "kernel"), "/k/vmlinuz");
  assert.throws(() => pathOfName("k/Index", "kernel"), { code: "usage" });
});

test("a file that is no ISO is started from the partition itself, with what belongs to it", () => {
  const kernel: BootEntry = {
    title: "Linux",
    how: {
      kind: "linux",
      kernel: "${isoPath}",
      initrds: ["${isoPath}.initrd", "${isoPath}.initrd2"],
      words: ["root=UUID=${isosUuid}", "it's"],
    },
    ...anyPc,
  };
  const text = isoMenu("/k/vmlinuz", { title: "Linux", entries: [kernel], isPlain: true });
  assert.match(text, /^if \[ "\$grub_cpu" != "arm64" \]; then\n/);
  const body = `menuentry 'Linux' --id '/k/vmlinuz' {
  set iso_path='/k/vmlinuz'
  set root="$isos"
  if linux '/k/vmlinuz' 'root=UUID='"$isos_uuid" 'it'\\''s' $key_arguments; then
    initrd '/k/vmlinuz.initrd' '/k/vmlinuz.initrd2'
  else
    key_refused '/k/vmlinuz'
  fi
}
`;
  assert.ok(text.includes(body), text);
  const program: BootEntry = { ...kernel, firmwares: ["uefi"], how: { kind: "efi", program: "${isoPath}" } };
  const started = isoMenu("/a.efi", { title: "A", entries: [program], isPlain: true });
  assert.match(started, /  set root="\$isos"\n  if chainloader '\/a.efi'; then\n/);
  const image = { kind: "memdisk", image: { kind: "whole" }, medium: "floppy" } as const;
  const floppy = isoMenu("/f.img", { title: "F", entries: [{ ...kernel, how: image }], isPlain: true });
  assert.match(
    floppy,
    /  set iso_path='\/f.img'\n.*\n  linux16 "\$prefix\/memdisk" floppy raw\n  initrd16 "\(\$isos\)\$iso_path"\n/,
  );
});

test("the words of a kernel are divided as it divides them; a small one with an initrd is a system", () => {
  assert.deepEqual(kernelWords('  quiet  a="b c"\td ""'), ["quiet", "a=b c", "d", ""]);
  assert.deepEqual(kernelWords(""), []);
  assert.throws(() => kernelWords('a="b'), { code: "usage" });
  const small: BootEntry = {
    title: "Small",
    how: { kind: "linux16", kernel: "${isoPath}", initrds: [], words: [] },
    firmwares: ["bios"],
    architecture: "x86_64",
  };
  const tool = withParts([small], { initrds: [], words: ["a"] });
  assert.deepEqual(tool.entries, [{ ...small, how: { ...small.how, words: ["a"] } }]);
  assert.deepEqual(tool.warnings, []);
  const { entries } = withParts([small], { initrds: ["x", "y"], words: [] });
  const how = { kind: "linux", kernel: "${isoPath}", initrds: ["${isoPath}.initrd", "${isoPath}.initrd2"], words: [] };
  assert.deepEqual(entries, [{ ...small, how, firmwares: ["bios", "uefi"] }]);
});
