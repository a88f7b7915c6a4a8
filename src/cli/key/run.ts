import { runKey } from "../../key/index.ts";
import { defineCommand } from "../command.ts";
import { machineOptions, runMachine } from "../run-machine.ts";

/** `holdfast key run` */
export const run = defineCommand({
  words: ["key", "run"],
  summary: "try a key in a virtual machine, its menu in this terminal",
  description: `The key hangs on USB as a stick would, and stays as it is: what the machine writes is forgotten. The menu is on the serial port too, which is this terminal; Ctrl-A X switches the machine off. Kernels that the key itself starts speak there as well; what an ISO's own menu starts may not.

With --until the command is a test: status 0 once the text was seen, 1 where the time is over or the machine goes off before.`,
  operands: { key: { arity: "one", help: "the key: an image, or the device of a stick that is not mounted" } },
  options: {
    uefi: { kind: "flag", help: "start it by UEFI; else by BIOS" },
    "secure-boot": { kind: "flag", help: "by UEFI that starts only what Microsoft or the distribution has signed" },
    choose: {
      kind: "string",
      value: "ENTRY",
      help: "start this entry: the name of an ISO as key list shows it, with #2 behind it for its second entry",
    },
    disk: {
      kind: "choice",
      value: "BUS",
      choices: ["usb", "virtio", "ide", "scsi", "nvme"],
      default: "usb",
      help: "what the key hangs on, usb unless told",
    },
    ...machineOptions,
  },
  examples: [
    { line: "holdfast key run key.img", help: "see its menu" },
    { line: 'holdfast key run key.img --uefi --choose debian-live-12.iso --until "login:"', help: "a test" },
  ],
  async run(context, args) {
    await runMachine(context, args, (words, options) =>
      runKey(
        {
          ...words,
          path: args.key,
          firmware: args.uefi || args.secureBoot ? "uefi" : "bios",
          secureBoot: args.secureBoot,
          bus: args.disk,
          ...(args.choose === undefined ? {} : { choose: args.choose }),
          ...(args.noNetwork ? {} : { network: { forwards: [] } }),
        },
        options,
      ),
    );
  },
});
