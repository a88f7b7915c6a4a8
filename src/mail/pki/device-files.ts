import type { KeyObject } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, systemReason } from "../../base/index.ts";
import { makeFolder, publicMode, replaceFile, secretMode } from "../own-files.ts";
import { chainPem, rootPem, type Authority } from "./authority.ts";
import { autoconfigXml } from "./autoconfig.ts";
import { deviceFileName } from "./configurations.ts";
import type { MailAccount } from "./mail-account.ts";
import { mobileConfig } from "./mobile-config.ts";
import { encodePem } from "./pem.ts";
import { encodePkcs12, type Pkcs12Mode } from "./pkcs12.ts";
import type { IssuedCertificate } from "./register.ts";

/** Forms in which a device gets what it needs. */
export const deviceFormats = ["p12", "mobileconfig", "pem", "autoconfig"] as const;
export type DeviceFormat = (typeof deviceFormats)[number];

export interface DeviceRequest {
  readonly issued: IssuedCertificate;
  /** Absent where the device has made it: then there are files without a key only. */
  readonly privateKey?: KeyObject;
  readonly account: MailAccount;
  readonly passphrase: string;
  /** Of the p12 file; a mobileconfig always has the one that every iPhone reads. */
  readonly mode: Pkcs12Mode;
}

interface DeviceFile {
  readonly name: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
}

/** A folder for a device's files, none of which is there yet. Made before the certificate is issued, so that its key has a place to go. */
export function prepareDeviceFolder(
  folder: string,
  {
    mailbox,
    device,
    formats,
  }: { readonly mailbox: string; readonly device: string; readonly formats: readonly DeviceFormat[] },
): void {
  try {
    makeFolder(folder);
    fs.accessSync(folder, fs.constants.W_OK);
  } catch (error) {
    throw new Failure("failed", `cannot write to "${folder}": ${systemReason(error)}`, { cause: error });
  }
  for (const format of formats) {
    for (const name of fileNames(deviceFileName(mailbox, device), format)) {
      if (!fs.existsSync(path.join(folder, name))) continue;
      throw new Failure("exists", `cannot write "${path.join(folder, name)}": it is there already`, {
        hint: "choose another folder with --out, or remove it",
      });
    }
  }
}

function fileNames(name: string, format: DeviceFormat): readonly string[] {
  if (format === "autoconfig") return []; // the same for everyone: may be replaced
  return format === "pem" ? [`${name}.pem`, `${name}.key`] : [`${name}.${format}`];
}

/** Writes what a device needs, and gives the files' paths. */
export async function writeDeviceFiles(
  folder: string,
  authority: Authority,
  request: DeviceRequest & { readonly formats: readonly DeviceFormat[] },
): Promise<readonly string[]> {
  const files: DeviceFile[] = [{ name: "root.pem", content: rootPem(authority), mode: publicMode }];
  for (const format of request.formats) files.push(...(await filesFor[format](authority, request)));
  const paths: string[] = [];
  for (const { name, content, mode } of files) {
    const file = path.join(folder, name);
    await replaceFile(file, content, mode);
    paths.push(file);
  }
  return paths;
}

type MakeFiles = (authority: Authority, request: DeviceRequest) => Promise<readonly DeviceFile[]>;

const filesFor: Readonly<Record<DeviceFormat, MakeFiles>> = {
  p12: async (authority, request) => {
    const content = await pkcs12Of(authority, request, request.mode);
    return [{ name: `${nameOf(request)}.p12`, content, mode: secretMode }];
  },
  mobileconfig: async (authority, request) => {
    const { account, issued } = request;
    const content = mobileConfig({
      account,
      device: issued.name,
      serial: issued.serial,
      root: authority.root.der,
      pkcs12: await pkcs12Of(authority, request, "legacy"),
    });
    return [{ name: `${nameOf(request)}.mobileconfig`, content, mode: secretMode }];
  },
  pem: async (authority, request) => {
    const { issued, privateKey } = request;
    const certificates = encodePem("CERTIFICATE", issued.certificate.der) + chainPem(authority, issued.certificate);
    const own = { name: `${nameOf(request)}.pem`, content: certificates, mode: publicMode };
    if (privateKey === undefined) return [own];
    const key = encodePem("PRIVATE KEY", privateKey.export({ format: "der", type: "pkcs8" }));
    return [own, { name: `${nameOf(request)}.key`, content: key, mode: secretMode }];
  },
  autoconfig: async (_, { account }) => [
    { name: "config-v1.1.xml", content: autoconfigXml(account), mode: publicMode },
  ],
};

function nameOf({ issued, account }: DeviceRequest): string {
  return deviceFileName(account.mailbox, issued.name);
}

async function pkcs12Of(authority: Authority, request: DeviceRequest, mode: Pkcs12Mode): Promise<Uint8Array> {
  const { issued, privateKey, account, passphrase } = request;
  if (privateKey === undefined) {
    throw new Failure("usage", `cannot put the key of "${issued.name}" into a file: it is on the device only`);
  }
  return encodePkcs12({
    privateKey,
    certificates: [issued.certificate.der, authority.current.certificate.der, authority.root.der],
    friendlyName: `${account.mailbox} (${issued.name})`,
    passphrase,
    mode,
  });
}
