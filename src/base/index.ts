export { Failure, exitStatusOf, isSystemError, type FailureCode, type FailureOptions } from "./failure.ts";
export { identities, type Account, type FileUser } from "./identity.ts";
export { stopIfAborted, type JobOptions, type Progress } from "./job.ts";
export { lazily, lazilyEach } from "./lazily.ts";
export { libc, type Libc } from "./libc.ts";
export { OutputFile, systemReason, type OutputFileOptions } from "./output-file.ts";
export { findProgram } from "./program.ts";
export { ThreadPool } from "./thread-pool.ts";
export { shellWord } from "./shell-word.ts";
