import { formatSize, printableName } from "../../bytes/index.ts";
import { addIsos, kernelWords, type AddedIso, type KernelParts } from "../../key/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";

/** `holdfast key add` */
export const add = defineCommand({
  words: ["key", "add"],
  summary: "copy ISO files, and what else starts, to a key and enter them into its menu",
  description: `What is in a file decides what it is and how it starts, not its name: an ISO, a kernel with its initrds, a program for UEFI, the image of a floppy or a small disk. What cannot start from a file is refused, with the reason. All are looked at before the first is copied; each is then on the key whole, with its entries, or not at all.

Without --name a file keeps its name, but for characters that the systems in ISO files may not find it by.`,
  operands: {
    key: { arity: "one", help: "the key" },
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
    "dry-run": { kind: "flag", short: "n", help: "say what would be done, and change nothing" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast key add key.img debian-live-12.iso grml.iso", help: "two systems" },
    { line: "holdfast key add key.img rescue.iso --name tools/rescue", help: "in a submenu" },
    { line: 'holdfast key add key.img vmlinuz --initrd initrd.img --append "quiet"', help: "a kernel" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const added = await addIsos(
      {
        key: args.key,
        isos: args.iso,
        isRehearsal: args.dryRun,
        nowMs: Date.now(),
        ...(args.name === undefined ? {} : { name: args.name }),
        ...kernelPartsOf(args.initrd, args.append),
      },
      { signal: context.signal, onProgress: progress.onProgress },
    );
    progress.clear();
    for (const { warnings } of added) await printWarnings(context, warnings);
    if (args.json) return printJson(context, { added: added.map(documentOf), isRehearsal: args.dryRun });
    await printAdded(context, added, args.dryRun);
  },
});

function kernelPartsOf(initrds: readonly string[], append: string | undefined): { kernel?: KernelParts } {
  if (initrds.length === 0 && append === undefined) return {};
  return { kernel: { initrds, words: kernelWords(append ?? "") } };
}

function documentOf({ source, path, sizeBytes, kind, iso, companions, warnings }: AddedIso): object {
  const files = companions.map((one) => ({ source: one.source, name: one.path.slice(1), sizeBytes: one.sizeBytes }));
  const { title, entries } = iso;
  return { source, name: path.slice(1), sizeBytes, kind, title, entries, companions: files, warnings };
}

async function printAdded(context: CommandContext, added: readonly AddedIso[], isRehearsal: boolean): Promise<void> {
  const verb = isRehearsal ? "would add" : "added";
  const lines = added.map(({ path, sizeBytes, iso }) => {
    return `${verb} ${printableName(path.slice(1))} (${formatSize(sizeBytes)}): ${printableName(iso.title)}`;
  });
  await printLines(context, lines);
}
