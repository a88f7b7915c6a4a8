import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { prepareDemonstration } from "../disk/index.ts";
import { archiveFolderIn } from "./cache-folder.ts";
import { defineCommand, type CommandContext } from "./command.ts";
import { dispatch } from "./dispatch.ts";
import type { Output } from "./output.ts";
import { showProgress } from "./print.ts";

/** Printed by the machine before it asks who is there. */
const issue = String.raw`\S \n \l - changed in place: no mount, no root.` + "\n\n";

/** `holdfast tour`: the command lines that a user would type, each shown and then run as it stands. */
export const tour = defineCommand({
  words: ["tour"],
  summary: "show what Holdfast does, on a disk made for it",
  description:
    "Makes a disk with a small Debian out of its packages, shows it, reads a file back, puts one in, checks it, and starts it in a virtual machine. Where Debian cannot be had, or there is no QEMU, the disk has what can be had and is not started. Needs no root.",
  operands: { folder: { arity: "optional", help: "where to leave the disk; without it nothing is left" } },
  options: {},
  examples: [{ line: "holdfast tour", help: "takes a minute, the first time longer, and leaves no disk behind" }],
  async run(context, args) {
    await using temporary = await temporaryFolder();
    if (args.folder !== undefined) await fs.mkdir(args.folder, { recursive: true });
    const folder = args.folder === undefined ? temporary.path : path.resolve(args.folder);
    process.chdir(folder); // so that the words are short enough to be read
    const disk = "tour.disk";
    const { description, words, samplePath, starts } = await prepare(context);
    const create = ["disk", "create", disk, "--size", "2GiB", "--table", "gpt", ...words];
    const heading = `An ordinary file becomes a hard disk, filled from ${description}:`;
    await step(context, heading, create, { ...context, stdout: silenced(context.stdout) });
    await step(context, "What is on it:", ["disk", "show", disk]);
    await step(context, "Its files, without mounting anything:", ["disk", "ls", "-l", `${disk}:/`]);
    await step(context, "One of them, read back:", ["disk", "cat", `${disk}:${samplePath}`]);
    await fs.writeFile("issue", issue);
    await step(context, "A file of this machine goes in:", ["disk", "put", "issue", `${disk}:/etc/issue`, "--mkdir"]);
    await step(context, "And there it is:", ["disk", "cat", `${disk}:/etc/issue`]);
    await step(context, "Is it sound?", ["disk", "check", disk]);
    if (starts) {
      const until = ["disk", "run", disk, "--snapshot", "--until", "login:"];
      await step(context, "And it is a machine, which starts:", until);
      await context.stdout.write("\n");
    }
    if (args.folder !== undefined) await context.stdout.write(`\nThe disk is "${path.join(folder, disk)}".\n`);
  },
});

async function prepare(context: CommandContext) {
  using progress = showProgress(context, { json: false });
  return await prepareDemonstration(
    { folder: ".", cacheFolder: archiveFolderIn(context.env), env: context.env, nowMs: Date.now() },
    { signal: context.signal, onProgress: progress.onProgress },
  );
}

async function step(
  context: CommandContext,
  heading: string,
  words: readonly string[],
  inContext: CommandContext = context,
): Promise<void> {
  const { stdout } = context;
  await stdout.write(`\n${stdout.style("bold", heading)}\n`);
  await stdout.write(`${stdout.style("dim", `$ holdfast ${words.map(quoted).join(" ")}`)}\n`);
  await dispatch(words, inContext);
}

/** What making a disk reports is what showing it says next. */
function silenced(output: Output): Output {
  const { isTerminal, columns, style } = output;
  return { isTerminal, columns, style, write: async () => {}, flush: async () => {} };
}

/** A word as a shell needs it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "holdfast-tour-"));
  return { path: folder, [Symbol.asyncDispose]: () => fs.rm(folder, { recursive: true, force: true }) };
}
