import { Failure } from "../../base/index.ts";
import { runDisk } from "../../disk/index.ts";
import { defineCommand } from "../command.ts";
import { machineOptions, runMachine } from "../run-machine.ts";
import { parseForward } from "./port-forward.ts";

/** `holdfast disk run` */
export const run = defineCommand({
  words: ["disk", "run"],
  summary: "start a disk in a virtual machine, its serial port in this terminal",
  description: `QEMU runs it, as this user. The processor's own virtualisation is used where it is seen to work; elsewhere the machine is emulated, which takes longer. Without --snapshot what the machine writes stays on the disk, which nothing else may use meanwhile.

In a terminal what is typed goes to the serial port, and Ctrl-A X switches the machine off. With --until the command is a test: status 0 once the text was seen, 1 where the time is over or the machine goes off before.`,
  operands: { file: { arity: "one", help: "the disk: a file, a device, or the image of a disc" } },
  options: {
    snapshot: { kind: "flag", help: "leave the disk as it is: what the machine writes is forgotten" },
    bios: { kind: "flag", help: "start it by BIOS; without this and --uefi, by what it was made for" },
    uefi: { kind: "flag", help: "start it by UEFI" },
    "secure-boot": { kind: "flag", help: "UEFI that starts only what Microsoft or the distribution has signed" },
    disk: {
      kind: "choice",
      value: "BUS",
      choices: ["virtio", "ide", "scsi", "nvme", "usb", "cd"],
      help: "what the disk hangs on; else virtio for Linux, ide for others, cd for discs",
    },
    forward: {
      kind: "string",
      value: "HERE:THERE",
      repeatable: true,
      parse: parseForward,
      help: "lead a TCP port of this machine's loopback interface to one of its own: 2222:22",
    },
    ...machineOptions,
  },
  examples: [
    { line: "holdfast disk run big", help: "as if it were switched on" },
    {
      line: "holdfast disk run big --snapshot --forward 2222:22",
      help: "try something; then: ssh -p 2222 root@localhost",
    },
    { line: 'holdfast disk run big --snapshot --uefi --until "login:" && echo it starts', help: "a test" },
  ],
  async run(context, args) {
    if (args.bios && (args.uefi || args.secureBoot)) {
      throw new Failure("usage", `cannot use --bios with --${args.uefi ? "uefi" : "secure-boot"}: choose one`);
    }
    const { file: path, secureBoot, snapshot, forward: forwards } = args;
    await runMachine(context, args, (words, options) => {
      const firmware = args.bios ? "bios" : args.uefi ? "uefi" : undefined;
      return runDisk(
        {
          ...words,
          path,
          secureBoot,
          snapshot,
          ...(firmware === undefined ? {} : { firmware }),
          ...(args.disk === undefined ? {} : { bus: args.disk }),
          ...(args.noNetwork ? {} : { network: { forwards } }),
        },
        options,
      );
    });
  },
});
