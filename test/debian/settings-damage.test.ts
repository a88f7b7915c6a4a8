import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { AptConfiguration, findLogin, readAptSources, readLogins } from "../../src/debian/apt/index.ts";
import { parseRelease } from "../../src/debian/repository/release-file.ts";
import { machine } from "./test-archive.ts";

const signs = fc.string({
  unit: fc.constantFrom(
    "a",
    "B",
    ":",
    "::",
    " ",
    "\n",
    '"',
    "{",
    "}",
    ";",
    "/",
    "//",
    "/*",
    "*/",
    "#",
    "#clear ",
    "#include ",
    "[",
    "]",
    "=",
    "deb ",
    "http://h/",
    "Types: deb\n",
    "URIs:",
    "Suites:",
    "\\",
    "é",
  ),
  maxLength: 30,
});

/** Whatever is read ends well or in a failure. */
function readable(work: () => void): void {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    assert.match(error.message, /^cannot (read|use) ".+": /);
  }
}

test("any text as apt's configuration, sources and passwords, and as a Release file", async () => {
  await using home = machine("http://127.0.0.1/");
  const { env } = home.request();
  const configuration = AptConfiguration.read(env);
  fc.assert(
    fc.property(signs, (text) => {
      home.write("etc/apt/apt.conf", text);
      readable(() => AptConfiguration.read(env));
      home.write("etc/apt/sources.list", text);
      readable(() => readAptSources(configuration));
      home.write("etc/apt/sources.list", "");
      home.write("etc/apt/sources.list.d/test.sources", text);
      readable(() => readAptSources(configuration));
      home.write("etc/apt/auth.conf", `machine ${text}`);
      readable(() => findLogin(readLogins(configuration), new URL("https://h/")));
      readable(() => parseRelease(`Date: Sat, 11 Jul 2026 10:16:37 UTC\nSHA256:\n ${text}`, "Release"));
    }),
    { numRuns: 400 },
  );
});

test("a configuration that includes itself, and one nested without end", async () => {
  await using home = machine("http://127.0.0.1/");
  const { env } = home.request();
  home.write("etc/apt/apt.conf", '#include "apt.conf";\nTest::After "yes";');
  assert.equal(AptConfiguration.read(env).get("Test::After"), "yes");
  home.write("etc/apt/apt.conf", "a {".repeat(101));
  assert.throws(
    () => AptConfiguration.read(env),
    (error) => error instanceof Failure && error.code === "damaged",
  );
});
