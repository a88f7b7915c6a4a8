import { spawn } from "node:child_process";
import * as path from "node:path";
import { styleText } from "node:util";

/** What must hold besides the tests, each as the command that tells. `npm run check -- lint` runs those named. */
const checks: Readonly<Record<string, readonly string[]>> = {
  types: ["tsc", "--pretty", "false"],
  lint: ["oxlint", "--format", "unix"],
  format: ["oxfmt", "--check"],
  layers: ["node", "check/house.ts"],
  "dead code": ["knip", "--no-progress"],
  "lock file": ["node", "check/lock.ts"],
};

interface Outcome {
  readonly passed: boolean;
  readonly output: string;
}

const root = path.join(import.meta.dirname, "..");
const searchPath = [path.join(root, "node_modules/.bin"), process.env["PATH"]].join(path.delimiter);

function run(command: readonly string[]): Promise<Outcome> {
  const [program = "", ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env: { ...process.env, PATH: searchPath }, stdio: "pipe" });
    let output = "";
    child.stdin.end();
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => (output += text));
    }
    child.on("error", (error) => resolve({ passed: false, output: `${error.message}\n` }));
    child.on("close", (status) => resolve({ passed: status === 0, output }));
  });
}

async function report(name: string, command: readonly string[]): Promise<boolean> {
  const startedMs = performance.now();
  const { passed, output } = await run(command);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const mark = passed ? styleText("green", "✔") : styleText("red", "✖");
  console.log(`${mark} ${name.padEnd(10)} ${seconds} s   ${styleText("dim", command.join(" "))}`);
  if (!passed) console.log(output.replaceAll(/^/gm, "    ").trimEnd());
  return passed;
}

const wanted = process.argv.slice(2);
const chosen = Object.entries(checks).filter(([name]) => wanted.length === 0 || wanted.includes(name));
if (chosen.length === 0) {
  console.error(`no such check: ${wanted.join(" ")}; there are: ${Object.keys(checks).join(", ")}`);
  process.exitCode = 2;
} else {
  const outcomes = await Promise.all(chosen.map(([name, command]) => report(name, command)));
  if (outcomes.includes(false)) process.exitCode = 1;
}
