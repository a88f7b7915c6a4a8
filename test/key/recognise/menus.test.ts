/** Menus of boot loaders, as far as they have to be understood to know what they start. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDevice } from "../../../src/device/index.ts";
import { openFileSystem } from "../../../src/filesystem/index.ts";
import { Disc } from "../../../src/key/recognise/disc.ts";
import { readGrubMenu } from "../../../src/key/recognise/grub-menu.ts";
import type { MenuEntry } from "../../../src/key/recognise/menu-entry.ts";
import { readSyslinuxMenu } from "../../../src/key/recognise/syslinux-menu.ts";
import { isoImage } from "../../filesystem/iso/image-builder.ts";

/** A disc with these files at its top. */
async function discOf(files: Readonly<Record<string, string>>): Promise<Disc> {
  const records = Object.entries(files).map(([name, text]) => ({ name: name.toUpperCase(), data: Buffer.from(text) }));
  return new Disc(await openFileSystem(new MemoryDevice(isoImage({ records }))));
}

async function grub(text: string, more: Readonly<Record<string, string>> = {}): Promise<readonly MenuEntry[]> {
  return readGrubMenu(await discOf({ "grub.cfg": text, ...more }), "/grub.cfg");
}

async function syslinux(text: string, more: Readonly<Record<string, string>> = {}): Promise<readonly MenuEntry[]> {
  return readSyslinuxMenu(await discOf({ "isolinux.cfg": text, ...more }), "/isolinux.cfg");
}

test("titles behind options, in submenus, and codes of characters", async () => {
  const entries = await grub(String.raw`
menuentry --hotkey=x '... Install' { linux /k root=live:CDLABEL=A\x20B ; }
submenu --hotkey a 'Advanced options ...' {
  menuentry --class debian --hotkey=r "... Rescue" { linux /k "root=live:CDLABEL=A\x20B" 'x\x20y' a\.b }
}
menuentry "Last" --class debian { linux /k }
submenu More { submenu 'Even more' { menuentry '... Rescue' { linux /k } ; menuentry Only { linux /k } } }
`);
  assert.deepEqual(
    entries.map(({ title, words }) => [title, ...words]),
    [
      ["Install", String.raw`root=live:CDLABEL=A\x20B`],
      ["Advanced options: Rescue", String.raw`root=live:CDLABEL=A\x20B`, String.raw`x\x20y`, "a.b"],
      ["Last"],
      ["Even more: Rescue"],
      ["Only"],
    ],
  );
});

test("entries of GRUB, with every way to quote, variables, devices and continued lines", async () => {
  const entries = await grub(String.raw`
set quiet='quiet splash' ; set dir="/live"
set root=(cd0)
menuentry "Live \"one\" \$5" --class debian --id 'a b' {
  search --set=root --file /x   # a comment with a " in it
  linux ($root)$dir/vmlinuz boot=live \
     $quiet "a=b c" ${"${unknown} iso=${unknown} dir=${prefix}"} it\'s
  initrd ($root)/micro.img ${"${dir}"}/initrd.img
}
menuentry 'Old' { linux16 /boot/mt86 ; }
if [ "$grub_platform" = "efi" ]; then
  menuentry "EFI" { linuxefi /k one
  initrdefi /i
  }
else
  menuentry "BIOS" { linux /k two
  initrd /i
  }
fi
`);
  assert.deepEqual(
    entries.map(({ title, kind, kernel, words, initrds }) => ({ title, kind, kernel, words, initrds })),
    [
      {
        title: 'Live "one" $5',
        kind: "linux",
        kernel: "/live/vmlinuz",
        words: ["boot=live", "quiet", "splash", "a=b c", "dir=/", "it's"],
        initrds: ["/micro.img", "/live/initrd.img"],
      },
      { title: "Old", kind: "linux16", kernel: "/boot/mt86", words: [], initrds: [] },
      { title: "EFI", kind: "linux", kernel: "/k", words: ["one"], initrds: ["/i"] },
      { title: "BIOS", kind: "linux", kernel: "/k", words: ["two"], initrds: ["/i"] },
    ],
  );
});

test("sub-menus, other files, loops and conditions that are known", async () => {
  const entries = await grub(
    [
      "set a=1",
      'if [ "$a" = 1 ]; then set k=/yes; elif true; then set k=/no; else set k=/never; fi',
      "if [ -e /more.cfg ]; then source /more.cfg; fi",
      "if [ -e /none.cfg ]; then menuentry wrong { linux /wrong\n}\nfi",
      "if cpuid -l; then set k=/yes; set n=64; else set k=/no; set n=32; fi",
      "menuentry bits$n { linux $k\n}",
      'submenu "Further" --hotkey=f { for w in x y; do menuentry "loop $w" { linux $k $w\n}\ndone\n}',
      "function f { menuentry never { linux /never\n}\n}",
      "menuentry chain { configfile /third.cfg\n}",
    ].join("\n"),
    {
      "more.cfg": "menuentry more { linux /more\n}",
      "third.cfg": "menuentry third { multiboot2 /xen.gz a\nmodule2 /k b\n}",
    },
  );
  assert.deepEqual(
    entries.map(({ title, kind, kernel, words, modules }) => [title, kind, kernel, words, modules]),
    [
      ["more", "linux", "/more", [], []],
      ["bits64", "linux", "/yes", [], []],
      ["loop x", "linux", "/yes", ["x"], []],
      ["loop y", "linux", "/yes", ["y"], []],
      ["third", "multiboot2", "/xen.gz", ["a"], [{ path: "/k", words: ["b"] }]],
    ],
  );
});

test("menus of GRUB that lead to themselves, or never end, come to an end", async () => {
  const itself = "menuentry a { linux /a\n}\nsource /grub.cfg\nconfigfile /grub.cfg\n";
  assert.ok((await grub(itself)).length >= 1);
  assert.equal((await grub("menuentry a { linux /a\n".repeat(5000))).length <= 256, true);
  assert.deepEqual(await grub("{".repeat(50_000)), []);
  assert.deepEqual(await grub("if ".repeat(50_000)), []);
  assert.deepEqual(await grub("menuentry 'open { linux"), []);
  const doubling = `set a=xxxxxxxxxxxxxxxx\n${"set a=$a$a\n".repeat(60)}menuentry $a { linux /a $a\n}`;
  const [entry] = await grub(doubling);
  assert.ok((entry?.words[0]?.length ?? 0) <= 4096);
  const long = `set a=${"x".repeat(4000)}\nmenuentry x { linux /x ${"$a".repeat(100_000)}\n}`;
  assert.equal((await grub(long))[0]?.words[0]?.length, 4096);
  const words = "for a in 1 2 3 4 5 6 7 8 9; do ".repeat(12);
  assert.ok((await grub(`${words} menuentry x { linux /x\n}\n${"done\n".repeat(12)}`)).length <= 256);
});

test("labels of ISOLINUX: keywords in any case, titles, defaults, includes", async () => {
  const entries = await syslinux(
    [
      "DEFAULT vesamenu.c32",
      "append common=1",
      "Label live",
      "  TEXT HELP",
      "  linux is what this starts",
      "  ENDTEXT",
      "  menu label ^Live (amd64)",
      "  LINUX /live/vmlinuz",
      "  INITRD /live/micro.img,/live/initrd.img",
      "  APPEND boot=live quiet",
      "label hd",
      "  localboot 0x80",
      "label menu",
      "  kernel vesamenu.c32",
      "  append other.cfg",
      "label plain",
      "  kernel vmlinuz one initrd=initrd.gz",
      "label none",
      "  kernel /k",
      "  append -",
      "MENU BEGIN more",
      "menu include more.cfg",
      "label xen",
      "  kernel mboot.c32",
      "  append xen.gz a=1 --- vmlinuz b --- initrd.img",
    ].join("\r\n"),
    {
      "more.cfg": "label more\n menu label M^ore\n kernel /more\n append initrd=/i x=y\nconfig third.cfg /sub\n",
      "third.cfg": "label third\nkernel k",
    },
  );
  assert.deepEqual(
    entries.map(({ title, kind, kernel, words, initrds, modules }) => [title, kind, kernel, words, initrds, modules]),
    [
      ["Live (amd64)", "linux", "/live/vmlinuz", ["boot=live", "quiet"], ["/live/micro.img", "/live/initrd.img"], []],
      ["plain", "linux", "/vmlinuz", ["one", "common=1"], ["/initrd.gz"], []],
      ["none", "linux", "/k", [], [], []],
      ["More", "linux", "/more", ["x=y"], ["/i"], []],
      [
        "xen",
        "multiboot",
        "/xen.gz",
        ["a=1"],
        [],
        [
          { path: "/vmlinuz", words: ["b"] },
          { path: "/initrd.img", words: [] },
        ],
      ],
    ],
  );
});

test("menus of ISOLINUX that lead to themselves come to an end", async () => {
  const entries = await syslinux("label a\nkernel /a\ninclude isolinux.cfg\nmenu include isolinux.cfg\n");
  assert.ok(entries.length >= 1 && entries.length <= 256);
  assert.equal((await syslinux("label a\nkernel /a\n".repeat(9000))).length, 256);
  assert.deepEqual(
    await syslinux(`label a\nkernel${" ".repeat(500_000)}/a${" ".repeat(500_000)}b`).then(([one]) => one?.kernel),
    "/a",
  );
});
