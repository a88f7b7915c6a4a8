import type { StartedDisk } from "../disk/index.ts";
import type { CommandContext } from "./command.ts";
import { printWarnings } from "./print.ts";

/** Says how a machine runs, where someone watches. */
export async function announceMachine(
  context: CommandContext,
  { firmware, acceleration }: StartedDisk,
  inTerminal: boolean,
) {
  const { stderr } = context;
  if (acceleration === "v86") {
    await printWarnings(context, [
      "QEMU is not installed; v86 runs the machine as far as it can: 32 bits, slowly, without a network",
    ]);
  } else if (stderr.isTerminal) {
    const how = acceleration === "emulation" ? "emulated" : `with ${acceleration}`;
    const end = inTerminal ? "; Ctrl-A X switches it off" : "";
    await stderr.write(
      `${stderr.style("dim", `starting by ${firmware === "uefi" ? "UEFI" : "BIOS"}, ${how}${end}`)}\n`,
    );
  }
}
