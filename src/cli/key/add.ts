import { formatSize, printableName } from "../../bytes/index.ts";
import { Failure } from "../../base/index.ts";
import { addIsos, howToGive, type AddedIso } from "../../key/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { unknownKeysOf, verifiedText } from "./verified-text.ts";

/** `holdfast key add` */
export const add = defineCommand({
  words: ["key", "add"],
  summary: "copy ISO files to a key and enter them into its menu",
  description: `What is in an ISO file decides how it starts, not its name. One that cannot start from a file is refused, with the reason. All are looked at before the first is copied; each is then on the key whole, with its entries, or not at all.

What is beside an ISO file and in it tells whether it is what its maker made: SHA256SUMS and other lists of sums, OpenPGP signatures of these or of the ISO itself (.asc, .sig, .sign, .gpg), and the sums that ISO files carry in them. Who has signed has to be known: the keys of this machine's distribution are, others are given with --keyring. A wrong sum or signature refuses the ISO, with exit status 3.

Without --name a file keeps its name, but for characters that the systems in ISO files may not find it by.`,
  operands: {
    key: { arity: "one", help: "the key: an image, or the device of a stick that is not mounted" },
    iso: { arity: "one-or-more", help: "ISO files" },
  },
  options: {
    name: {
      kind: "string",
      value: "NAME",
      help: "what the only ISO is called on the key; folder/name makes a submenu",
    },
    keyring: {
      kind: "string",
      value: "FILE",
      repeatable: true,
      help: "OpenPGP keys that may sign ISO files, binary, armoured or a keybox of gpg",
    },
    "require-signature": { kind: "flag", help: "refuse what no known key has signed" },
    unverified: { kind: "flag", help: "add ISO files all the same whose sums or signatures are wrong" },
    "dry-run": { kind: "flag", short: "n", help: "say what would be done, and change nothing" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast key add key.img debian-live-12.iso grml.iso", help: "two systems" },
    { line: "holdfast key add key.img rescue.iso --name tools/rescue", help: "in a submenu" },
    { line: "holdfast key add key.img arch.iso --keyring arch.asc --require-signature", help: "only if it is signed" },
  ],
  async run(context, args) {
    if (args.unverified && args.requireSignature) {
      throw new Failure("usage", "cannot require a signature and add what is wrong", {
        hint: "give --require-signature or --unverified, not both",
      });
    }
    using progress = showProgress(context, args);
    const added = await addIsos(
      {
        key: args.key,
        isos: args.iso,
        isRehearsal: args.dryRun,
        verify: {
          keyrings: args.keyring,
          acceptsProblems: args.unverified,
          needsSignature: args.requireSignature,
        },
        nowMs: Date.now(),
        ...(args.name === undefined ? {} : { name: args.name }),
      },
      { signal: context.signal, onProgress: progress.onProgress },
    );
    progress.clear();
    for (const { warnings } of added) await printWarnings(context, warnings);
    if (args.json) return printJson(context, { added: added.map(documentOf), isRehearsal: args.dryRun });
    await printAdded(context, added, args.dryRun);
  },
});

function documentOf(added: AddedIso): Readonly<Record<string, unknown>> {
  const { source, path, sizeBytes, iso, warnings, sha256, verified } = added;
  return { source, name: path.slice(1), sizeBytes, title: iso.title, entries: iso.entries, warnings, sha256, verified };
}

async function printAdded(context: CommandContext, added: readonly AddedIso[], isRehearsal: boolean): Promise<void> {
  const verb = isRehearsal ? "would add" : "added";
  const lines = added.flatMap(({ path, sizeBytes, iso, verified }) => {
    const what = `${verb} ${printableName(path.slice(1))} (${formatSize(sizeBytes)}): ${printableName(iso.title)}`;
    if (verified === undefined) return [what];
    const unknown = unknownKeysOf(verified).map(({ file, key }) => {
      return `  signed in ${printableName(file)} by the key ${printableName(key)}, which is not known here: ${howToGive(key)}`;
    });
    return [what, `  ${verifiedText(verified)}`, ...unknown];
  });
  await printLines(context, lines);
}
