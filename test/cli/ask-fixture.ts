/** Asks a question and tells the answer. */
import { ask, askSecret } from "../../src/cli/ask.ts";
import { StreamOutput } from "../../src/cli/output.ts";

const stderr = new StreamOutput(process.stderr, process.env);
const answer = await (process.argv[2] === "secret" ? askSecret : ask)(
  { stderr, signal: new AbortController().signal },
  "Which one? ",
);
process.stdout.write(`answer: ${JSON.stringify(answer)}\n`);
