/** Asks a question and tells the answer. */
import { ask } from "../../src/cli/ask.ts";
import { StreamOutput } from "../../src/cli/output.ts";

const stderr = new StreamOutput(process.stderr, process.env);
const answer = await ask({ stderr, signal: new AbortController().signal }, "Which one? ");
process.stdout.write(`answer: ${JSON.stringify(answer)}\n`);
