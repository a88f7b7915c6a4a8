/** What a command makes Node load before it does anything: most of the time that a short one takes. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../temp.ts";

const root = path.resolve(import.meta.dirname, "../..");
/** Tells on standard error what is loaded. */
const hook = `import { registerHooks } from "node:module";
registerHooks({ load: (url, context, next) => (process.stderr.write(url + "\\n"), next(url, context)) });`;

function loadedBy(...words: readonly string[]): readonly string[] {
  const main = path.join(root, "src/cli/main.ts");
  const hookUrl = `data:text/javascript,${encodeURIComponent(hook)}`;
  const { status, stderr } = spawnSync(process.execPath, ["--import", hookUrl, main, ...words], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stderr.split("\n").map((url) => url.replace(`file://${root}/`, ""));
}

const unwanted = [
  "boot",
  "filesystem/(exfat|fat|iso|udf)/(open|edit|make|check)\\b",
  "filesystem/recognise",
  "filesystem/ext/(make|check)\\b",
  "tree/(tar-reader|xz|deb)",
];
const others = new RegExp(`^src/(${unwanted.join("|")})`);
const writing = new RegExp(`${others.source}|^src/filesystem/ext/(edit|resize)|koffi`);
/** A disk has a table, and what its partitions are not is not asked. */
const otherFamilies = new RegExp(`${writing.source}|^src/filesystem/(fat|exfat|ntfs|xfs|btrfs)/`);
const slow = /^node:(crypto|zlib|worker_threads|child_process|http)$/;

test("a command loads nothing that only others need", async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  loadedBy("disk", "create", image, "--size", "64MiB", "--partition", "fs=ext4");
  const cases: readonly (readonly [words: readonly string[], not: RegExp])[] = [
    [["--version"], /^src\/(disk|filesystem|device|partition|tree)\//],
    [["disk", "ls", `${image}:/`], otherFamilies],
    [["disk", "show", image], otherFamilies],
    [["backup", "list", folder.path], new RegExp(`${writing.source}|node_modules|backup/store/(sftp|s3|smb|image)/`)],
    [["disk", "grow", image, "--size", "96MiB"], others],
    [["disk", "put", path.join(root, "package.json"), `${image}:/`], others],
  ];
  for (const [words, not] of cases) {
    const loaded = loadedBy(...words);
    assert.ok(loaded.some((url) => url.startsWith("src/cli/")));
    assert.deepEqual(
      loaded.filter((url) => not.test(url) || slow.test(url)),
      [],
      words.join(" "),
    );
  }
});
