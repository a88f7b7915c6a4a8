import { createHash } from "node:crypto";
import { domainOf, type MailAccount } from "./mail-account.ts";
import { xmlText } from "./xml-text.ts";

export interface MobileConfigRequest {
  readonly account: MailAccount;
  readonly device: string;
  /** Of the user's certificate: what the profile's identifiers are made of, so that a new one replaces the old. */
  readonly serial: string;
  /** In DER. */
  readonly root: Uint8Array;
  readonly pkcs12: Uint8Array;
}

type PlistValue =
  | string
  | number
  | boolean
  | Uint8Array
  | readonly PlistValue[]
  | { readonly [key: string]: PlistValue };

/**
 * A profile for Apple's systems: the root, the identity and the account in one file. The passphrase of the identity is
 * not in it; the device asks for it when the profile is installed.
 */
export function mobileConfig(request: MobileConfigRequest): string {
  const { account, device, serial, root, pkcs12 } = request;
  const name = `Mail of ${account.mailbox}`;
  const identifier = [
    ...domainOf(account.mailbox).split(".").toReversed(),
    "holdfast",
    account.mailbox.split("@")[0],
    device,
  ].join(".");
  const payload = (kind: string, type: string, content: { readonly [key: string]: PlistValue }): PlistValue => ({
    PayloadType: type,
    PayloadVersion: 1,
    PayloadIdentifier: `${identifier}.${kind}`,
    PayloadUUID: uuidOf(`${serial} ${kind}`),
    ...content,
  });
  const profile: PlistValue = {
    PayloadType: "Configuration",
    PayloadVersion: 1,
    PayloadIdentifier: identifier,
    PayloadUUID: uuidOf(serial),
    PayloadDisplayName: name,
    PayloadDescription: `The account ${account.mailbox}, and the certificate that opens it from this device.`,
    PayloadOrganization: domainOf(account.mailbox),
    PayloadContent: [
      payload("root", "com.apple.security.root", {
        PayloadDisplayName: `Mail root of ${domainOf(account.mailbox)}`,
        PayloadCertificateFileName: "root.cer",
        PayloadContent: root,
      }),
      payload("identity", "com.apple.security.pkcs12", {
        PayloadDisplayName: `${account.mailbox} (${device})`,
        PayloadCertificateFileName: `${device}.p12`,
        PayloadContent: pkcs12,
      }),
      payload("account", "com.apple.mail.managed", { PayloadDisplayName: name, ...accountOf(account) }),
    ],
  };
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${plist(profile)}
</plist>
`;
}

function accountOf(account: MailAccount): { readonly [key: string]: PlistValue } {
  const { mailbox, host, imapsPort, smtpHost, smtpPort, isCertificateAlone } = account;
  return {
    EmailAccountType: "EmailTypeIMAP",
    EmailAccountDescription: mailbox,
    EmailAddress: mailbox,
    IncomingMailServerHostName: host,
    IncomingMailServerPortNumber: imapsPort,
    IncomingMailServerUseSSL: true,
    IncomingMailServerAuthentication: isCertificateAlone ? "EmailAuthNone" : "EmailAuthPassword",
    IncomingMailServerUsername: mailbox,
    OutgoingMailServerHostName: smtpHost,
    OutgoingMailServerPortNumber: smtpPort,
    OutgoingMailServerUseSSL: true,
    OutgoingMailServerAuthentication: "EmailAuthPassword",
    OutgoingMailServerUsername: mailbox,
    OutgoingPasswordSameAsIncomingPassword: !isCertificateAlone,
  };
}

/** Always the same for the same text (as RFC 9562 §5.8 has them). */
function uuidOf(text: string): string {
  const bytes = createHash("sha256").update(`holdfast mail profile ${text}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const digits = bytes.toString("hex").toUpperCase();
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function plist(value: PlistValue, indent = ""): string {
  if (typeof value === "string") return `${indent}<string>${xmlText(value)}</string>`;
  if (typeof value === "number") return `${indent}<integer>${value}</integer>`;
  if (typeof value === "boolean") return `${indent}<${value}/>`;
  if (value instanceof Uint8Array) {
    const lines =
      Buffer.from(value)
        .toString("base64")
        .match(/.{1,68}/g) ?? [];
    return [`${indent}<data>`, ...lines.map((line) => indent + line), `${indent}</data>`].join("\n");
  }
  const inside = `${indent}  `;
  if (isList(value))
    return [`${indent}<array>`, ...value.map((item) => plist(item, inside)), `${indent}</array>`].join("\n");
  const entries = Object.entries(value).flatMap(([key, item]) => [
    `${inside}<key>${xmlText(key)}</key>`,
    plist(item, inside),
  ]);
  return [`${indent}<dict>`, ...entries, `${indent}</dict>`].join("\n");
}

function isList(value: PlistValue): value is readonly PlistValue[] {
  return Array.isArray(value);
}
