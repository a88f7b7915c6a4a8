#!/usr/bin/env node
import { availableParallelism } from "node:os";
import { commands } from "./commands.ts";
import { dispatch } from "./dispatch.ts";
import { runProcess } from "./run-process.ts";

// Node's pool has four threads unless told before its first use; compression is to have all cores.
if (availableParallelism() > 4) process.env["UV_THREADPOOL_SIZE"] ??= String(availableParallelism());

process.exitCode = await runProcess(commands, (context) => dispatch(process.argv.slice(2), context));
