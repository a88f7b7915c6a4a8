export type { Network } from "./machine.ts";
export { writeMachine, type MachineRequest, type TargetName, type WrittenMachine } from "./write-machine.ts";
export type { XenType } from "./xen-plan.ts";
