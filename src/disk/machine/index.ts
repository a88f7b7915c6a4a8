export type { Machine } from "./machine.ts";
export { canRunDisks, startMachine } from "./start-machine.ts";
export type { DiskBus, MachineArchitecture, MachineFirmware, MachineRequest, PortForward } from "./machine-request.ts";
export { SerialText } from "./serial-text.ts";
export type { Screen } from "./screen.ts";
