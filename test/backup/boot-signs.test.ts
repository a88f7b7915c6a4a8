/** What machines say, and whether that means that their system comes up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BootSigns, type BootVerdict } from "../../src/backup/boot/boot-signs.ts";

function verdictOf(text: string, until?: string): BootVerdict | undefined {
  const signs = new BootSigns(until);
  for (const piece of text.match(/[^]{1,7}/g) ?? []) signs.addSaid(piece);
  return signs.verdict;
}

const up: readonly string[] = [
  "Debian GNU/Linux 12 laptop ttyS0\r\n\r\nlaptop login: ",
  "[  OK  ] Reached target multi-user.target - Multi-User System.\n",
  "\nPlease press Enter to activate this console.",
];

const down: readonly (readonly [string, string])[] = [
  [
    "[ 1.2] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n",
    "Kernel panic - not syncing",
  ],
  ["Booting from Hard Disk...\nNo bootable device.\n", "No bootable device."],
  ["BdsDxe: No bootable option or device was found.\n", "No bootable option"],
  ["GRUB loading.\nerror: no such device: 1234-ABCD.\nEntering rescue mode...\ngrub rescue> ", "error: no such device"],
  ["Minimal BASH-like line editing is supported. For the first word", "Minimal BASH-like"],
  [
    "Gave up waiting for root file system device.\nALERT!  UUID=1 does not exist.  Dropping to a shell!\n",
    "ALERT! UUID=1",
  ],
  ["(initramfs) ", "(initramfs)"],
  ["dracut-initqueue[322]: Warning: dracut-initqueue timeout - starting timeout scripts\n", "dracut-initqueue"],
  ["You are in emergency mode. After logging in", "You are in emergency mode"],
  ["Cannot open access to console, the root account is locked.\n", "Cannot open access to console"],
  ["BOOTMGR is missing\n", "BOOTMGR is missing"],
  ["Missing operating system\n", "Missing operating system"],
];

for (const text of up) test(`up: ${JSON.stringify(text)}`, () => assert.equal(verdictOf(text)?.isUp, true));

for (const [text, seen] of down) {
  test(`down: ${JSON.stringify(text)}`, () => {
    const verdict = verdictOf(text, "ready");
    assert.equal(verdict?.isUp, false);
    assert.ok(verdict?.seen.startsWith(seen.slice(0, 20)), verdict?.seen);
  });
}

test("with a text, only that counts", () => {
  assert.equal(verdictOf("laptop login: ", "ready"), undefined);
  assert.deepEqual(verdictOf("laptop login: \nit is ready now", "is ready"), { isUp: true, seen: "is ready" });
});

test("a screen of text is read; pictures count only where nothing else is known", () => {
  const rows = ["", "laptop login:"];
  const characters = { widthPixels: 720, heightPixels: 400, pixels: new Uint8Array(720 * 400 * 3), rows };
  const read = new BootSigns();
  read.addScreen(characters);
  assert.deepEqual(read.verdict, { isUp: true, seen: "laptop login:" });
  const picture = (level: number) => {
    const pixels = new Uint8Array(64 * 64 * 3).fill(level, 0, 64 * 32 * 3);
    return { widthPixels: 64, heightPixels: 64, pixels };
  };
  const shown = new BootSigns();
  shown.addScreen(picture(100));
  assert.equal(shown.conclude("within 1 s").isUp, false, "a boot menu alone is no system");
  shown.addScreen(picture(200));
  assert.equal(shown.conclude("within 1 s").isUp, true);
  shown.addSaid("[    0.000000] Linux version 6.1.0 (debian)\nwaiting for something\n");
  assert.deepEqual(shown.conclude("within 1 s"), {
    isUp: false,
    seen: "Linux version 6.1.0 has started, and nothing that asks for a login within 1 s; last: waiting for something",
  });
});
