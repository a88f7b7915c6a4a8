import { spawn } from "node:child_process";
import { once } from "node:events";

/** The kernel's interface for virtual machines, by platform, as QEMU names it. */
const accelerators: Readonly<Partial<Record<NodeJS.Platform, string>>> = { linux: "kvm", darwin: "hvf", win32: "whpx" };

/** How long a machine that is accelerated may take for what takes it a tenth of a second. */
const patienceMs = 2000;

/** The last thing that SeaBIOS says where there is nothing to start. */
const lastWords = "No bootable device";

/**
 * The accelerator that works here for machines like this one: an empty machine is started with it, and its firmware
 * runs to its end. Undefined where there is none, where this user may not use it, or where it hangs.
 */
export async function workingAccelerator(qemu: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const name = accelerators[process.platform];
  if (name === undefined || process.arch !== "x64") return undefined;
  const machine = ["-accel", name, "-machine", "pc", "-cpu", "host", "-m", "16", "-display", "none", "-nodefaults"];
  const words = ["-chardev", "stdio,id=says", "-device", "isa-debugcon,iobase=0x402,chardev=says"];
  const child = spawn(qemu, [...machine, "-nic", "none", ...words], { stdio: ["ignore", "pipe", "ignore"], env });
  let said = "";
  const limit = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  child.stdout.setEncoding("latin1");
  child.stdout.on("data", (text: string) => {
    said += text;
    if (said.includes(lastWords)) child.kill("SIGKILL");
  });
  try {
    await once(child, "close");
  } catch {
    return undefined; // it could not be started at all
  } finally {
    clearTimeout(limit);
  }
  return said.includes(lastWords) ? name : undefined;
}
