import { listKernels, type Kernel } from "../../disk/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { parsePlace } from "../place.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { layOutTable } from "../table.ts";

/** `holdfast disk kernel` */
export const kernel = defineCommand({
  words: ["disk", "kernel"],
  summary: "list the kernels in an image, with their initrds and command lines",
  description:
    "Kernels are those in /boot, on a boot partition those in its root, and unified kernel images in EFI/Linux. Command lines are those of the boot menu that is in the image: grub.cfg, or entries of the Boot Loader Specification, whose order is kept; else the newest comes first.",
  operands: {
    place: { arity: "one", parse: parsePlace, help: "IMAGE, or IMAGE:2 for partition 2" },
  },
  options: {
    extract: { kind: "string", value: "DIR", help: "put kernels and initrds into this folder, to start them directly" },
    force: {
      kind: "flag",
      short: "f",
      help: "with --extract: use a folder that has files, replacing those of these names",
    },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast disk kernel big", help: "what /boot has" },
    { line: "holdfast disk kernel big --extract kernels", help: "as files of this machine, for qemu -kernel or Xen" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const warnings: string[] = [];
    const kernels = await listKernels(args.place, {
      ...(args.extract === undefined ? {} : { extractTo: args.extract }),
      force: args.force,
      onWarning: (message) => warnings.push(message),
      signal: context.signal,
      onProgress: progress.onProgress,
    });
    progress.clear();
    await printWarnings(context, warnings);
    if (args.json) return await printJson(context, { kernels, warnings });
    const columns = [
      { heading: "kernel", text: (one: Kernel) => one.path },
      { heading: "initrd", text: initrdOf },
      { heading: "command line", text: (one: Kernel) => one.commandLine ?? "" },
    ];
    await printLines(context, layOutTable(columns, kernels));
  },
});

function initrdOf({ initrd, initrds, isUnified }: Kernel): string {
  return isUnified === true ? "(in it)" : (initrds?.join(" ") ?? initrd ?? "");
}
