#!/usr/bin/env node
import { dispatch } from "./dispatch.ts";
import { runProcess } from "./run-process.ts";

process.exitCode = await runProcess((context) => dispatch(process.argv.slice(2), context));
