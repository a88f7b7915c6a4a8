import type { Output } from "./output.ts";

/** One JSON object with a list in it that is printed as it comes, so that it may be of any length. */
export class JsonListDocument {
  readonly #output: Output;
  #count = 0;

  private constructor(output: Output) {
    this.#output = output;
  }

  /** Prints the beginning: the members of `head`, then the list under `name`. */
  static async open(output: Output, head: Readonly<Record<string, unknown>>, name: string): Promise<JsonListDocument> {
    const members = membersOf(head).map((member) => `${member},\n`);
    await output.write(`{\n${members.join("")}  ${JSON.stringify(name)}: [`);
    return new JsonListDocument(output);
  }

  async add(item: unknown): Promise<void> {
    const separator = this.#count++ === 0 ? "\n" : ",\n";
    await this.#output.write(`${separator}    ${JSON.stringify(item)}`);
  }

  /** Prints the end: the members of `tail` after the list. */
  async close(tail: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const members = membersOf(tail).map((member) => `,\n${member}`);
    await this.#output.write(`${this.#count === 0 ? "" : "\n  "}]${members.join("")}\n}\n`);
  }
}

function membersOf(values: Readonly<Record<string, unknown>>): string[] {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
}
