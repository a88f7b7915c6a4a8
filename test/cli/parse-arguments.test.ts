import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { defineCommand, type ArgumentTable, type CommandContext } from "../../src/cli/command.ts";
import { parseArguments } from "../../src/cli/parse-arguments.ts";

const sample = defineCommand({
  words: ["sample"],
  summary: "for tests",
  operands: {
    file: { arity: "one", help: "a file" },
    "more-files": { arity: "any-number", help: "more", parse: (text) => ({ name: text }) },
  },
  options: {
    long: { kind: "flag", short: "l", help: "long" },
    recursive: { kind: "flag", short: "R", help: "deep" },
    size: { kind: "size", short: "s", value: "SIZE", help: "size" },
    room: { kind: "size", value: "SIZE", words: ["auto"], help: "room" },
    count: { kind: "number", value: "N", minimum: -5, maximum: 9, default: 1, help: "count" },
    table: { kind: "choice", value: "KIND", choices: ["mbr", "gpt"], default: "mbr", help: "table" },
    "dry-run": { kind: "flag", help: "only say" },
    from: { kind: "string", value: "DIR", repeatable: true, help: "source" },
    label: { kind: "string", value: "TEXT", help: "label" },
  },
  examples: [],
  async run(_context, args) {
    // What matters here is that the compiler agrees.
    args satisfies {
      file: string;
      moreFiles: readonly { name: string }[];
      long: boolean;
      size: number | undefined;
      room: number | "auto" | undefined;
      count: number;
      table: "mbr" | "gpt";
      dryRun: boolean;
      from: readonly string[];
      label: string | undefined;
    };
    // @ts-expect-error: a size that was not given is undefined
    args.size satisfies number;
    // @ts-expect-error: there is no such choice
    void (args.table === "apm");
  },
});

function parse(...words: readonly string[]): ArgumentTable {
  const args = parseArguments(sample, words);
  assert.notEqual(args, "help");
  return args as ArgumentTable;
}

function refusal(...words: readonly string[]): string {
  try {
    parseArguments(sample, words);
  } catch (error) {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, "usage");
    return error.message;
  }
  throw new Error(`${words.join(" ")} was accepted`);
}

test("defaults stand for what is not given", () => {
  assert.deepEqual(parse("a"), {
    file: "a",
    moreFiles: [],
    long: false,
    recursive: false,
    size: undefined,
    room: undefined,
    count: 1,
    table: "mbr",
    dryRun: false,
    from: [],
    label: undefined,
  });
});

test("options are written in any of the usual ways", () => {
  for (const words of [["--size=4K"], ["--size", "4K"], ["-s4K"], ["-s", "4K"], ["-s=4K"], ["-ls", "4K"], ["-ls4K"]]) {
    assert.equal(parse("a", ...words)["size"], 4096, words.join(" "));
    assert.equal(parse(...words, "a")["size"], 4096, words.join(" "));
  }
  const clustered = parse("-lR", "a");
  assert.deepEqual([clustered["long"], clustered["recursive"]], [true, true]);
  assert.equal(parse("a", "--room", "auto")["room"], "auto");
  assert.equal(parse("a", "--label=")["label"], "");
  assert.equal(parse("a", "--label", "--long")["label"], "--long");
  assert.equal(parse("a", "--count", "-5")["count"], -5);
  assert.equal(parse("a", "--dry-run")["dryRun"], true);
});

test("repeatable options keep their order, operands theirs", () => {
  const args = parse("a", "--from", "x", "b", "--from=y", "c");
  assert.deepEqual(args["from"], ["x", "y"]);
  assert.equal(args["file"], "a");
  assert.deepEqual(args["moreFiles"], [{ name: "b" }, { name: "c" }]);
});

test("a dash is an operand, and after two dashes everything is", () => {
  assert.equal(parse("-")["file"], "-");
  assert.deepEqual(parse("-l", "--", "--size", "-l")["moreFiles"], [{ name: "-l" }]);
});

test("help is asked for anywhere but after two dashes", () => {
  for (const words of [["--help"], ["-h"], ["a", "-lh"], ["--size", "4", "--help"]]) {
    assert.equal(parseArguments(sample, words), "help");
  }
  assert.equal(parse("--", "--help")["file"], "--help");
});

test("what is wrong is said", () => {
  assert.equal(refusal(), 'cannot run "holdfast sample": FILE is missing');
  assert.equal(refusal("a", "--nope"), 'cannot use "--nope": "holdfast sample" has no such option');
  assert.equal(refusal("a", "--toString"), 'cannot use "--toString": "holdfast sample" has no such option');
  assert.equal(refusal("a", "-lx"), 'cannot use "-x": "holdfast sample" has no such option');
  assert.equal(refusal("a", "--long=yes"), 'cannot use "--long=yes": --long takes no value');
  assert.equal(refusal("a", "--size"), 'cannot use "--size" without its value SIZE');
  assert.equal(refusal("a", "--size", "1", "-s", "2"), 'cannot use "-s 2": -s was given before');
  for (const count of ["10", "-6", "1.5", "", "0x1", "NaN"]) {
    assert.equal(
      refusal("a", "--count", count),
      `cannot use "--count ${count}": a whole number from -5 to 9 is needed`,
    );
  }
});

test("any words are either understood or refused as wrong usage", () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("-l", "-lR", "-s", "--size", "--from", "4G", "--", "-", "--table=gpt"),
  );
  fc.assert(
    fc.property(fc.array(word), (words) => {
      try {
        parseArguments(sample, words);
      } catch (error) {
        assert.ok(error instanceof Failure && error.code === "usage");
      }
    }),
  );
});

test("a command runs with what its words mean", async () => {
  await sample.run({} as CommandContext, parse("a"));
});
