import { Failure } from "../../base/index.ts";
import type { Machine } from "./machine.ts";
import type { MachineRequest } from "./machine-request.ts";
import { findQemu, startQemu } from "./qemu-machine.ts";
import { startV86, whyNotV86 } from "./v86-machine.ts";

/** Starts a virtual machine: by QEMU or, where that is not installed and it may do, by v86. */
export async function startMachine(request: MachineRequest, env: NodeJS.ProcessEnv): Promise<Machine> {
  return isWithoutQemu(request, env) && whyNotV86(request) === undefined
    ? await startV86(request)
    : await startQemu(request, env);
}

/** Whether PCs of today can be run here. */
export function canRunDisks(env: NodeJS.ProcessEnv): boolean {
  return !isWithoutQemu({ architecture: "x86_64" }, env);
}

function isWithoutQemu(request: Pick<MachineRequest, "architecture">, env: NodeJS.ProcessEnv): boolean {
  try {
    findQemu(request, env);
    return false;
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") return true;
    throw error;
  }
}
