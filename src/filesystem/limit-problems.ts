import type { Problem } from "./file-system.ts";

/** How many problems are told one by one. */
const problemLimit = 500;

/** The first problems, and how many more there are. */
export async function* limitProblems(problems: AsyncIterable<Problem>): AsyncGenerator<Problem> {
  let count = 0;
  for await (const problem of problems) if (++count <= problemLimit) yield problem;
  if (count > problemLimit) yield { severity: "error", message: `and ${count - problemLimit} more` };
}
