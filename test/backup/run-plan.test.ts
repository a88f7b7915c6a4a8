/** Plans that are run: what is there afterwards, what is not, and who was told. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { checkBackup, failureOf, runPlan } from "../../src/backup/index.ts";
import { postWebHook } from "../../src/backup/plan/post-web-hook.ts";
import { Failure, type Progress } from "../../src/base/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { httpSink, smtpSink } from "./sinks.ts";
import { sampleDisk } from "./sample-disk.ts";
import { smallDisk } from "./small-disk.ts";

const folder = temporaryFolder();
let disk = "";

before(async () => {
  disk = await smallDisk(folder, "disk");
});

after(() => folder[Symbol.asyncDispose]());

interface Place extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  /** Runs a plan with these lines, at a local time. */
  run(lines: readonly string[], at?: string, more?: RunMore): ReturnType<typeof runPlan>;
  readonly backups: () => readonly string[];
}

interface RunMore {
  readonly jobs?: readonly string[];
  readonly isDryRun?: boolean;
  readonly unlessWithinMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  readonly env?: NodeJS.ProcessEnv;
}

function place(): Place {
  const inside = temporaryFolder();
  const home = inside.join("backups");
  fs.mkdirSync(home);
  const env = { ...process.env, XDG_STATE_HOME: inside.join("state") };
  return {
    folder: inside,
    backups: () => fs.readdirSync(home).toSorted(),
    run(
      lines,
      at = "2026-11-30T12:05:00",
      { signal, onProgress, jobs = [], isDryRun = false, unlessWithinMs, env: moreEnv = {} } = {},
    ) {
      const plan = inside.join("plan.toml");
      fs.writeFileSync(plan, ["[defaults]", 'target = "backups"', ...lines].join("\n"));
      const options = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
      const clock = (): number => new Date(at).getTime();
      const early = unlessWithinMs === undefined ? {} : { unlessWithinMs };
      return runPlan({ plan, jobs, isDryRun, ...early, env: { ...env, ...moreEnv }, clock }, options);
    },
    [Symbol.asyncDispose]: () => inside[Symbol.asyncDispose](),
  };
}

const job = (name = "laptop"): string[] => ["[[job]]", `name = "${name}"`, `source = "${disk}"`];

test("a run saves, checks, and deletes what is too old; other folders stay", async () => {
  await using here = place();
  const lines = ["keep_last = 2", ...job()];
  fs.mkdirSync(here.folder.join("backups", "2020-01-01-0000-laptop"));
  for (const day of [26, 27, 28]) {
    const summary = await here.run(lines, `2026-11-${day}T03:00:00`);
    assert.equal(summary.status, "ok");
    const [done] = summary.jobs;
    assert.deepEqual(done?.checked, ["checksums", "file systems"]);
    assert.deepEqual(done?.warnings, []);
    assert.deepEqual(done?.forgotten, day === 28 ? ["2026-11-26-0300-laptop"] : []);
  }
  assert.deepEqual(here.backups(), ["2020-01-01-0000-laptop", "2026-11-27-0300-laptop", "2026-11-28-0300-laptop"]);
});

test("a job with a snapshot is saved from one, or not at all", async () => {
  await using here = place();
  const { jobs } = await here.run([...job(), "snapshot = true"]);
  assert.deepEqual(
    jobs.map(({ status, error }) => [status, error?.message]),
    [["failed", `cannot take a snapshot of "${disk}": it is no logical volume of LVM`]],
  );
  assert.deepEqual(here.backups(), []);
});

test("jobs are told apart: the rules of one do not touch another's backups", async () => {
  await using here = place();
  await here.run([...job("one"), ...job("two")], "2026-11-01T03:00:00");
  const summary = await here.run(["keep_last = 1", ...job("one"), ...job("two")], "2026-11-02T03:00:00", {
    jobs: ["two"],
  });
  assert.deepEqual(
    summary.jobs.map(({ forgotten }) => forgotten),
    [["2026-11-01-0300-two"]],
  );
  assert.deepEqual(here.backups(), ["2026-11-01-0300-one", "2026-11-02-0300-two"]);
  await assert.rejects(here.run(job("one"), undefined, { jobs: ["three"] }), /cannot find the job "three"/);
});

test("backups of the same name that another machine or a person has made are not a job's to delete", async () => {
  await using here = place();
  await here.run(job(), "2026-11-01T03:00:00");
  const of = (name: string): string => here.folder.join("backups", name);
  const note = "Info-saved-by-cmd.txt";
  const command = fs.readFileSync(`${of("2026-11-01-0300-laptop")}/${note}`, "utf8");
  for (const [day, other] of [
    ["02", command.replace(/# on .*/, "# on elsewhere")],
    ["03", "holdfast backup save /dev/sda backups\n"],
  ] as const) {
    fs.cpSync(of("2026-11-01-0300-laptop"), of(`2026-11-${day}-0300-laptop`), { recursive: true });
    fs.writeFileSync(`${of(`2026-11-${day}-0300-laptop`)}/${note}`, other);
  }
  const { jobs } = await here.run(["keep_last = 1", ...job()]);
  assert.deepEqual(jobs[0]?.forgotten, ["2026-11-01-0300-laptop"]);
});

/** A run that is cut off while it saves a disk of some partitions; gives the plan. */
async function cutOff(here: Place): Promise<{ readonly lines: readonly string[]; readonly large: string }> {
  const large = await sampleDisk(here.folder, "mbr");
  const lines = ["[[job]]", 'name = "laptop"', `source = "${large}"`, 'check = "none"'];
  const abort = new AbortController();
  const onProgress = ({ phase }: Progress): void => {
    if (phase === "saving sda2") abort.abort();
  };
  const first = await here.run(lines, "2026-11-01T03:00:00", { signal: abort.signal, onProgress });
  assert.equal(first.status, "interrupted");
  assert.deepEqual(here.backups(), ["2026-11-01-0300-laptop.part"]);
  fs.mkdirSync(here.folder.join("backups", "2026-11-01-0400-laptop.part")); // somebody else's
  return { lines, large };
}

test("a run that was cut off is gone on with by the next one", async () => {
  await using here = place();
  const { lines } = await cutOff(here);
  const phases = new Set<string>();
  const onProgress = ({ phase }: Progress): void => void phases.add(phase);
  const { status, jobs } = await here.run(lines, undefined, { onProgress });
  assert.equal(status, "ok");
  assert.equal(path.basename(jobs[0]?.backup ?? ""), "2026-11-01-0300-laptop");
  assert.ok(phases.has("comparing sda1") && !phases.has("saving sda1"), [...phases].join());
  assert.deepEqual(here.backups(), ["2026-11-01-0300-laptop", "2026-11-01-0400-laptop.part"]);
  await here.run(lines, "2026-12-01T12:05:00");
  assert.equal(here.backups().at(-1), "2026-12-01-1205-laptop");
});

test("what cannot be gone on with any more is removed, and nothing else", async () => {
  const begunAnew = ["2026-11-01-0400-laptop.part", "2026-11-30-1205-laptop"];
  await using here = place();
  const { lines, large } = await cutOff(here);
  const fd = fs.openSync(large, "r+");
  fs.writeSync(fd, "another disk", 440); // in the table
  fs.closeSync(fd);
  assert.equal((await here.run(lines)).status, "ok");
  assert.deepEqual(here.backups(), begunAnew);
  await using there = place();
  const { lines: others } = await cutOff(there);
  assert.equal((await there.run([...others, 'compress = "gzip"'])).status, "ok");
  assert.deepEqual(there.backups(), begunAnew);
});

test("what again and again cannot be finished is begun anew", async () => {
  await using here = place();
  const { lines } = await cutOff(here);
  const fail = ({ phase }: Progress): void => {
    if (phase.startsWith("comparing")) throw new Failure("failed", "as it happens");
  };
  for (let n = 0; n < 10; n++) {
    const { jobs } = await here.run(lines, undefined, { onProgress: fail });
    assert.match(jobs[0]?.error?.message ?? "", /as it happens$/);
    assert.match(jobs[0]?.error?.hint ?? "", /laptop\.part" has what is finished: the next run goes on$/);
  }
  assert.equal((await here.run(lines, undefined, { onProgress: fail })).status, "ok");
  assert.deepEqual(here.backups(), ["2026-11-01-0400-laptop.part", "2026-11-30-1205-laptop"]);
});

test("a job that fails does not keep the next from running, and nothing of it is deleted", async () => {
  await using here = place();
  await here.run(job("broken"), "2026-11-01T03:00:00");
  const broken = here.folder.join("broken");
  const bytes = fs.readFileSync(disk);
  bytes.fill(0xaa, 2 ** 20 + 2048, 2 ** 20 + 3072); // the group descriptors
  fs.writeFileSync(broken, bytes);
  const lines = ["keep_last = 1", "[[job]]", 'name = "broken"', 'source = "broken"', ...job("sound")];
  const summary = await here.run(lines);
  assert.deepEqual(
    summary.jobs.map(({ status }) => status),
    ["failed", "saved"],
  );
  assert.equal(summary.status, "failed");
  assert.equal(failureOf(summary), summary.jobs[0]?.error?.code);
  assert.match(summary.jobs[0]?.error?.message ?? "", /^cannot save sda/);
  assert.deepEqual(here.backups(), ["2026-11-01-0300-broken", "2026-11-30-1205-sound"]);
});

test("a backup that does not pass its check counts for nothing: older ones stay, now and later", async () => {
  await using here = place();
  const lines = ["keep_last = 1", ...job()];
  await here.run(lines, "2026-11-01T03:00:00");
  const saved = here.folder.join("backups", "2026-11-02-0300-laptop");
  let isDamaged = false;
  const onProgress = ({ phase }: Progress): void => {
    if (phase !== "comparing checksums" || isDamaged) return;
    isDamaged = true;
    fs.appendFileSync(`${saved}/sda-mbr`, "x");
  };
  const summary = await here.run(lines, "2026-11-02T03:00:00", { onProgress });
  assert.equal(summary.jobs[0]?.status, "failed");
  assert.equal(summary.jobs[0]?.error?.code, "damaged");
  assert.match(summary.jobs[0]?.error?.message ?? "", /^cannot vouch for ".*": sda-mbr: its checksum/);
  assert.deepEqual(here.backups(), ["2026-11-01-0300-laptop", "2026-11-02-0300-laptop"]);
  const next = await here.run(lines, "2026-11-03T03:00:00");
  assert.deepEqual(next.jobs[0]?.forgotten, ["2026-11-01-0300-laptop"]);
  assert.match(next.jobs[0]?.warnings[0] ?? "", /2026-11-02-0300-laptop.*it did not pass its check/);
});

test("commands before and after: what fails before keeps from saving, what is after runs in any case", async () => {
  await using here = place();
  const log = here.folder.join("log");
  const told = (word: string): string =>
    `echo ${word} $HOLDFAST_JOB $HOLDFAST_STATUS \${HOLDFAST_BACKUP##*/} >> ${log}`;
  const hooks = [`before = ["${told("before")}"]`, `after = "${told("after")}"`];
  assert.equal((await here.run([...job(), ...hooks])).status, "ok");
  assert.equal(fs.readFileSync(log, "utf8"), "before laptop saving\nafter laptop saved 2026-11-30-1205-laptop\n");
  fs.rmSync(log);
  const lines = [...job(), 'before = "echo the disk is hot >&2; exit 7"', `after = "${told("after")}"`];
  const failed = await here.run(lines, "2026-12-01T00:00:00");
  assert.equal(failed.jobs[0]?.status, "failed");
  assert.match(failed.jobs[0]?.error?.message ?? "", /^cannot go on after "echo .*": it ended with 7$/);
  assert.equal(failed.jobs[0]?.error?.hint, "the disk is hot");
  assert.equal(fs.readFileSync(log, "utf8"), "after laptop failed\n");
  const late = await here.run([...job(), 'after = "exit 1"'], "2026-12-02T00:00:00");
  assert.equal(late.jobs[0]?.status, "failed");
  assert.ok(late.jobs[0]?.backup?.endsWith("2026-12-02-0000-laptop"));
  assert.deepEqual(here.backups(), ["2026-11-30-1205-laptop", "2026-12-02-0000-laptop"]);
});

test(
  "a command that takes too long is ended with all that it has started",
  { skip: process.platform !== "linux" },
  async () => {
    await using here = place();
    const pid = here.folder.join("pid");
    const lines = [...job(), `before = "sleep 1000 & echo $! > ${pid}; wait"`, 'hook_limit = "1s"'];
    const summary = await here.run(lines);
    assert.match(summary.jobs[0]?.error?.message ?? "", /it took longer than 1 s$/);
    const state = (): string | undefined => {
      const file = `/proc/${fs.readFileSync(pid, "utf8").trim()}/stat`;
      return fs.existsSync(file) ? fs.readFileSync(file, "utf8").split(" ")[2] : undefined;
    };
    while (!["Z", undefined].includes(state())) await new Promise((resolve) => setTimeout(resolve, 5));
  },
);

test("a job whose condition does not hold is left out, and that is no failure", async () => {
  await using here = place();
  const summary = await here.run([...job(), 'only_if = "false"', ...job("other"), 'only_if = "true"']);
  assert.deepEqual(
    summary.jobs.map(({ status }) => status),
    ["skipped", "saved"],
  );
  assert.equal(failureOf(summary), undefined);
});

test("a target that is not there is not made: a failure, or skipped where the plan says so", async () => {
  await using here = place();
  const missing = `target = "${here.folder.join("usb")}"`;
  const failed = await here.run([...job(), missing]);
  assert.equal(failed.jobs[0]?.status, "failed");
  assert.match(failed.jobs[0]?.error?.message ?? "", /usb": it is not there/);
  const skipped = await here.run([...job(), missing, 'target_missing = "skip"']);
  assert.deepEqual([skipped.jobs[0]?.status, failureOf(skipped)], ["no-target", undefined]);
  assert.equal(fs.existsSync(here.folder.join("usb")), false);
  const mount = `target_mount = "${here.folder.join("backups")}"`;
  const unmounted = await here.run([...job(), mount]);
  assert.match(unmounted.jobs[0]?.error?.message ?? "", /nothing is mounted there/);
  assert.deepEqual(here.backups(), []);
  if (process.platform !== "linux") return;
  assert.equal((await here.run([...job(), 'target_mount = "/proc"'])).status, "ok");
});

test("a dry run says what would be, and does nothing", async () => {
  await using here = place();
  await here.run(job(), "2026-11-01T03:00:00");
  const lines = ["keep_last = 1", ...job(), 'before = "exit 1"'];
  const summary = await here.run(lines, undefined, { isDryRun: true });
  const [planned] = summary.jobs;
  assert.equal(planned?.status, "planned");
  assert.ok(planned?.backup?.endsWith("/backups/2026-11-30-1205-laptop"));
  assert.deepEqual(planned?.forgotten, ["2026-11-01-0300-laptop"]);
  assert.deepEqual(here.backups(), ["2026-11-01-0300-laptop"]);
});

test("an interrupted run says so, runs what is after, and does not begin the next job", async () => {
  await using here = place();
  const abort = new AbortController();
  const log = here.folder.join("log");
  const begun = here.folder.join("begun");
  const lines = [
    ...job(),
    `before = "touch ${begun}; sleep 1000"`,
    `after = "echo $HOLDFAST_STATUS > ${log}"`,
    ...job("b"),
  ];
  const running = here.run(lines, undefined, { signal: abort.signal });
  while (!fs.existsSync(begun)) await new Promise((resolve) => setTimeout(resolve, 5));
  abort.abort();
  const summary = await running;
  assert.deepEqual(
    summary.jobs.map(({ status }) => status),
    ["interrupted", "interrupted"],
  );
  assert.equal(failureOf(summary), "interrupted");
  assert.equal(fs.readFileSync(log, "utf8"), "interrupted\n");
  assert.deepEqual(here.backups(), []);
});

test("two runs of one plan never overlap", { skip: process.platform !== "linux" }, async () => {
  await using here = place();
  const go = here.folder.join("go");
  const begun = here.folder.join("begun");
  const lines = [...job(), `before = "touch ${begun}; until [ -e ${go} ]; do sleep 0.01; done"`];
  const first = here.run(lines);
  while (!fs.existsSync(begun)) await new Promise((resolve) => setTimeout(resolve, 5));
  await assert.rejects(here.run(lines), (error) => error instanceof Failure && error.code === "refused");
  assert.deepEqual((await here.run(lines, undefined, { unlessWithinMs: 1 })).jobs, [], "one that goes on is as good");
  fs.writeFileSync(go, "");
  assert.equal((await first).status, "ok");
  const hourMs = 3_600_000;
  const later = (hours: number) => here.run(lines, `2026-11-30T${12 + hours}:05:00`, { unlessWithinMs: 2 * hourMs });
  assert.deepEqual((await later(1)).jobs, []);
  assert.equal((await later(2)).jobs[0]?.status, "saved");
});

test("mail and web hooks tell of every run, or only of those that fail", async () => {
  await using here = place();
  await using mail = await smtpSink();
  await using web = await httpSink();
  fs.writeFileSync(here.folder.join("password"), "open sesame\nsecond line\n");
  const notices = [
    "[[mail]]",
    'to = ["anna@example.org", "otto@example.org"]',
    'from = "backup@example.org"',
    `smtp = "smtp://127.0.0.1:${mail.port}"`,
    'user = "backup"',
    'password_file = "password"',
    "[[web_hook]]",
    'on = "always"',
    `url = "http://127.0.0.1:${web.port}/run"`,
    'token_env = "HOOK_TOKEN"',
  ];
  const env = { HOOK_TOKEN: "abc" };
  const plan = (lines: readonly string[]): string[] => [...lines, ...notices];
  const good = await here.run(plan(job()), undefined, { env });
  assert.deepEqual(good.untold, []);
  assert.equal(mail.taken.length, 0);
  assert.deepEqual(JSON.parse(web.taken[0]?.body ?? ""), { ...good });
  assert.equal(web.taken[0]?.headers.authorization, "Bearer abc");
  const bad = await here.run(plan([...job(), 'before = "false"']), "2026-12-01T00:00:00", { env });
  assert.equal(bad.status, "failed");
  const [letter] = mail.taken;
  assert.deepEqual(letter?.to, ["anna@example.org", "otto@example.org"]);
  assert.equal(letter?.login, "backup open sesame");
  assert.match(letter?.data ?? "", /^Subject: Backup of .*: 1 failed$/m);
  assert.match(letter?.data ?? "", /^laptop: failed$[^]*error: cannot go on after "false": it ended with 1$/m);
  assert.equal(web.taken.length, 2);
});

test("whoever cannot be told makes the run a failure, and the backup stays", async () => {
  await using here = place();
  const notices = ["[[mail]]", 'on = "always"', 'to = "a@b"', 'smtp = "smtp://127.0.0.1:1"'];
  const summary = await here.run([...job(), ...notices]);
  assert.equal(summary.status, "ok");
  assert.match(summary.untold[0] ?? "", /^cannot send mail to a@b: /);
  assert.equal(failureOf(summary), "failed");
  assert.deepEqual(here.backups(), ["2026-11-30-1205-laptop"]);
});

test("without a server, the system's sendmail gets the message", async () => {
  await using here = place();
  const program = here.folder.join("sendmail");
  fs.writeFileSync(program, `#!/bin/sh\necho "$@" > ${program}.args\ncat > ${program}.data\n`, { mode: 0o755 });
  const notices = ["[[mail]]", 'on = "always"', 'to = "anna@example.org"', 'from = "me@example.org"'];
  const env = { PATH: `${here.folder.path}:${process.env["PATH"] ?? ""}` };
  const summary = await here.run([...job(), ...notices], undefined, { env });
  assert.deepEqual(summary.untold, []);
  assert.equal(fs.readFileSync(`${program}.args`, "utf8"), "-i -f me@example.org -- anna@example.org\n");
  assert.match(fs.readFileSync(`${program}.data`, "utf8"), /^To: anna@example\.org$[^]*^laptop: saved /m);
});

test("a web hook is tried again while that may help, and its secret address is told to nobody", async () => {
  const options = { env: {}, pausesMs: [1, 1] };
  await using busy = await httpSink(503, 429);
  await postWebHook({ of: "always", url: `http://127.0.0.1:${busy.port}` }, { a: 1 }, options);
  assert.deepEqual(
    busy.taken.map(({ body }) => body),
    ['{"a":1}', '{"a":1}', '{"a":1}'],
  );
  await using refusing = await httpSink(403);
  const env = { ADDRESS: `http://127.0.0.1:${refusing.port}/secret` };
  const told = postWebHook({ of: "always", url: { variable: "ADDRESS" } }, {}, { ...options, env });
  await assert.rejects(told, (error) => {
    assert.match(String(error), /cannot tell http:\/\/127\.0\.0\.1:\d+ of the run: it answered with status 403$/);
    return true;
  });
  assert.equal(refusing.taken.length, 1);
});

test("a log gets a line for each job of each run", async () => {
  await using here = place();
  const plan = (lines: readonly string[]): string[] => [...lines, "[[job]]", 'name = "b"', 'source = "nowhere"'];
  const file = here.folder.join("plan.toml");
  await here.run(plan(job()));
  fs.writeFileSync(file, `log = "runs.log"\n${fs.readFileSync(file, "utf8")}`);
  const env = { ...process.env, XDG_STATE_HOME: here.folder.join("state") };
  await runPlan({ plan: file, jobs: [], isDryRun: false, env, clock: () => Date.UTC(2026, 11, 1, 12) });
  const lines = fs.readFileSync(here.folder.join("runs.log"), "utf8").split("\n");
  assert.match(lines[0] ?? "", /^2026-12-01T12:00:00\.000Z laptop: saved /);
  assert.match(lines[1] ?? "", /^2026-12-01T12:00:00\.000Z b: failed: cannot find ".*nowhere": it is not there$/);
});

test("a backup that is being read is not deleted", { skip: process.platform !== "linux" }, async () => {
  await using here = place();
  await here.run(job(), "2026-11-01T03:00:00");
  const backup = here.folder.join("backups", "2026-11-01-0300-laptop");
  let summary: Awaited<ReturnType<typeof runPlan>> | undefined;
  fs.writeFileSync(`${backup}/extra`, "");
  await checkBackup(backup, {
    env: process.env,
    // It waits here for the other run.
    onProblem: async () => void (summary ??= await here.run(["keep_last = 1", ...job()])),
  });
  assert.deepEqual(summary?.jobs[0]?.forgotten, []);
  assert.match(summary?.jobs[0]?.warnings[0] ?? "", /is not deleted: it is being read/);
  assert.deepEqual(here.backups(), ["2026-11-01-0300-laptop", "2026-11-30-1205-laptop"]);
});
