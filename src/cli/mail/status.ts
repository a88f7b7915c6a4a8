import { Failure } from "../../base/index.ts";
import { dateOf, expiriesOf, openAuthority, prometheusText, type Expiry } from "../../mail/pki/index.ts";
import { readMailSettings } from "../../mail/settings/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { layOutTable } from "../table.ts";
import { folderOption, pathsOf } from "./mail-folder.ts";

/** `holdfast mail status` */
export const status = defineCommand({
  words: ["mail", "status"],
  summary: "show when certificates and revocation lists end; the exit status is for monitoring",
  description: `Exit status 0: nothing ends soon. 1: something ends within the days given, a warning. 3: something has ended, or a revocation is in no list yet; it wants to be looked at now. The server renews its certificate and the revocation list two months before they end, so one of these in a warning means that it does not run, or may not write. A user's certificate is renewed by "holdfast mail cert issue --replace"; one that ended a month ago is shown no more.`,
  operands: {},
  options: {
    "warn-days": { kind: "number", value: "N", minimum: 0, maximum: 3650, default: 30, help: "how early to warn" },
    at: { kind: "string", value: "TIME", parse: parseTime, help: "as if it were then, such as 2027-03-01" },
    prometheus: { kind: "flag", help: "print Prometheus' text format; the exit status is 0" },
    folder: folderOption,
    json: jsonOption,
  },
  examples: [
    { line: "holdfast mail status", help: "is anything to be done?" },
    {
      line: "holdfast mail status --prometheus > /var/lib/prometheus/node-exporter/holdfast.prom",
      help: "for the node exporter",
    },
  ],
  async run(context, args) {
    const paths = pathsOf(context, args.folder);
    openAuthority(paths.pki);
    const { serverCertificate, otherAuthorities } = await readMailSettings(paths.folder);
    const expiries = expiriesOf(paths.pki, {
      now: args.at ?? new Date(),
      warnDays: args.warnDays,
      others: otherAuthorities,
      ...(serverCertificate === undefined ? {} : { serverCertificateFile: serverCertificate.certificate }),
    });
    if (args.prometheus) return context.stdout.write(prometheusText(expiries));
    if (args.json) await printJson(context, { expiries: expiries.map(documentOf) });
    else await printLines(context, tableOf(expiries));
    const ended = expiries.filter(({ state }) => state === "ended" || state === "overdue");
    const soon = expiries.filter(({ state }) => state === "soon");
    const [first] = [...ended, ...soon];
    if (first === undefined) return;
    const count = ended.length + soon.length;
    const more = count === 1 ? "" : ` (and ${count - 1} more)`;
    throw new Failure(
      ended.length > 0 ? "damaged" : "failed",
      `cannot call "${paths.pki}" fine: ${sentenceOf(first)}${more}`,
    );
  },
});

function parseTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new Failure("usage", `cannot understand the time "${text}"`, {
    hint: "such as 2027-03-01, or 2027-03-01T12:00Z",
  });
}

function sentenceOf({ kind, name, endsAt, state }: Expiry): string {
  if (state === "overdue") return `${kind} ${name}`;
  if (endsAt === undefined) return `the ${kind} of ${name} is missing`;
  return `${kind} ${name} ${state === "ended" ? "ended" : "ends"} on ${dateOf(endsAt)}`;
}

function documentOf({ kind, name, serial, endsAt, leftDays, state }: Expiry) {
  const days = Math.floor(leftDays);
  return {
    kind,
    name,
    serial,
    ...(endsAt === undefined ? {} : { endsAt: endsAt.toISOString() }),
    leftDays: days,
    state,
  };
}

function tableOf(expiries: readonly Expiry[]): string[] {
  return layOutTable(
    [
      { heading: "what", text: ({ kind }) => kind },
      { heading: "of", text: ({ name }) => name },
      { heading: "until", text: ({ endsAt }) => (endsAt === undefined ? "missing" : dateOf(endsAt)) },
      { heading: "days", align: "right", text: ({ leftDays }) => String(Math.floor(leftDays)) },
      { heading: "state", text: ({ state }) => state },
    ],
    expiries,
  );
}
