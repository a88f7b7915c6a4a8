export { findKernels, type Kernel } from "./kernels.ts";
export { startableBytes, startableOf, type Startable } from "./kernel-image.ts";
export { signersOfFile, signersOfReader } from "./signers.ts";
