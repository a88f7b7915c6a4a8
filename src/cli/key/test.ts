import { availableParallelism } from "node:os";
import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import { hasStarted, testKey, type Trial, type TriedEntry } from "../../key/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { layOutTable } from "../table.ts";
import { version } from "../version.ts";
import { firmwareNames } from "./key-text.ts";

const usualLimitSeconds = 180;
const cpuLimit = 2;

/** `holdfast key test` */
export const test = defineCommand({
  words: ["key", "test"],
  summary: "start everything on a key in virtual machines, and keep on the key what was seen to start",
  description: `Each entry of the menu is started by each firmware that it is for. It counts as started once its kernel speaks on the serial port, or its screen shows what neither the firmware nor GRUB has put there: that it runs, not that all of it works. With --until only the text counts. What GRUB complains of is told, and so is an entry of which nothing was seen.

Of an ISO with a menu of its own, the first entry of that is started. What was seen is kept on the key until another file has the name; key list shows it. Status 3 means that something was not seen to start.`,
  operands: {
    key: { arity: "one", help: "the key" },
    name: {
      arity: "any-number",
      help: "names, as key list shows them, with #2 behind for a second entry; else everything",
    },
  },
  options: {
    firmware: {
      kind: "string",
      value: "LIST",
      parse: parseFirmwares,
      help: "by which firmware: bios, uefi, secure (UEFI with Secure Boot), or several; else each that an entry is for",
    },
    until: { kind: "string", value: "TEXT", help: "an entry has started once its serial port has said this" },
    "time-limit": {
      kind: "number",
      value: "SECONDS",
      minimum: 1,
      maximum: 86_400,
      default: usualLimitSeconds,
      help: `give up on an entry after so long, ${usualLimitSeconds} unless told`,
    },
    disk: {
      kind: "choice",
      value: "BUS",
      choices: ["usb", "virtio", "ide", "scsi", "nvme"],
      default: "usb",
      help: "what the key hangs on, usb unless told",
    },
    memory: { kind: "size", short: "m", value: "SIZE", default: 2 ** 30, help: "of each machine, 1GiB unless told" },
    cpus: {
      kind: "number",
      value: "N",
      minimum: 1,
      maximum: 64,
      help: `processors of each; else as many as here, up to ${cpuLimit}`,
    },
    "no-acceleration": { kind: "flag", help: "emulate the processor in any case" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast key test key.img", help: "everything, by BIOS and UEFI" },
    {
      line: 'holdfast key test key.img debian-live-12.iso --firmware uefi --until "login:"',
      help: "one, until it asks",
    },
  ],
  async run(context, args) {
    const tried: TriedEntry[] = [];
    try {
      await testKey(
        {
          path: args.key,
          names: args.name,
          timeLimitMs: args.timeLimit * 1000,
          bus: args.disk,
          memoryBytes: args.memory,
          cpus: args.cpus ?? Math.min(cpuLimit, availableParallelism()),
          accelerate: !args.noAcceleration,
          env: context.env,
          version: version(),
          clock: Date.now,
          ...(args.firmware === undefined ? {} : { firmwares: args.firmware }),
          ...(args.until === undefined ? {} : { until: args.until }),
        },
        {
          signal: context.signal,
          onTrial: (trial) => void announce(context, trial),
          onTried: (one) => tried.push(one),
        },
      );
    } finally {
      if (args.json) await printJson(context, { key: args.key, tests: tried });
      else await printLines(context, linesOf(tried, context));
    }
    const failed = tried.filter((one) => !hasStarted(one)).length;
    if (failed === 0) return;
    throw new Failure("mismatch", `cannot start all of "${args.key}": ${failed} of ${tried.length} did not start`);
  },
});

function parseFirmwares(text: string): readonly TriedEntry["firmware"][] {
  return text.split(",").map((word) => {
    if (word === "bios" || word === "uefi" || word === "secure") return word;
    throw new Failure("usage", `cannot test by "${word}": the firmware is bios, uefi or secure`);
  });
}

/** Says what goes on, where someone watches: each takes a while. */
async function announce({ stderr }: CommandContext, { name, entry, firmware }: Trial): Promise<void> {
  if (!stderr.isTerminal) return;
  const which = entry === 1 ? "" : `#${entry}`;
  await stderr.write(
    `${stderr.style("dim", `starting ${printableName(name)}${which} by ${firmwareNames[firmware]}`)}\n`,
  );
}

const resultTexts: Readonly<Record<TriedEntry["outcome"], string>> = {
  started: "started",
  reached: "reached",
  refused: "refused",
  silent: "not seen",
  off: "went off",
};

function linesOf(tried: readonly TriedEntry[], { stdout }: CommandContext): string[] {
  if (tried.length === 0) return [];
  const columns = [
    {
      heading: "name",
      text: ({ name, entry }: TriedEntry) => `${printableName(name)}${entry === 1 ? "" : `#${entry}`}`,
    },
    { heading: "by", text: ({ firmware }: TriedEntry) => firmwareNames[firmware] },
    { heading: "result", text: ({ outcome }: TriedEntry) => resultTexts[outcome] },
    { heading: "after", align: "right", text: ({ seconds }: TriedEntry) => `${seconds} s` },
    { heading: "seen", text: ({ seen }: TriedEntry) => printableName(seen) },
  ] as const;
  return layOutTable(columns, tried, { headingStyle: (text) => stdout.style("bold", text) });
}
