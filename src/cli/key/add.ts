import { formatSize, printableName } from "../../bytes/index.ts";
import { Failure } from "../../base/index.ts";
import { addIsos, howToGive, kernelWords, type AddedIso, type KernelParts } from "../../key/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { unknownKeysOf, verifiedText } from "./verified-text.ts";

/** `holdfast key add` */
export const add = defineCommand({
  words: ["key", "add"],
  summary: "copy ISO files, and what else starts, to a key and enter them into its menu",
  description: `What is in a file decides what it is and how it starts, not its name: an ISO, a kernel with its initrds, a program for UEFI, the image of a floppy or a small disk. What cannot start from a file is refused, with the reason. All are looked at before the first is copied; each is then on the key whole, with its entries, or not at all.

What is beside an ISO file and in it tells whether it is what its maker made: SHA256SUMS and other lists of sums, OpenPGP signatures of these or of the ISO itself (.asc, .sig, .sign, .gpg), and the sums that ISO files carry in them. Who has signed has to be known: the keys of this machine's distribution are, others are given with --keyring. A wrong sum or signature refuses the ISO, with exit status 3.

Without --name a file keeps its name, but for characters that the systems in ISO files may not find it by.`,
  operands: {
    key: { arity: "one", help: "the key: an image, or the device of a stick that is not mounted" },
    iso: { arity: "one-or-more", help: "ISO files, kernels, programs for UEFI, images of floppies and disks" },
  },
  options: {
    name: {
      kind: "string",
      value: "NAME",
      help: "what the only file is called on the key; folder/name makes a submenu",
    },
    initrd: {
      kind: "string",
      value: "FILE",
      repeatable: true,
      help: "load this with the kernel; several are loaded in their order",
    },
    append: { kind: "string", value: "WORDS", help: "what the kernel is told: its command line" },
    persist: {
      kind: "size",
      value: "SIZE",
      help: "room for what these systems change of themselves, which an entry of its own then keeps",
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
    { line: "holdfast key add key.img debian-live-12.iso --persist 2GiB", help: "which keeps what you change" },
    { line: 'holdfast key add key.img vmlinuz --initrd initrd.img --append "quiet"', help: "a kernel" },
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
        ...(args.persist === undefined ? {} : { changesBytes: args.persist }),
        ...kernelPartsOf(args.initrd, args.append),
      },
      { signal: context.signal, onProgress: progress.onProgress },
    );
    progress.clear();
    for (const { warnings } of added) await printWarnings(context, warnings);
    if (args.json) return await printJson(context, { added: added.map(documentOf), isRehearsal: args.dryRun });
    await printAdded(context, added, args.dryRun);
  },
});

function kernelPartsOf(initrds: readonly string[], append: string | undefined): { kernel?: KernelParts } {
  if (initrds.length === 0 && append === undefined) return {};
  return { kernel: { initrds, words: kernelWords(append ?? "") } };
}

function documentOf(added: AddedIso): object {
  const { source, path, sizeBytes, kind, iso, warnings, sha256, verified } = added;
  const { title, entries } = iso;
  const companions = added.companions.map((one) => {
    return { source: one.source, name: one.path.slice(1), sizeBytes: one.sizeBytes };
  });
  return {
    source,
    name: path.slice(1),
    sizeBytes,
    kind,
    title,
    entries,
    companions,
    ...changesOf(added),
    warnings,
    sha256,
    verified,
  };
}

function changesOf({ changes }: AddedIso): object {
  return changes === undefined ? {} : { changes: { name: changes.path.slice(1), sizeBytes: changes.sizeBytes } };
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
