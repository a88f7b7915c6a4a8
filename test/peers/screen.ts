/** Machines whose systems write to the screen, and not to the serial port. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import type { Readable, Writable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";

const limitMs = 400_000;
const pauseMs = 500;
const prompt = "(qemu) ";
const columns = 80;
const rows = 25;
const firmware = "/usr/share/OVMF";

/** A machine of which its monitor is asked things. */
class Monitored implements AsyncDisposable {
  readonly #qemu: ChildProcessByStdio<Writable, Readable, null>;
  #said = "";

  constructor(words: readonly string[]) {
    const plain = ["-accel", "tcg", "-m", "512", "-display", "none", "-nodefaults", "-vga", "std", "-monitor", "stdio"];
    this.#qemu = spawn("qemu-system-x86_64", [...plain, ...words], { stdio: ["pipe", "pipe", "ignore"] });
    this.#qemu.stdout.setEncoding("latin1");
    this.#qemu.stdout.on("data", (text: string) => (this.#said += text));
  }

  /** What it answers to a command. */
  async ask(command: string): Promise<string> {
    while (!this.#said.endsWith(prompt)) await once(this.#qemu.stdout, "data");
    this.#said = "";
    this.#qemu.stdin.write(`${command}\n`);
    while (!this.#said.endsWith(prompt)) await once(this.#qemu.stdout, "data");
    return this.#said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#qemu, "close");
    this.#qemu.kill();
    await closed;
  }
}

/** A key that starts an entry, as `key run --choose` has it started. */
function keyWords(key: string, start: string): readonly string[] {
  const drive = `if=virtio,format=raw,snapshot=on,file=${key}`;
  return ["-drive", drive, "-smbios", `type=11,value=holdfast-key serial start=${start}`];
}

/** What the text screen shows of a machine with BIOS, once the text is there, or the time is up. */
export async function textScreenUntil(key: string, start: string, text: string): Promise<string> {
  await using machine = new Monitored(keyWords(key, start));
  const endMs = Date.now() + limitMs;
  let screen = "";
  while (!screen.includes(text) && Date.now() < endMs) {
    await wait(pauseMs);
    screen = textOf(await machine.ask(`xp /${columns * rows}hx 0xb8000`));
  }
  return screen;
}

/** Of words in hexadecimal, each a character and its colours. */
function textOf(dump: string): string {
  const cells = Array.from(dump.matchAll(/ 0x[0-9a-f]{2}([0-9a-f]{2})/g), ([, code = ""]) => {
    return String.fromCodePoint(Number.parseInt(code, 16));
  });
  const lines = Array.from({ length: rows }, (_, row) =>
    cells
      .slice(row * columns, (row + 1) * columns)
      .join("")
      .trimEnd(),
  );
  return lines.join("\n");
}

/** The colours on the screen of a machine with UEFI, and how much of it each has, once this is as wanted or the time is up. */
export async function coloursUntil(
  key: string,
  start: string,
  isWanted: (colours: ReadonlyMap<string, number>) => boolean,
): Promise<ReadonlyMap<string, number>> {
  const flash = "if=pflash,format=raw";
  const words = ["-machine", "q35", "-drive", `${flash},unit=0,readonly=on,file=${firmware}/OVMF_CODE_4M.fd`];
  const variables = ["-drive", `${flash},unit=1,snapshot=on,file=${firmware}/OVMF_VARS_4M.fd`];
  await using machine = new Monitored([...words, ...variables, ...keyWords(key, start)]);
  const dump = `${key}.screen`;
  const endMs = Date.now() + limitMs;
  let colours: ReadonlyMap<string, number> = new Map();
  while (!isWanted(colours) && Date.now() < endMs) {
    await wait(pauseMs);
    await machine.ask(`screendump ${dump}`);
    colours = coloursOf(fs.readFileSync(dump));
  }
  fs.rmSync(dump, { force: true });
  return colours;
}

/** Of a picture in the form that the monitor writes (PPM). */
function coloursOf(picture: Buffer): ReadonlyMap<string, number> {
  const [header = ""] = /^P6\s+\d+\s+\d+\s+255\s/.exec(picture.toString("latin1", 0, 40)) ?? [];
  const counts = new Map<string, number>();
  const pixels = (picture.length - header.length) / 3;
  for (let at = header.length; at + 3 <= picture.length; at += 3) {
    const colour = picture.toString("hex", at, at + 3);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return new Map(Array.from(counts, ([colour, count]) => [colour, count / pixels]));
}
