export { findKernels, type Kernel } from "./kernels.ts";
