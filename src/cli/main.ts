#!/usr/bin/env node
import { commands } from "./commands.ts";
import { dispatch } from "./dispatch.ts";
import { runProcess } from "./run-process.ts";

process.exitCode = await runProcess(commands, (context) => dispatch(process.argv.slice(2), context));
