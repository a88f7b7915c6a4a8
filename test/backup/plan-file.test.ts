/** Plans of backups: what they mean, and what is said of those that mean nothing. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, test } from "node:test";
import { checkPlan, exampleOfPlan } from "../../src/backup/index.ts";
import { readPlan } from "../../src/backup/plan/read-plan.ts";
import { Failure } from "../../src/base/index.ts";
import { problemText } from "../../src/bytes/toml/index.ts";
import { temporaryFolder } from "../temp.ts";

const folder = temporaryFolder();
const file = folder.join("plan.toml");

after(() => folder[Symbol.asyncDispose]());

async function problemsOf(text: string): Promise<string[]> {
  fs.writeFileSync(file, text);
  return (await checkPlan(file)).problems.map(problemText);
}

const job = '[[job]]\nname = "a"\nsource = "disk"\ntarget = "backups"\n';

test("the example has no problems, also with all that it only mentions", async () => {
  const example = await exampleOfPlan();
  assert.deepEqual(await problemsOf(example), []);
  // What stands there as an example of its own excludes what stands above it.
  const all = example
    .split("\n")
    .map((line) => line.replace(/^# (?=[a-z_]+ = |\[\[)/, ""))
    .filter((line) => !/^(source = "serial|target = "sftp|unchecked|url = )/.test(line));
  const text = [...all, 'url = "https://example.org/backups"'].join("\n").replace(/^check = "all"/m, 'check = "boot"');
  assert.deepEqual(await problemsOf(text), []);
  const { jobs, mails, webHooks } = await readPlan(file);
  assert.deepEqual([jobs.length, mails.length, webHooks.length], [3, 1, 1]);
});

test("what a job does not say, the defaults say; paths are meant from the plan's folder", async () => {
  const defaults = '[defaults]\ntarget = "backups"\nkeep_daily = 7\nkeep_within = "1y2m"\nlevel = 5\n';
  fs.writeFileSync(file, `${defaults}[[job]]\nname = "a"\nsource = "disk"\n${job.replace('"a"', '"b"')}level = 9\n`);
  const { jobs } = await readPlan(file);
  assert.deepEqual(
    jobs.map(({ name, source, target, level, volumeBytes, check, keep }) => {
      return { name, source, target, level, volumeBytes, check, keep };
    }),
    [
      ["a", 5],
      ["b", 9],
    ].map(([name, level]) => ({
      name,
      source: { kind: "path", path: folder.join("disk") },
      target: folder.join("backups"),
      level,
      volumeBytes: 2_000_000_000,
      check: { kind: "all" },
      keep: { daily: 7, within: { years: 1, months: 2, days: 0, hours: 0 } },
    })),
  );
});

test("sources are found by path, by what /dev/disk/by-id calls them, and by serial number", async () => {
  const sourceOf = async (text: string): Promise<unknown> => {
    fs.writeFileSync(file, job.replace('"disk"', `"${text}"`));
    return (await readPlan(file)).jobs[0]?.source;
  };
  assert.deepEqual(await sourceOf("/dev/sdb"), { kind: "path", path: "/dev/sdb" });
  assert.deepEqual(await sourceOf("id:ata-X_1"), { kind: "path", path: "/dev/disk/by-id/ata-X_1" });
  assert.deepEqual(await sourceOf("serial:X 1"), { kind: "serial", serial: "X 1" });
});

test("how a snapshot is taken may be among the defaults, for those jobs that have one", async () => {
  const defaults = '[defaults]\nsnapshot_size = "5GiB"\n';
  fs.writeFileSync(file, `${defaults}${job}${job.replace('"a"', '"b"')}snapshot = true\n`);
  const { jobs } = await readPlan(file);
  assert.deepEqual(
    jobs.map(({ snapshot }) => snapshot),
    [undefined, { sizeBytes: 5 * 2 ** 30 }],
  );
});

const wrong: readonly (readonly [string, string, readonly string[]])[] = [
  ["no TOML", "[defaults\n", ["line 1: "]],
  ["nothing", "", ["it has no [[job]]"]],
  ["no source", '[[job]]\nname = "a"\ntarget = "t"\n', ["line 1: job.source: it is missing"]],
  ["an unknown key", `${job}keep_dayly = 7\n`, ["line 5: job.keep_dayly: there is no such key; here can be name, "]],
  ["an unknown key in defaults", `${job}\n[defaults]\nlevels = 3\n`, ["line 7: defaults.levels: there is no such key"]],
  [
    "an unknown table",
    `${job}\n[mails]\nto = "a"\n`,
    ["line 6: mails: there is no such key; here can be defaults, job,"],
  ],
  ["a name in the defaults", `[defaults]\nname = "x"\n${job}`, ["line 2: defaults.name: it belongs into a [[job]]"]],
  ["a wrong type", `${job}unchecked = "yes"\n`, ["line 5: job.unchecked: true or false is needed, without quotes"]],
  [
    "a wrong level",
    `${job}compress = "gzip"\nlevel = 12\n`,
    ["line 6: job.level: a whole number from 1 to 9 is needed"],
  ],
  [
    "a level of nothing",
    `${job}compress = "none"\nlevel = 1\n`,
    ['line 6: job.level: there is none with compress = "none"'],
  ],
  ["a wrong word", `${job}check = "some"\n`, ["line 5: job.check: it is one of none, all, boot"]],
  [
    "a snapshot of what stands still",
    `[defaults]\nfreeze = true\n${job}snapshot = true\n`,
    ["line 7: job.snapshot: with it, freeze has to be false"],
  ],
  ["a small volume", `${job}volume_size = "1kB"\n`, ["line 5: job.volume_size: 1MiB is the least"]],
  [
    "a wrong time",
    `${job}keep_within = "2 weeks"\n`,
    ['line 5: job.keep_within: cannot understand the time "2 weeks"'],
  ],
  ["a boot text without a boot", `${job}boot_text = "x"\n`, ['line 5: job.boot_text: it goes with check = "boot"']],
  ["two of one name", job + job, ["line 6: job.name: another job is called so too"]],
  [
    "a password in the target",
    job.replace("backups", "sftp://a:b@c/d"),
    ["line 4: job.target: there is a password in it"],
  ],
  [
    "a password in the server",
    `${job}[[mail]]\nto = "a@b"\nsmtp = "smtp://u:p@h"\n`,
    ["line 7: mail.smtp: the user goes into user, and the password into a file"],
  ],
  [
    "a user without password",
    `${job}[[mail]]\nto = "a@b"\nsmtp = "smtp://h"\nuser = "u"\n`,
    ["line 8: mail.user: password_file or password_env is needed too"],
  ],
  ["a web hook to nowhere", `${job}[[web_hook]]\non = "always"\n`, ["line 5: web_hook.url: one of url, url_file and"]],
  [
    "two secrets",
    `${job}[[web_hook]]\nurl_file = "a"\nurl_env = "A"\n`,
    ["line 7: web_hook.url_env: there is url_file"],
  ],
  [
    "several",
    `${job}level = 99\nsauce = 1\n`,
    ["line 5: job.level: a whole number", "line 6: job.sauce: there is no such key"],
  ],
];

for (const [name, text, expected] of wrong) {
  test(`${name}: the line, the key, and what is needed`, async () => {
    const problems = await problemsOf(text);
    assert.deepEqual(
      problems.map((problem, n) => problem.slice(0, expected[n]?.length)),
      expected,
      problems.join("\n"),
    );
    await assert.rejects(readPlan(file), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.code, "usage");
      assert.ok(error.message.startsWith(`cannot use the plan "${file}": ${problems[0]}`), error.message);
      return true;
    });
  });
}
