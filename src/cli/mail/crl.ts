import * as path from "node:path";
import { loadBundle, openAuthority, renewRevocationList, renewRevocationListIfDue } from "../../mail/pki/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { folderOption, pathsOf } from "./mail-folder.ts";

/** `holdfast mail crl show` */
export const crlShow = defineCommand({
  words: ["mail", "crl", "show"],
  summary: "show revocation lists: of which authority, until when, and what is revoked",
  operands: {
    file: {
      arity: "any-number",
      help: "files with authorities and lists in PEM or DER; else those of the own authority",
    },
  },
  options: { folder: folderOption, json: jsonOption },
  examples: [
    { line: "holdfast mail crl show", help: "the own ones" },
    { line: "holdfast mail crl show ca.pem ca.crl", help: "somebody else's: the list's signature is checked" },
  ],
  async run(context, args) {
    const { pki } = pathsOf(context, args.folder);
    if (args.file.length === 0) openAuthority(pki);
    const { authorities } = loadBundle(pki, { others: args.file, own: args.file.length === 0 });
    const lists = authorities.flatMap(({ list }) => list ?? []);
    const shown = lists.map(({ issuer, number, thisUpdate, nextUpdate, revoked }) => ({
      issuer: [issuer.subjectName.organization, issuer.subjectName.commonName].filter(Boolean).join(", "),
      ...(number === undefined ? {} : { number: String(number) }),
      madeAt: thisUpdate.toISOString(),
      endsAt: nextUpdate.toISOString(),
      revoked: [...revoked],
    }));
    if (args.json) return printJson(context, { lists: shown });
    await printLines(
      context,
      shown.flatMap(({ issuer, number, madeAt, endsAt, revoked }) => [
        `${issuer}: ${number === undefined ? "" : `number ${number}, `}made ${madeAt}, until ${endsAt}, ${revoked.length} revoked`,
        ...revoked.map((serial) => `  ${serial}`),
      ]),
    );
  },
});

/** `holdfast mail crl renew` */
export const crlRenew = defineCommand({
  words: ["mail", "crl", "renew"],
  summary: "make the revocation list anew, for another three months; the server does so by itself",
  description: `No passphrase is needed. For machines where no "holdfast mail serve" runs, such as with Dovecot: have it run once a month, and Dovecot reload afterwards.`,
  operands: {},
  options: {
    "if-due": { kind: "flag", help: "only where a third of its time has gone, or it does not tell of a revocation" },
    folder: folderOption,
  },
  examples: [{ line: "sudo holdfast mail crl renew --if-due", help: "for a timer" }],
  async run(context, args) {
    const { pki } = pathsOf(context, args.folder);
    const now = new Date();
    let isRenewed = true;
    if (args.ifDue) isRenewed = await renewRevocationListIfDue(pki, now);
    else await renewRevocationList(pki, now);
    await printLines(context, [`${path.join(pki, "bundle.pem")}: ${isRenewed ? "renewed" : "not due yet"}`]);
  },
});
