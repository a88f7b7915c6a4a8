import * as fs from "node:fs/promises";
import * as path from "node:path";
import { prepareDemonstration } from "../disk/index.ts";
import { archiveFolderIn } from "./cache-folder.ts";
import { defineCommand, type CommandContext } from "./command.ts";
import { showProgress } from "./print.ts";
import { silenced, step, temporaryFolder } from "./tour-steps.ts";

/** Printed by the machine before it asks who is there. */
const issue = String.raw`\S \n \l - changed in place: no mount, no root.` + "\n\n";

/** `holdfast tour`: the command lines that a user would type, each shown and then run as it stands. */
export const tour = defineCommand({
  words: ["tour"],
  summary: "show what Holdfast does, on a disk made for it",
  description:
    "Makes a disk with a small Debian out of its packages, shows it, reads a file back, puts one in, checks it, and starts it in a virtual machine. Where Debian cannot be had, or there is no QEMU, the disk has what can be had and is not started. --mail shows the server of mail instead: an authority, two users, a message fetched with a certificate, and who is not let in. Needs no root.",
  operands: { folder: { arity: "optional", help: "where to leave the disk; without it nothing is left" } },
  options: { mail: { kind: "flag", help: "the server of mail, at ports 9993, 9995 and 9925 of this machine" } },
  examples: [
    { line: "holdfast tour", help: "takes a minute, the first time longer, and leaves no disk behind" },
    { line: "holdfast tour --mail", help: "takes some seconds, and leaves nothing behind" },
  ],
  async run(context, args) {
    if (args.mail) return (await import("./tour-mail.ts")).tourOfMail(context);
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
