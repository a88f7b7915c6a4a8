export { startQemu, type Machine } from "./qemu-machine.ts";
export type { DiskBus, MachineArchitecture, MachineFirmware, MachineRequest, PortForward } from "./machine-request.ts";
export { SerialText } from "./serial-text.ts";
