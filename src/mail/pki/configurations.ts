import * as path from "node:path";
import { bundleName, rootCertificateName, serverName } from "./places.ts";

/** What a ready configuration of another program is made of. Paths are absolute. */
export interface ConfigurationRequest {
  /** The authority's folder. */
  readonly folder: string;
  /** Where the password files of the domains are. */
  readonly domains: string;
  /** The user's certificates for fetchmail, as `mail cert issue` names their files. */
  readonly users: readonly { readonly mailbox: string; readonly device: string }[];
  /** Where those files are. */
  readonly certificates: string;
  readonly host: string;
  readonly imapsPort: number;
  readonly pop3sPort: number;
  /** As Dovecot's `mail_location`, and where homes are. */
  readonly location: string;
  readonly home: string;
  readonly isCertificateAlone: boolean;
}

/** Programs for which there is a configuration. */
export const configuredPrograms = ["dovecot", "fetchmail", "nginx"] as const;
export type ConfiguredProgram = (typeof configuredPrograms)[number];

export function configurationFor(program: ConfiguredProgram, request: ConfigurationRequest): string {
  return { dovecot: dovecotText, fetchmail: fetchmailText, nginx: nginxText }[program](request);
}

/** For Dovecot 2.3. */
function dovecotText(request: ConfigurationRequest): string {
  const { folder, domains, imapsPort, pop3sPort, location, home } = request;
  const file = (name: string): string => path.join(folder, name);
  return `# Dovecot 2.3: only connections with a certificate of this authority, which opens the mailbox that is in it.
# Dovecot reads the revocation list when it starts and with "doveadm reload": let that follow each
# "holdfast mail cert revoke" and, once a month, "holdfast mail crl renew".
protocols = imap pop3
ssl = required
ssl_cert = <${file(serverName)}
ssl_key = <${file(serverName)}
ssl_ca = <${file(bundleName)}
ssl_min_protocol = TLSv1.2
ssl_verify_client_cert = yes
ssl_require_crl = yes
auth_ssl_require_client_cert = yes
auth_ssl_username_from_cert = yes
ssl_cert_username_field = commonName
disable_plaintext_auth = yes
auth_mechanisms = ${request.isCertificateAlone ? "plain login external" : "plain login"}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = ${imapsPort}
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = 0
  }
  inet_listener pop3s {
    port = ${pop3sPort}
    ssl = yes
  }
}
mail_location = ${location}
passdb {
  driver = passwd-file
  args = username_format=%Lu ${domains}/%Ld/imap.shadow
}
# Lines of imap.passwd without a uid: the account "vmail" is usual for mail without users of the system.
userdb {
  driver = passwd-file
  args = username_format=%Lu ${domains}/%Ld/imap.passwd
  default_fields = uid=vmail gid=vmail home=${home}
}
`;
}

function fetchmailText({ users, certificates, host, imapsPort }: ConfigurationRequest): string {
  const entries = users.map(({ mailbox, device }) => {
    const name = deviceFileName(mailbox, device);
    const local = mailbox.split("@")[0] ?? "";
    return `  user ${quoted(mailbox)} is ${quoted(local)} here
    ssl sslproto "TLS1.2+" sslcertck sslcertfile ${quoted(path.join(certificates, rootCertificateName))}
    sslcert ${quoted(path.join(certificates, `${name}.pem`))} sslkey ${quoted(path.join(certificates, `${name}.key`))}
`;
  });
  return `# ~/.fetchmailrc, mode 0600. A password stands behind the user: user "…" password "…" is …; without, fetchmail asks.
# Files come from: holdfast mail cert issue MAILBOX --device NAME --format pem --out ${certificates}
poll ${quoted(host)} protocol imap port ${imapsPort}
${entries.join("")}`;
}

/** What the files of a device are called, without their ending. */
export function deviceFileName(mailbox: string, device: string): string {
  return `${mailbox.split("@")[0]}-${device}`;
}

/** A word of a .fetchmailrc, in which a quote is not written as `\"`. */
function quoted(text: string): string {
  const escaped = text.replace(/["\\]/g, (character) => String.raw`\x` + character.charCodeAt(0).toString(16));
  return `"${escaped}"`;
}

function nginxText({ folder, host }: ConfigurationRequest): string {
  const file = (name: string): string => path.join(folder, name);
  return `# nginx, inside of a server { } of http, mail or stream. It reads the revocation list when it starts and when it is
# reloaded: let that follow each "holdfast mail cert revoke" and, once a month, "holdfast mail crl renew".
server_name ${host};
ssl_certificate ${file(serverName)};
ssl_certificate_key ${file(serverName)};
ssl_protocols TLSv1.2 TLSv1.3;
ssl_client_certificate ${file(bundleName)};
ssl_crl ${file(bundleName)};
ssl_verify_client on;
ssl_verify_depth 2;
`;
}
