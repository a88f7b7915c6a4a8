/**
 * Loaded before each test file. Node's test runner follows every promise, to know to which test an error belongs that
 * nobody has caught, which takes longer than most of what is tested. Here such an error ends the file instead.
 */
import asyncHooks from "node:async_hooks";

const { createHook } = asyncHooks;
asyncHooks.createHook = () => createHook({});

function endWith(error: unknown): void {
  console.error("nobody has caught this:", error);
  // oxlint-disable-next-line unicorn/no-process-exit -- a test might wait for what now will not come
  process.exit(1);
}

process.on("uncaughtExceptionMonitor", endWith);
process.on("unhandledRejection", endWith);
