/** ISO images by every program that makes them, with every pair of its options. */
import * as fs from "node:fs";
import { pairwise, type Choices, type Combination } from "../pairwise.ts";
import { runPeer } from "./peer.ts";

/** A tree with what images make hard: depth, long names, links, links to long names, set-id bits, other alphabets. */
export function makeTree(root: string): void {
  const deep = `${root}/a/b/c/d/e/f/g/h/i/j`;
  fs.mkdirSync(deep, { recursive: true });
  fs.writeFileSync(`${deep}/deep.txt`, "deep\n");
  fs.mkdirSync(`${root}/Upper/Lower`, { recursive: true });
  fs.writeFileSync(`${root}/Upper/README.TXT`, "capital\n");
  fs.writeFileSync(`${root}/Upper/readme2.text`, "small\n");
  fs.writeFileSync(`${root}/Upper/no-extension`, "none\n");
  fs.mkdirSync(`${root}/with space`);
  fs.mkdirSync(`${root}/many`);
  for (let n = 0; n < 60; n++) fs.writeFileSync(`${root}/many/file${n}`, `${n}\n`.repeat(n));
  fs.writeFileSync(`${root}/nothing`, "");
  fs.writeFileSync(`${root}/numbers`, Array.from({ length: 60_000 }, (_, n) => `${n}\n`).join(""));
  fs.writeFileSync(`${root}/zeros`, Buffer.alloc(100_000));
  fs.writeFileSync(`${root}/grüße ☃ 🐚`, "greetings\n");
  fs.writeFileSync(`${root}/${"n".repeat(230)}.txt`, "long\n");
  fs.linkSync(`${root}/numbers`, `${root}/a/hard`);
  fs.linkSync(`${root}/numbers`, `${root}/with space/hard`);
  fs.symlinkSync("numbers", `${root}/link`);
  fs.symlinkSync("../Upper/./README.TXT", `${root}/a/up`);
  fs.symlinkSync("/usr/bin/env", `${root}/absolute`);
  fs.symlinkSync("/", `${root}/root`);
  fs.symlinkSync(`${"x".repeat(120)}/${"y".repeat(100)}`, `${root}/long-link`);
  fs.chmodSync(`${root}/zeros`, 0o4751);
  fs.utimesSync(`${root}/numbers`, 946_684_799, 946_684_799);
  fs.mkdirSync(`${root}/boot`);
  fs.writeFileSync(`${root}/boot/image`, Buffer.alloc(4096, "boot"));
}

const mkisofsChoices: Choices = {
  unix: ["", "-R", "-r"],
  joliet: ["", "-J", "-J -joliet-long"],
  level: ["-iso-level 1", "-iso-level 2", "-iso-level 3", "-iso-level 4"],
  depth: ["", "-D"],
  names: ["", "-U"],
  boot: ["", "-b boot/image -no-emul-boot -boot-load-size 4", "-e boot/image -no-emul-boot"],
};

export const grubBoot = "/usr/lib/grub/i386-pc/boot_hybrid.img";

interface Maker {
  readonly choices: Choices;
  readonly isPossible?: (combination: Combination) => boolean;
  readonly make: (words: readonly string[], image: string, tree: string) => void;
}

const makers: Readonly<Record<string, Maker>> = {
  genisoimage: {
    choices: { ...mkisofsChoices, boot: mkisofsChoices["boot"]!.slice(0, 2) },
    make: (words, image, tree) => runPeer("genisoimage", ["-quiet", ...words, "-o", image, tree]),
  },
  xorriso: {
    choices: {
      ...mkisofsChoices,
      hybrid: ["", "-isohybrid-gpt-basdat", "-partition_offset 16", `--grub2-mbr ${grubBoot}`],
      appended: ["", "-append_partition 2 0xef APPENDED", "-append_partition 2 0xef APPENDED -appended_part_as_gpt"],
      links: ["", "--hardlinks"],
    },
    isPossible: ({ hybrid, boot }) => {
      const [, forBios, forEfi] = mkisofsChoices["boot"]!;
      if (hybrid === "-isohybrid-gpt-basdat") return boot === forEfi;
      return hybrid !== `--grub2-mbr ${grubBoot}` || boot === forBios;
    },
    make: (words, image, tree) => runPeer("xorriso", ["-as", "mkisofs", "-quiet", ...words, "-o", image, tree]),
  },
  bsdtar: {
    choices: {
      unix: ["--options=rockridge=useful", "--options=rockridge=strict", "--options=!rockridge"],
      joliet: ["--options=joliet", "--options=!joliet"],
      level: ["--options=iso-level=1", "--options=iso-level=2", "--options=iso-level=3"],
    },
    make: (words, image, tree) => runPeer("bsdtar", ["--format=iso9660", ...words, "-cf", image, "-C", tree, "."]),
  },
  "grub-mkrescue": {
    choices: { joliet: ["", "-J"], level: ["", "-iso-level 4"] },
    make: (words, image, tree) => runPeer("grub-mkrescue", ["-o", image, tree, ...words]),
  },
};

/** The names of the programs. */
export const isoPrograms: readonly string[] = Object.keys(makers);

/** All combinations of a program's options, with what makes the image of a tree by `makeTree`. */
export function combinationsOf(
  program: string,
): { readonly words: readonly string[]; readonly make: (image: string, tree: string) => void }[] {
  const { choices, isPossible, make } = makers[program]!;
  return pairwise(choices, isPossible).map((combination) => {
    const words = Object.values(combination).flatMap((value) => value.split(" ").filter((word) => word !== ""));
    return {
      words,
      make: (image, tree) => {
        const given = words.map((word) => (word === "APPENDED" ? `${tree}/numbers` : word));
        make(given, image, tree);
      },
    };
  });
}
