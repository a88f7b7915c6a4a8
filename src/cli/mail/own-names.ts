import { serverCertificate, type OwnNames } from "../../mail/pki/index.ts";
import { readMailSettings, type MailPaths } from "../../mail/settings/index.ts";
import { domainsIn } from "../../mail/users/index.ts";

/** For which names this machine needs certificates: its domains, the server's names so far, and some more. */
export async function ownNamesOf(paths: MailPaths, more: OwnNames): Promise<OwnNames> {
  const { hostName, domains } = await readMailSettings(paths.folder);
  const names = serverCertificate(paths.pki)?.altNames;
  const hosts = [hostName, ...(names?.hosts ?? []), ...(names?.addresses ?? []), ...more.hosts];
  return {
    domains: [...new Set([...domains, ...domainsIn(paths.domains), ...more.domains])],
    hosts: [...new Set(hosts)],
  };
}
